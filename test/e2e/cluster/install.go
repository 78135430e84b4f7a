//go:build linux && e2e

package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/hack/pinned"
)

const (
	// System is the namespace that Install installs to.
	System = "cx-operator-system"
	// Operator is the name of what Install installs.
	Operator = "cx-operator"
	// patience is how long a pod may take to be replaced, on a busy machine.
	patience = 2 * time.Minute
)

// Install installs or upgrades the operator by its chart with an image of the node's, and waits until it is rolled out. More
// are settings of values, NAME=VALUE.
func (c *Cluster) Install(t *testing.T, image string, more ...string) {
	t.Helper()
	helm, err := pinned.HelmDir(Root())
	if err != nil {
		t.Fatal(err)
	}
	repository, tag, _ := strings.Cut(image, ":")
	args := []string{
		"upgrade", "--install", Operator, "charts/cx-operator", "--namespace", System, "--create-namespace",
		"--set", "image.registry=", "--set", "image.repository=" + repository, "--set-string", "image.tag=" + tag,
		"--set", "image.pullPolicy=Never",
	}
	for _, setting := range more {
		args = append(args, "--set", setting)
	}
	c.Run(t, filepath.Join(helm, "helm"), args...)
	c.AwaitOperator(t, image)
}

// AwaitOperator waits until the operator's pods are those that its Deployment says, with an image, and ready.
func (c *Cluster) AwaitOperator(t *testing.T, image string) {
	t.Helper()
	Await(t, "the operator to be rolled out", patience, func(ctx context.Context) error {
		var deployment appsv1.Deployment
		if err := c.Client.Get(ctx, client.ObjectKey{Namespace: System, Name: Operator}, &deployment); err != nil {
			return err
		}
		if got := deployment.Spec.Template.Spec.Containers[0].Image; got != image {
			return fmt.Errorf("the image is %s", got)
		}
		return rolledOut(&deployment)
	})
}

func rolledOut(d *appsv1.Deployment) error {
	s, want := d.Status, int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	if s.ObservedGeneration < d.Generation || s.UpdatedReplicas != want || s.Replicas != want || s.ReadyReplicas != want {
		return fmt.Errorf("wanted are %d, status %+v", want, s)
	}
	return nil
}

// OperatorPods returns the operator's pods that are not about to end, ordered by name.
func (c *Cluster) OperatorPods(t *testing.T) []corev1.Pod {
	t.Helper()
	return c.pods(t, System, map[string]string{"app.kubernetes.io/name": "cx-operator"})
}

func (c *Cluster) pods(t *testing.T, namespace string, labels map[string]string) []corev1.Pod {
	t.Helper()
	var list corev1.PodList
	if err := c.Client.List(t.Context(), &list, client.InNamespace(namespace), client.MatchingLabels(labels)); err != nil {
		t.Fatal(err)
	}
	pods := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods
}
