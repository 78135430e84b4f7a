package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// labelDemo marks what the demo made in a user's own cluster, so that it, or the next demo after a kill, removes this and
// nothing else.
const labelDemo = "cx-operator.io/demo"

// userCluster takes the cluster of the current context of the user's kubeconfig, says which it is, and writes that
// context into the demo's own kubeconfig.
func (d *demo) userCluster() (*rest.Config, error) {
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if raw.CurrentContext == "" {
		return nil, errors.New("the kubeconfig has no current context: choose one with 'kubectl config use-context NAME', or " +
			"leave CLUSTER out to start a cluster of the demo's own")
	}
	name := raw.CurrentContext
	if err := errors.Join(clientcmdapi.MinifyConfig(&raw), clientcmdapi.FlattenConfig(&raw)); err != nil {
		return nil, fmt.Errorf("reading context %q of the kubeconfig: %w", name, err)
	}
	content, err := clientcmd.Write(raw)
	if err != nil {
		return nil, fmt.Errorf("writing the kubeconfig: %w", err)
	}
	if err := d.dir.write(kubeconfig, content); err != nil {
		return nil, err
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading context %q of the kubeconfig: %w", name, err)
	}
	config.QPS, config.Burst = 100, 200
	d.kubectl, _ = exec.LookPath("kubectl")
	d.say.step("Using your cluster: context %s at %s", name, config.Host)
	return config, nil
}

// claim makes sure that the demo overwrites nothing in a user's cluster: the namespace must be new or left by a former
// demo, which is then removed.
func (d *demo) claim(ctx context.Context) error {
	var found corev1.Namespace
	err := d.client.Get(ctx, client.ObjectKey{Name: namespace}, &found)
	switch {
	case apierrors.IsNotFound(err):
		d.claimed = true
		return nil
	case err != nil:
		return fmt.Errorf("looking for namespace %s: %w", namespace, err)
	case found.Labels[labelDemo] == "":
		return fmt.Errorf("the cluster has a namespace %s that the demo did not make: delete it or use another cluster", namespace)
	}
	d.claimed = true
	d.say.step("Removing the namespace that a former demo left")
	return d.removeNamespace(ctx)
}

// cleanLimit is how long the removal of what the demo made may take.
const cleanLimit = 2 * time.Minute

// leave removes what the demo made in a user's cluster: the namespace, and the CRDs that were not there before.
func (d *demo) leave(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanLimit)
	defer cancel()
	d.say.step("Removing namespace %s and the CRDs that the demo installed", namespace)
	return errors.Join(d.removeNamespace(ctx), d.removeCRDs(ctx))
}

func (d *demo) removeNamespace(ctx context.Context) error {
	var found corev1.Namespace
	key := client.ObjectKey{Name: namespace}
	if err := d.client.Get(ctx, key, &found); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("removing namespace %s: %w", namespace, err)
	}
	if found.Labels[labelDemo] == "" {
		return nil // not ours
	}
	if err := d.client.Delete(ctx, &found); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing namespace %s: %w", namespace, err)
	}
	return d.say.await(ctx, cleanLimit, func(ctx context.Context) ([]string, error) {
		err := d.client.Get(ctx, key, &found)
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return []string{"namespace " + namespace + " to go"}, err
	})
}

func (d *demo) removeCRDs(ctx context.Context) error {
	var ours apiextensionsv1.CustomResourceDefinitionList
	if err := d.client.List(ctx, &ours, client.HasLabels{labelDemo}); err != nil {
		return fmt.Errorf("looking for the demo's CRDs: %w", err)
	}
	var errs []error
	for i := range ours.Items {
		if err := d.client.Delete(ctx, &ours.Items[i]); client.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("removing CRD %s: %w", ours.Items[i].Name, err))
		}
	}
	return errors.Join(errs...)
}
