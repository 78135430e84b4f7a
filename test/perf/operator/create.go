package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

const group = "/apis/cx-operator.io/v1alpha1"

// collection is the address of a namespace's objects of one kind.
func collection(prefix, namespace, resource string) string {
	return prefix + "/namespaces/" + namespace + "/" + resource
}

// bare is client-go without anything that reads, compares or caches: bytes go out and come back.
type bare struct{ client *rest.RESTClient }

func newBare(config *rest.Config) (bare, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.GroupVersion, config.NegotiatedSerializer = &schema.GroupVersion{}, scheme.Codecs.WithoutConversion()
	c, err := rest.UnversionedRESTClientFor(config)
	if err != nil {
		return bare{}, fmt.Errorf("making a client: %w", err)
	}
	return bare{c}, nil
}

func (b bare) create(ctx context.Context, path string, body []byte) ([]byte, error) {
	return b.client.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body(body).DoRaw(ctx)
}

func (b bare) patch(ctx context.Context, kind types.PatchType, path, manager string, body []byte) ([]byte, error) {
	r := b.client.Patch(kind).AbsPath(path).Param("fieldManager", manager).Body(body)
	if kind == types.ApplyPatchType {
		r = r.Param("force", "true")
	}
	return r.DoRaw(ctx)
}

// version is what an answer says of the object that was written.
type version struct {
	Metadata struct {
		UID, ResourceVersion string
		Generation           int64
	}
}

func versionOf(answer []byte) (version, error) {
	var v version
	if err := json.Unmarshal(answer, &v); err != nil {
		return version{}, fmt.Errorf("the API server's answer: %w", err)
	}
	return v, nil
}

// createInput creates one object of people's.
func (b bare) createInput(ctx context.Context, i input) ([]byte, error) {
	answer, err := b.create(ctx, collection(group, i.namespace, i.resource), i.body)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", i.key(), err)
	}
	return answer, nil
}

// createNamespaces makes the namespaces of a size, each with the Secret that tells where a database is, before anything is
// measured. There is no database.
func createNamespaces(ctx context.Context, config *rest.Config, s size) error {
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	for n := range s.namespaces {
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceName(n)}}
		if _, err := set.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create namespace %s: %w", ns.Name, err)
		}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "database"}, StringData: map[string]string{"uri": "postgres://database.invalid/answers"}}
		if _, err := set.CoreV1().Secrets(ns.Name).Create(ctx, secret, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("create the Secret of the database: %w", err)
		}
	}
	return nil
}

// parallel does something with each item, by so many workers that take the items in order. The first error ends it.
func parallel[T any](ctx context.Context, workers int, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for item := range queue {
				if err := do(ctx, item); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	for _, item := range items {
		select {
		case queue <- item:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	wg.Wait()
	return context.Cause(ctx)
}
