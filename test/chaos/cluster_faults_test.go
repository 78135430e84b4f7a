//go:build linux && e2e

package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
	"github.com/cx-operator/cx-operator/test/ledger"
)

// clockPolicy gives every new pod of the operator and of the endpoints a clock that jumps.
const clockPolicy = `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: chaos-clock}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    objectSelector:
      matchExpressions: [{key: app.kubernetes.io/name, operator: In, values: [cx-operator, cx-operator-endpoint]}]
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: >-
        Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name,
        env: [Object.spec.containers.env{name: "CX_OPERATOR_CLOCK_OFFSET", value: "%s"}]})}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: chaos-clock}
spec: {policyName: chaos-clock}
`

// moveClock replaces all pods by ones whose clocks jump by an hour while they run (in the short form: are ahead from their
// start), and then by ones whose clocks are right again: an hour behind those before.
func moveClock(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	const ahead, replacing = time.Hour, 90 * time.Second
	jump := time.Now().Add(outage(replacing, 0)).Truncate(time.Second)
	value := fmt.Sprintf("%s@%s", ahead, jump.UTC().Format(time.RFC3339))
	s.apply(t, fmt.Sprintf(clockPolicy, value))
	defer s.Kubectl(t, "delete", "--ignore-not-found", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", "chaos-clock")
	s.awaitAdmitted(t, value)
	var took time.Duration
	untroubled(t, func() {
		s.replaceAll(t, value)
		if late := time.Since(jump); late > 0 && !*short {
			t.Errorf("the pods were replaced %s after their clocks should have jumped", late)
		}
		untroubled(t, func() {
			pass(t, max(0, time.Until(jump))+outage(30*time.Second, 5*time.Second))
			took = s.works(t)
		}, clinic, airport)
		s.awaitVerdict(t, "Missed")
		s.Kubectl(t, "delete", "mutatingadmissionpolicybinding,mutatingadmissionpolicy", "chaos-clock")
		s.awaitAdmitted(t, "")
		s.replaceAll(t, "")
	}, clinic)
	return outcome{time.Now(), max(took, s.works(t))}
}

// awaitAdmitted waits until new pods get a value for their clock: policies take effect a moment after they were made.
func (s *suite) awaitAdmitted(t *testing.T, value string) {
	t.Helper()
	pod := s.clinic.Pods(t)[0]
	cluster.Await(t, "pods with the clock "+value, patience, func(ctx context.Context) error {
		trial := pod.DeepCopy()
		trial.ObjectMeta = metav1.ObjectMeta{Namespace: pod.Namespace, Name: "trial", Labels: map[string]string{"app.kubernetes.io/name": render.NameLabel}}
		trial.Spec.NodeName = ""
		env := trial.Spec.Containers[0].Env[:0]
		for _, each := range trial.Spec.Containers[0].Env {
			if each.Name != "CX_OPERATOR_CLOCK_OFFSET" {
				env = append(env, each)
			}
		}
		trial.Spec.Containers[0].Env = env
		if err := s.Client.Create(ctx, trial, client.DryRunAll); err != nil {
			return err
		}
		return wantClock(trial.Spec.Containers[0].Env, value)
	})
}

// replaceAll has Kubernetes replace the pods of the operator and of both programs, as people do, and waits until all have a
// value for their clock.
func (s *suite) replaceAll(t *testing.T, value string) {
	t.Helper()
	s.Kubectl(t, "-n", cluster.System, "rollout", "restart", "deployment", cluster.Operator)
	s.Kubectl(t, "-n", s.clinic.Key.Namespace, "rollout", "restart", "deployment", render.EndpointName(s.clinic.Key.Name))
	s.Kubectl(t, "-n", s.airport.Key.Namespace, "rollout", "restart", "statefulset", render.EndpointName(s.airport.Key.Name))
	s.AwaitOperator(t, s.Image)
	cluster.Await(t, "pods with other clocks", patience, func(context.Context) error {
		for _, pod := range append(append(s.clinic.Pods(t), s.airport.Pods(t)...), s.OperatorPods(t)...) {
			if err := wantClock(pod.Spec.Containers[0].Env, value); err != nil {
				return fmt.Errorf("%s: %w", pod.Name, err)
			}
			if !cluster.PodReady(&pod) {
				return fmt.Errorf("%s is not ready", pod.Name)
			}
		}
		return nil
	})
	s.clinic.AwaitServed(t, 3)
	s.airport.AwaitServed(t, 1)
}

func wantClock(env []corev1.EnvVar, value string) error {
	got := ""
	for _, each := range env {
		if each.Name == "CX_OPERATOR_CLOCK_OFFSET" {
			got = each.Value
		}
	}
	if got != value {
		return fmt.Errorf("its clock is moved by %q, want %q", got, value)
	}
	return nil
}

// apply applies a manifest.
func (s *suite) apply(t *testing.T, manifest string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Kubectl(t, "apply", "--server-side", "-f", file)
}

// upgradeCRD adds a field, as a newer version would, and uses it. The operator that runs must neither stumble over it nor take
// it away.
func upgradeCRD(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	const crd, path = "surveyprograms.cx-operator.io", "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/newerOption"
	var mended time.Time
	var took time.Duration
	untroubled(t, func() {
		s.Kubectl(t, "patch", "crd", crd, "--type=json", "-p", `[{"op":"add","path":"`+path+`","value":{"type":"string"}}]`)
		defer s.Kubectl(t, "patch", "crd", crd, "--type=json", "-p", `[{"op":"remove","path":"`+path+`"}]`)
		mended = time.Now()
		title := "How was your visit, " + mended.Format("15:04:05") + "?"
		cluster.Await(t, "the newer field to be known", patience, func(context.Context) error {
			s.clinic.Patch(t, `{"spec":{"newerOption":"used","survey":{"title":{"en":"`+title+`"}}}}`)
			if got := s.Kubectl(t, "-n", s.clinic.Key.Namespace, "get", "surveyprogram", s.clinic.Key.Name, "-o", "jsonpath={.spec.newerOption}"); got != "used" {
				return fmt.Errorf("it is %q", got)
			}
			return nil
		})
		cluster.Await(t, "the program with the newer field to be followed", patience, func(ctx context.Context) error {
			page, err := s.clinic.Page(ctx)
			if err == nil && !strings.Contains(page, title) {
				err = errors.New("the page has another title")
			}
			return err
		})
		took = time.Since(mended)
		s.clinic.AwaitServed(t, 3)
		if got := s.Kubectl(t, "-n", s.clinic.Key.Namespace, "get", "surveyprogram", s.clinic.Key.Name, "-o", "jsonpath={.spec.newerOption}"); got != "used" {
			t.Errorf("the newer field is %q: the operator has taken it away", got)
		}
	}, clinic, airport)
	return outcome{mended, max(took, s.works(t))}
}

// revokeRights unbinds the operator's roles.
func revokeRights(s *suite, t *testing.T, clinic, airport *ledger.Ledger) outcome {
	selector := client.MatchingLabels{"app.kubernetes.io/instance": cluster.Operator}
	var wide rbacv1.ClusterRoleBindingList
	var narrow rbacv1.RoleBindingList
	if err := errors.Join(s.Client.List(t.Context(), &wide, selector), s.Client.List(t.Context(), &narrow, selector)); err != nil {
		t.Fatal(err)
	}
	var bindings []client.Object
	for i := range wide.Items {
		bindings = append(bindings, &wide.Items[i])
	}
	for i := range narrow.Items {
		bindings = append(bindings, &narrow.Items[i])
	}
	if len(bindings) < 2 {
		t.Fatalf("the operator has %d bindings", len(bindings))
	}
	untroubled(t, func() {
		for _, binding := range bindings {
			if err := s.Client.Delete(t.Context(), binding); err != nil {
				t.Fatal(err)
			}
		}
		pass(t, outage(time.Minute, 15*time.Second))
	}, clinic, airport)
	for _, binding := range bindings {
		binding.SetResourceVersion("")
		binding.SetUID("")
		if err := s.Client.Create(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
	}
	mended := time.Now()
	return outcome{mended, s.works(t)}
}
