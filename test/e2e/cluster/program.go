//go:build linux && e2e

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/test/ledger"
)

// Program is a Dedicated program on the cluster.
type Program struct {
	*Cluster
	// Key is its namespace and name.
	Key types.NamespacedName
	// Touchpoint and Question of it, by which it is answered.
	Touchpoint, Question string
	// Address is that of its Service.
	Address string
}

// Airport applies the airport's program, Dedicated on SQLite with a volume of a StorageClass, in a namespace that enforces the
// restricted Pod Security Standard, and waits until it serves.
func (c *Cluster) Airport(t *testing.T, storageClass string) *Program {
	t.Helper()
	folder := filepath.Join(Root(), "bin", "e2e", "airport")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	kustomization := `resources: [../../../config/samples]
patches:
- target: {kind: Namespace}
  patch: |-
    - {op: add, path: /metadata/labels, value: {pod-security.kubernetes.io/enforce: restricted}}
- target: {kind: SurveyProgram}
  patch: |-
    - {op: replace, path: /spec/endpoint, value: {mode: Dedicated, rateLimit: {perMinute: 100000, burst: 100000}}}
- target: {kind: ResponseStore}
  patch: |-
    - {op: replace, path: /spec/sqlite, value: {storageClassName: ` + storageClass + `}}
`
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(kustomization), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Kubectl(t, "apply", "--server-side", "-k", folder)
	p := &Program{Cluster: c, Key: types.NamespacedName{Namespace: "sfo", Name: "passenger-experience"}, Touchpoint: "wifi", Question: "wifi"}
	p.AwaitServed(t, 1)
	return p
}

// Clinic applies a clinic's program, Dedicated with three replicas on a PostgreSQL server, and waits until it serves.
func (c *Cluster) Clinic(t *testing.T, pg *Postgres) *Program {
	t.Helper()
	c.Kubectl(t, "apply", "--server-side", "-f", "test/e2e/cluster/testdata/clinic.yaml")
	database := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "clinic", Name: "database"}, StringData: map[string]string{"uri": pg.URI}}
	if err := c.Client.Create(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	p := &Program{Cluster: c, Key: types.NamespacedName{Namespace: "clinic", Name: "visits"}, Touchpoint: "reception", Question: "reception"}
	p.AwaitServed(t, 3)
	return p
}

// AwaitServed waits until the program is Ready, by pods of the present spec, so many of which take answers and no others are
// there, and until its page is served through the Service.
func (p *Program) AwaitServed(t *testing.T, replicas int) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log(p.Kubectl(t, "-n", p.Key.Namespace, "get", "surveyprogram,responsestore,all,pvc,events", "-o", "wide"))
		}
	}()
	Await(t, fmt.Sprintf("%s to be served by %d", p.Key, replicas), patience, func(ctx context.Context) error {
		program, err := p.Get(ctx)
		if err != nil {
			return err
		}
		if e := program.Status.Endpoint; e == nil || e.Mode != v1alpha1.EndpointDedicated || e.ReadyReplicas == nil || int(*e.ReadyReplicas) != replicas {
			return fmt.Errorf("endpoint %+v, conditions %s", e, Conditions(program.Status.Conditions))
		}
		if program.Status.ObservedGeneration != program.Generation || !IsTrue(program.Status.Conditions, "Ready") {
			return errors.New(Conditions(program.Status.Conditions))
		}
		return p.allReady(ctx, replicas)
	})
	var service corev1.Service
	if err := p.Client.Get(t.Context(), client.ObjectKey{Namespace: p.Key.Namespace, Name: render.EndpointName(p.Key.Name)}, &service); err != nil {
		t.Fatal(err)
	}
	p.Address = "http://" + service.Spec.ClusterIP
	Await(t, "the page of "+p.Touchpoint, patience, func(ctx context.Context) error {
		_, err := p.Page(ctx)
		return err
	})
}

// allReady looks for pods that are ready, as many as wanted, and none beside them.
func (p *Program) allReady(ctx context.Context, replicas int) error {
	var list corev1.PodList
	if err := p.Client.List(ctx, &list, client.InNamespace(p.Key.Namespace), client.MatchingLabels(p.selector())); err != nil {
		return err
	}
	if len(list.Items) != replicas {
		return fmt.Errorf("there are %d pods", len(list.Items))
	}
	for i := range list.Items {
		if !PodReady(&list.Items[i]) {
			return fmt.Errorf("pod %s is %+v", list.Items[i].Name, list.Items[i].Status.ContainerStatuses)
		}
	}
	return nil
}

// Page reads the touchpoint's page through the Service, by a connection of its own.
func (p *Program) Page(ctx context.Context) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.PageURL(), http.NoBody)
	if err != nil {
		return "", err
	}
	request.Close = true
	response, err := (&http.Client{Timeout: 5 * time.Second}).Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = errors.New(response.Status)
	}
	return string(page), err
}

// PageURL is the address of the touchpoint's page in English.
func (p *Program) PageURL() string {
	return p.Address + "/s/" + p.Key.String() + "/" + p.Touchpoint + "?lang=en"
}

// Get reads the program.
func (p *Program) Get(ctx context.Context) (*v1alpha1.SurveyProgram, error) {
	var program v1alpha1.SurveyProgram
	err := p.Client.Get(ctx, p.Key, &program)
	return &program, err
}

func (p *Program) selector() map[string]string {
	return map[string]string{"app.kubernetes.io/name": render.NameLabel, "cx-operator.io/program": p.Key.Name}
}

// Pods are those of the program's endpoint that are not about to end, ordered by name.
func (p *Program) Pods(t *testing.T) []corev1.Pod {
	t.Helper()
	return p.pods(t, p.Key.Namespace, p.selector())
}

// Patch changes the program by a merge patch in JSON.
func (p *Program) Patch(t *testing.T, patch string) {
	t.Helper()
	p.Kubectl(t, "-n", p.Key.Namespace, "patch", "surveyprogram", p.Key.Name, "--type=merge", "-p", patch)
}

// Ledger is a new ledger of answers to the program, so many each second.
func (p *Program) Ledger(perSecond int) *ledger.Ledger {
	return ledger.New(p.ledgerOptions(perSecond))
}

func (p *Program) ledgerOptions(perSecond int) ledger.Options {
	return ledger.Options{Address: p.Address, Program: p.Key.String(), Touchpoint: p.Touchpoint, Question: p.Question, PerSecond: perSecond}
}

// Stored is what the program has stored and counted now. It waits until the program can be asked.
func (p *Program) Stored(t *testing.T) ledger.Stored {
	t.Helper()
	var tokens corev1.Secret
	if err := p.Client.Get(t.Context(), client.ObjectKey{Namespace: p.Key.Namespace, Name: p.Key.Name + "-tokens"}, &tokens); err != nil {
		t.Fatal(err)
	}
	var stored ledger.Stored
	Await(t, "what is stored", patience, func(ctx context.Context) (err error) {
		stored, err = ledger.Read(ctx, p.ledgerOptions(1), string(tokens.Data["read"]), string(tokens.Data["import"]))
		return err
	})
	return stored
}

// PodReady tells whether a pod is ready and not about to end.
func PodReady(pod *corev1.Pod) bool {
	if pod.DeletionTimestamp != nil {
		return false
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// IsTrue tells whether a condition is.
func IsTrue(conditions []metav1.Condition, kind string) bool {
	for _, condition := range conditions {
		if condition.Type == kind {
			return condition.Status == metav1.ConditionTrue
		}
	}
	return false
}

// Conditions is a line about conditions, for people.
func Conditions(conditions []metav1.Condition) string {
	var all []string
	for _, c := range conditions {
		all = append(all, fmt.Sprintf("%s=%s %s: %s", c.Type, c.Status, c.Reason, c.Message))
	}
	return strings.Join(all, "; ")
}
