//go:build linux && e2e

// Package smoke installs the operator as a user would, by 'make deploy', on a real node, and sees it do its main job.
package smoke

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
)

const (
	system    = "cx-operator-system"
	pod       = "cx-operator-0"
	responses = "/api/v1/namespaces/sfo/programs/passenger-experience/responses"
	limit     = 2 * time.Minute
)

type installation struct {
	*cluster.Cluster
	survey, metrics string // base addresses of the Service
}

func TestOperatorOnARealNode(t *testing.T) {
	in := &installation{Cluster: cluster.Start(t)}
	began := time.Now()
	in.deploy(t)
	t.Logf("Ready %s after make deploy", time.Since(began).Round(100*time.Millisecond))

	in.checkNamespaceIsRestricted(t)
	in.Kubectl(t, "apply", "--server-side", "-k", "config/samples")
	in.awaitProgram(t)
	in.awaitPage(t)
	sent := in.answer(t, 12)
	in.checkStored(t, sent)
	in.checkStatus(t, len(sent))
	in.checkMetrics(t)

	in.Kubectl(t, "-n", system, "delete", "pod", pod, "--wait")
	in.awaitReady(t)
	in.checkStored(t, sent) // the volume outlives the pod
	sent = append(sent, in.answer(t, 1)...)
	in.checkStored(t, sent)

	in.recoverFromAWrongImage(t)
	in.checkStored(t, sent)

	in.Run(t, "make", "undeploy", "KUBECTL="+in.Node.Kubectl())
	in.checkUninstalled(t)
}

// deploy installs by the Makefile, as the README says.
func (in *installation) deploy(t *testing.T) {
	t.Helper()
	in.Run(t, "make", "deploy", "IMG="+in.Image, "KUBECTL="+in.Node.Kubectl())
	var service corev1.Service
	if err := in.Client.Get(t.Context(), client.ObjectKey{Namespace: system, Name: "cx-operator"}, &service); err != nil {
		t.Fatal(err)
	}
	in.survey = "http://" + service.Spec.ClusterIP + ":8080"
	in.metrics = "https://" + service.Spec.ClusterIP + ":8443/metrics"
	in.awaitReady(t)
}

// awaitReady waits for a pod that is Ready with the image under test and not about to end, and until the Service leads to
// it: the node learns of the pod's new address a moment later.
func (in *installation) awaitReady(t *testing.T) {
	t.Helper()
	defer func() {
		if t.Failed() {
			t.Log(in.Kubectl(t, "-n", system, "describe", "pods"))
			t.Log(in.Kubectl(t, "-n", system, "logs", pod, "--tail=30"))
		}
	}()
	cluster.Await(t, "the operator's pod to be Ready", limit, func(ctx context.Context) error {
		var got corev1.Pod
		if err := in.Client.Get(ctx, client.ObjectKey{Namespace: system, Name: pod}, &got); err != nil {
			return err
		}
		if got.DeletionTimestamp != nil || got.Spec.Containers[0].Image != in.Image {
			return fmt.Errorf("the pod is the former one, with %s", got.Spec.Containers[0].Image)
		}
		for _, condition := range got.Status.Conditions {
			if condition.Type == corev1.PodReady && condition.Status == corev1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("the pod is %s: %+v", got.Status.Phase, got.Status.ContainerStatuses)
	})
	cluster.Await(t, "the Service to lead to the pod", limit, func(context.Context) error {
		if code, said := in.call(t, http.MethodGet, in.survey+"/", "", ""); code == 0 {
			return errors.New(said)
		}
		return nil
	})
}

// checkNamespaceIsRestricted proves that the standard which the operator's pod has passed is enforced at all.
func (in *installation) checkNamespaceIsRestricted(t *testing.T) {
	t.Helper()
	loose := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: system, Name: "loose"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: in.Image}}},
	}
	err := in.Client.Create(t.Context(), loose)
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), `violates PodSecurity "restricted`) {
		t.Errorf("a pod that may run as root: error = %v, want that it violates the restricted standard", err)
	}
}

func (in *installation) awaitProgram(t *testing.T) {
	t.Helper()
	cluster.Await(t, "the airport's program to be Ready", limit, func(ctx context.Context) error {
		var program v1alpha1.SurveyProgram
		if err := in.Client.Get(ctx, client.ObjectKey{Namespace: "sfo", Name: "passenger-experience"}, &program); err != nil {
			return err
		}
		for _, condition := range program.Status.Conditions {
			if condition.Type == "Ready" && condition.Status == metav1.ConditionTrue {
				return nil
			}
		}
		return fmt.Errorf("conditions: %+v", program.Status.Conditions)
	})
}

// awaitPage waits for the touchpoint's page: the program may have been compiled before the touchpoint was there.
func (in *installation) awaitPage(t *testing.T) {
	t.Helper()
	cluster.Await(t, "the page about the Wi-Fi", limit, func(context.Context) error {
		code, page := in.call(t, http.MethodGet, in.survey+"/s/sfo/passenger-experience/wifi?lang=en", "", "")
		if code != http.StatusOK || !strings.Contains(page, "Free Wi-Fi") {
			return fmt.Errorf("%d, %.200s", code, page)
		}
		return nil
	})
}

// answer sends answers about the Wi-Fi and returns their ids. Each is sent twice, as by a client that did not hear the first
// acknowledgement.
func (in *installation) answer(t *testing.T, n int) []string {
	t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = uuid.NewString()
		body := fmt.Sprintf(`{"id":%q,"touchpoint":"wifi","language":"en","answers":{"wifi":%d}}`, ids[i], 1+i%5)
		for _, want := range []int{http.StatusCreated, http.StatusOK} {
			if code, said := in.call(t, http.MethodPost, in.survey+responses, body, ""); code != want {
				t.Fatalf("answer %d: %d, want %d\n%s", i, code, want, said)
			}
		}
	}
	return ids
}

// checkStored exports the answers: those that were sent, each once.
func (in *installation) checkStored(t *testing.T, sent []string) {
	t.Helper()
	var tokens corev1.Secret
	if err := in.Client.Get(t.Context(), client.ObjectKey{Namespace: "sfo", Name: "passenger-experience-tokens"}, &tokens); err != nil {
		t.Fatal(err)
	}
	code, export := in.call(t, http.MethodGet, in.survey+responses+"?format=ndjson", "", string(tokens.Data["read"]))
	if code != http.StatusOK {
		t.Fatalf("export: %d %s", code, export)
	}
	stored := map[string]int{}
	lines := json.NewDecoder(strings.NewReader(export))
	for {
		var line struct{ ID string }
		err := lines.Decode(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		stored[line.ID]++
	}
	if len(stored) != len(sent) {
		t.Errorf("%d answers are stored, %d were sent", len(stored), len(sent))
	}
	for _, id := range sent {
		if stored[id] != 1 {
			t.Errorf("answer %s is stored %d times", id, stored[id])
		}
	}
}

// checkStatus waits until the touchpoint tells of the answers.
func (in *installation) checkStatus(t *testing.T, want int) {
	t.Helper()
	cluster.Await(t, "the touchpoint's status to count the answers", limit, func(ctx context.Context) error {
		var touchpoint v1alpha1.Touchpoint
		if err := in.Client.Get(ctx, client.ObjectKey{Namespace: "sfo", Name: "wifi"}, &touchpoint); err != nil {
			return err
		}
		for _, objective := range touchpoint.Status.Objectives {
			// Guarded: published figures move by five answers at least.
			if int(objective.Responses) >= want-5 && int(objective.Responses) <= want {
				return nil
			}
		}
		return fmt.Errorf("%d answers, objectives: %+v", want, touchpoint.Status.Objectives)
	})
}

// checkMetrics reads them as Prometheus would: with the token of a ServiceAccount that may, and not without.
func (in *installation) checkMetrics(t *testing.T) {
	t.Helper()
	if code, _ := in.call(t, http.MethodGet, in.metrics, "", ""); code != http.StatusUnauthorized {
		t.Errorf("metrics without a token: %d, want 401", code)
	}
	in.Kubectl(t, "-n", "default", "create", "serviceaccount", "prometheus")
	token := strings.TrimSpace(in.Kubectl(t, "-n", "default", "create", "token", "prometheus"))
	if code, _ := in.call(t, http.MethodGet, in.metrics, "", token); code != http.StatusForbidden {
		t.Errorf("metrics without the right: %d, want 403", code)
	}
	in.Kubectl(t, "create", "clusterrolebinding", "prometheus", "--clusterrole=cx-operator-metrics-reader", "--serviceaccount=default:prometheus")
	cluster.Await(t, "metrics that show the answers", limit, func(context.Context) error {
		code, metrics := in.call(t, http.MethodGet, in.metrics, "", token)
		const want = `cx_responses_accepted_total{namespace="sfo",program="passenger-experience"} 12`
		if code != http.StatusOK || !strings.Contains(metrics, want) {
			return fmt.Errorf("%d, without %s", code, want)
		}
		return nil
	})
}

// recoverFromAWrongImage deploys an image that is nowhere, then the right one. Nobody has to delete a pod.
func (in *installation) recoverFromAWrongImage(t *testing.T) {
	t.Helper()
	in.Run(t, "make", "deploy", "IMG=cx-operator:nowhere", "KUBECTL="+in.Node.Kubectl())
	cluster.Await(t, "the wrong image to fail", limit, func(ctx context.Context) error {
		var got corev1.Pod
		if err := in.Client.Get(ctx, client.ObjectKey{Namespace: system, Name: pod}, &got); err != nil {
			return err
		}
		for _, status := range got.Status.ContainerStatuses {
			if waiting := status.State.Waiting; waiting != nil && (waiting.Reason == "ErrImagePull" || waiting.Reason == "ImagePullBackOff") {
				return nil
			}
		}
		return fmt.Errorf("containers: %+v", got.Status.ContainerStatuses)
	})
	in.deploy(t)
}

// checkUninstalled sees that nothing of it is left, and that no finalizer holds anything.
func (in *installation) checkUninstalled(t *testing.T) {
	t.Helper()
	cluster.Await(t, "the operator to be gone", limit, func(ctx context.Context) error {
		left := in.Kubectl(t, "get", "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings", "-o", "name")
		for line := range strings.Lines(left) {
			if strings.Contains(line, "cx-operator") {
				return fmt.Errorf("%s is left", strings.TrimSpace(line))
			}
		}
		return ctx.Err()
	})
}

// call makes a request and returns the status and body. 0 stands for no answer at all, with what went wrong.
func (in *installation) call(t *testing.T, method, address, body, token string) (status int, content string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	// The metrics' certificate is signed by itself unless one is given, which is not the subject here.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	httpClient := &http.Client{Transport: transport, Timeout: 10 * time.Second}
	response, err := httpClient.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(read)
}
