//go:build linux && e2e

// Package chart installs, upgrades, rolls back and removes the operator by helm on a real node, while people answer a program whose
// endpoint must not notice any of it.
package chart

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
)

const (
	present  = "charts/cx-operator"
	patience = 2 * time.Minute
	// rate is how many answers the program gets in a second.
	rate = 4
	// settle is how long the last answers may take once no more are begun.
	settle = time.Minute
)

type suite struct {
	*cluster.Cluster
	airport  *cluster.Program
	endpoint types.UID // of the endpoint's pod
}

func TestChart(t *testing.T) {
	s := &suite{Cluster: cluster.Start(t)}
	s.helm(t, "install", append([]string{older(t), "--create-namespace"}, s.values()...)...)
	s.expectOlder(t, true)
	s.airport = s.Airport(t, node.StorageClass)
	s.endpoint = s.airport.Pods(t)[0].UID

	answers := s.airport.Ledger(rate)
	stop := answers.Start(t.Context())
	s.upgrade(t)
	s.expectOlder(t, false)
	s.expectUndisturbed(t, "an upgrade")

	s.helm(t, "rollback", "1")
	s.expectOlder(t, true)
	s.expectUndisturbed(t, "a rollback")

	s.upgrade(t, "embedded.enabled=true", "embedded.persistence.storageClassName="+node.StorageClass)
	s.expectWorkload(t, &appsv1.StatefulSet{}, &appsv1.Deployment{})
	s.expectUndisturbed(t, "a change to a StatefulSet")

	s.upgrade(t, "watchNamespaces={sfo}")
	s.expectWorkload(t, &appsv1.Deployment{}, &appsv1.StatefulSet{})
	s.expectWork(t, "with rights in one namespace")

	s.helm(t, "uninstall")
	s.expectGone(t)
	s.expectKept(t)
	s.helm(t, "install", append([]string{present}, s.values()...)...)
	s.expectWork(t, "after it was installed anew")
	s.expectUndisturbed(t, "an absence")
	stop(settle)
	r, c := answers.Compare(s.airport.Stored(t)), answers.Counts()
	t.Logf("%d answers sent, %d acknowledged, %d lost, %d duplicated, %d attempts in trouble", r.Sent, r.Acknowledged, r.Lost, r.Duplicated, c.Trouble())
	if r.Lost > 0 || r.Duplicated > 0 || r.Sent == 0 || r.Acknowledged != r.Sent || c.Trouble() > 0 {
		t.Errorf("%+v %+v, want every answer once, and no endpoint away", r, c)
	}

	s.upgrade(t, "crds.keep=false")
	s.helm(t, "uninstall")
	s.expectGone(t)
	cluster.Await(t, "the CRDs to be gone", patience, func(context.Context) error {
		if left := s.Kubectl(t, "get", "customresourcedefinitions", "-o", "name"); strings.Contains(left, "cx-operator.io") {
			return errors.New(left)
		}
		return nil
	})
}

// older is a copy of the present chart as a former version could have been: another version, without the NetworkPolicy, and with
// a CRD that prints no columns. No version of the chart has been released before this one.
func older(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(cluster.Root(), present))); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "Chart.yaml"), func(chart map[string]any) { chart["version"] = "0.1.0" })
	if err := os.Remove(filepath.Join(dir, "templates", "networkpolicy.yaml")); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "files", "crds", "cx-operator.io_teams.yaml"), func(crd map[string]any) {
		version := crd["spec"].(map[string]any)["versions"].([]any)[0].(map[string]any)
		if version["additionalPrinterColumns"] == nil {
			t.Fatal("the CRD of teams prints no columns: take another difference between the versions")
		}
		delete(version, "additionalPrinterColumns")
	})
	return dir
}

func edit(t *testing.T, path string, change func(map[string]any)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var content map[string]any
	if err := yaml.Unmarshal(text, &content); err != nil {
		t.Fatal(err)
	}
	change(content)
	if text, err = yaml.Marshal(content); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// helm runs a command on the release and waits until what it made is ready.
func (s *suite) helm(t *testing.T, command string, args ...string) {
	t.Helper()
	dir, err := pinned.HelmDir(cluster.Root())
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.Run(t, filepath.Join(dir, "helm"), append([]string{command, cluster.Operator, "--namespace", cluster.System, "--wait", "--timeout", "3m"}, args...)...)
	t.Logf("helm %s took %s", command, time.Since(began).Round(100*time.Millisecond))
}

// values are those for an image that the node has.
func (s *suite) values(more ...string) []string {
	repository, tag, _ := strings.Cut(s.Image, ":")
	args := []string{"--set", "image.registry=,image.repository=" + repository + ",image.pullPolicy=Never", "--set-string", "image.tag=" + tag}
	for _, value := range more {
		args = append(args, "--set", value)
	}
	return args
}

// upgrade brings the release to the present chart with the values alone.
func (s *suite) upgrade(t *testing.T, more ...string) {
	t.Helper()
	s.helm(t, "upgrade", append([]string{present}, s.values(more...)...)...)
}

// expectOlder looks for the differences between the versions.
func (s *suite) expectOlder(t *testing.T, older bool) {
	t.Helper()
	columns := s.Kubectl(t, "get", "customresourcedefinition", "teams.cx-operator.io", "-o", "jsonpath={.spec.versions[0].additionalPrinterColumns[*].name}")
	policies := s.Kubectl(t, "-n", cluster.System, "get", "networkpolicies", "-o", "name")
	if (columns == "") != older || (policies == "") != older {
		t.Errorf("older = %t, but the columns are %q and the policies %q", older, columns, policies)
	}
	s.AwaitOperator(t, s.Image)
}

// expectUndisturbed sees that the endpoint's pod is the same as ever.
func (s *suite) expectUndisturbed(t *testing.T, by string) {
	t.Helper()
	pods := s.airport.Pods(t)
	if len(pods) != 1 || pods[0].UID != s.endpoint || !cluster.PodReady(&pods[0]) {
		t.Errorf("%s disturbed the endpoint: %d pods", by, len(pods))
	}
}

// expectWorkload waits for the one kind of workload and the end of the other.
func (s *suite) expectWorkload(t *testing.T, wanted, other client.Object) {
	t.Helper()
	key := client.ObjectKey{Namespace: cluster.System, Name: cluster.Operator}
	cluster.Await(t, fmt.Sprintf("a %T", wanted), patience, func(ctx context.Context) error {
		if err := s.Client.Get(ctx, key, other); !apierrors.IsNotFound(err) {
			return fmt.Errorf("the %T is still there: %w", other, err)
		}
		if err := s.Client.Get(ctx, key, wanted); err != nil {
			return err
		}
		for _, pod := range s.OperatorPods(t) {
			if !cluster.PodReady(&pod) {
				return fmt.Errorf("%s is not ready", pod.Name)
			}
		}
		return nil
	})
}

// expectWork sees the operator follow an edit, of a kind that is no part of what the endpoint serves.
func (s *suite) expectWork(t *testing.T, when string) {
	t.Helper()
	s.Kubectl(t, "-n", "sfo", "patch", "actionplan", "better-food", "--type=merge", "-p", fmt.Sprintf(`{"spec":{"problem":%q}}`, "Food is rated low "+when))
	cluster.Await(t, "the operator to work "+when, patience, func(ctx context.Context) error {
		var plan v1alpha1.ActionPlan
		if err := s.Client.Get(ctx, client.ObjectKey{Namespace: "sfo", Name: "better-food"}, &plan); err != nil {
			return err
		}
		if plan.Status.ObservedGeneration != plan.Generation || !cluster.IsTrue(plan.Status.Conditions, "Ready") {
			return errors.New(cluster.Conditions(plan.Status.Conditions))
		}
		return nil
	})
	s.airport.AwaitServed(t, 1)
}

// expectGone waits until nothing of the release is left but what is to be kept: CRDs, and what the operator itself has made.
func (s *suite) expectGone(t *testing.T) {
	t.Helper()
	cluster.Await(t, "the release to be gone", patience, func(ctx context.Context) error {
		left := s.Kubectl(t, "get", "clusterroles,clusterrolebindings,roles,rolebindings,deployments,statefulsets,services,serviceaccounts,poddisruptionbudgets,networkpolicies",
			"--all-namespaces", "-l", "app.kubernetes.io/managed-by=Helm", "-o", "name")
		if left != "" {
			return errors.New(left)
		}
		if pods := s.OperatorPods(t); len(pods) > 0 {
			return fmt.Errorf("%d pods", len(pods))
		}
		return ctx.Err()
	})
}

// expectKept sees that the program and its endpoint outlive the operator, and the certificates' authority too.
func (s *suite) expectKept(t *testing.T) {
	t.Helper()
	if _, err := s.airport.Get(t.Context()); err != nil {
		t.Errorf("the program after the release: %v", err)
	}
	s.expectUndisturbed(t, "an uninstall")
	for _, name := range []string{"cx-operator-endpoints-ca", "cx-operator-scrape"} {
		if err := s.Client.Get(t.Context(), client.ObjectKey{Namespace: cluster.System, Name: name}, &corev1.Secret{}); err != nil {
			t.Errorf("Secret %s after the release: %v", name, err)
		}
	}
}
