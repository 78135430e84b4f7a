package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// fieldOwner is the demo's name in managed fields.
const fieldOwner = "cx-demo"

// readFolder reads every YAML document of a folder's files, in the order of their names.
func readFolder(folder string) ([]*unstructured.Unstructured, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("looking into %s: %w", folder, err)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s holds no YAML: run the demo from the top folder of the repository", folder)
	}
	sort.Strings(names)
	var all []*unstructured.Unstructured
	for _, name := range names {
		objects, err := readFile(name)
		if err != nil {
			return nil, err
		}
		all = append(all, objects...)
	}
	return all, nil
}

func readFile(name string) ([]*unstructured.Unstructured, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading YAML: %w", err)
	}
	defer file.Close()
	documents := utilyaml.NewYAMLReader(bufio.NewReader(file))
	var objects []*unstructured.Unstructured
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(document, &object.Object); err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		if len(object.Object) > 0 { // a document of comments only is empty
			objects = append(objects, object)
		}
	}
}

// apply applies objects one after the other, as kubectl apply --server-side does.
func (d *demo) apply(ctx context.Context, objects []*unstructured.Unstructured) error {
	for _, object := range objects {
		err := d.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(fieldOwner))
		if err != nil {
			return fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// installCRDs applies the CRDs and waits until they are served. Those that a user's cluster has already, and that no demo
// installed, are left as they are.
func (d *demo) installCRDs(ctx context.Context) error {
	crds, err := readFolder(filepath.Join("config", "crd", "bases"))
	if err != nil {
		return err
	}
	var ours []*unstructured.Unstructured
	for _, crd := range crds {
		var found apiextensionsv1.CustomResourceDefinition
		err := d.client.Get(ctx, client.ObjectKeyFromObject(crd), &found)
		switch {
		case apierrors.IsNotFound(err), err == nil && found.Labels[labelDemo] != "":
			crd.SetLabels(map[string]string{labelDemo: "true"})
			ours = append(ours, crd)
		case err != nil:
			return fmt.Errorf("looking for CRD %s: %w", crd.GetName(), err)
		default:
			d.say.step("CRD %s is there already and is left as it is", crd.GetName())
		}
	}
	if err := d.apply(ctx, ours); err != nil {
		return err
	}
	return d.say.await(ctx, startLimit, func(ctx context.Context) ([]string, error) {
		var pending []string
		for _, crd := range crds {
			var found apiextensionsv1.CustomResourceDefinition
			if err := d.client.Get(ctx, client.ObjectKeyFromObject(crd), &found); err != nil {
				return nil, fmt.Errorf("waiting for CRD %s: %w", crd.GetName(), err)
			}
			if !established(found) {
				pending = append(pending, "CRD "+crd.GetName())
			}
		}
		return pending, nil
	})
}

func established(crd apiextensionsv1.CustomResourceDefinition) bool {
	for _, condition := range crd.Status.Conditions {
		if condition.Type == apiextensionsv1.Established {
			return condition.Status == apiextensionsv1.ConditionTrue
		}
	}
	return false
}

// applySample applies the airport's program. Its namespace is marked as the demo's.
func (d *demo) applySample(ctx context.Context) error {
	objects, err := readFolder(filepath.Join("config", "samples", "airport"))
	if err != nil {
		return err
	}
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			object.SetLabels(map[string]string{labelDemo: "true"})
		}
	}
	return d.apply(ctx, objects)
}

// readyLimit is how long the operator may take until it has put the sample into effect.
const readyLimit = 2 * time.Minute

// awaitReady waits until the operator says of the programs and touchpoints that they are Ready.
func (d *demo) awaitReady(ctx context.Context) error {
	return d.say.await(ctx, readyLimit, func(ctx context.Context) ([]string, error) {
		var programs v1alpha1.SurveyProgramList
		var touchpoints v1alpha1.TouchpointList
		if err := d.list(ctx, &programs, &touchpoints); err != nil {
			return nil, err
		}
		var pending []string
		for i := range programs.Items {
			p := &programs.Items[i]
			pending = appendUnready(pending, "program "+p.Name, p.Generation, p.Status.ObservedGeneration, p.Status.Conditions)
		}
		for i := range touchpoints.Items {
			t := &touchpoints.Items[i]
			pending = appendUnready(pending, "touchpoint "+t.Name, t.Generation, t.Status.ObservedGeneration, t.Status.Conditions)
		}
		return pending, nil
	})
}

// appendUnready adds a thing that is not Ready in its present generation, with the reason that its condition gives.
func appendUnready(pending []string, name string, generation, observed int64, conditions []metav1.Condition) []string {
	ready := meta.FindStatusCondition(conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return append(pending, name)
	case observed != generation:
		return append(pending, name+" (not seen yet)")
	case ready.Status != metav1.ConditionTrue:
		return append(pending, name+" ("+ready.Reason+")")
	}
	return pending
}

// list reads lists of the demo's namespace.
func (d *demo) list(ctx context.Context, lists ...client.ObjectList) error {
	for _, list := range lists {
		if err := d.client.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return fmt.Errorf("listing %T: %w", list, err)
		}
	}
	return nil
}
