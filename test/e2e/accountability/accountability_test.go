//go:build linux && e2e

// Package accountability follows a guest's bad night on a real node, from the answer to the call: the aggregated API with the
// rights of who asks, messages to a team's own server, and an operator that is killed between sending one and knowing it.
package accountability

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	feedback "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/hack/node"
	"github.com/cx-operator/cx-operator/test/e2e/cluster"
)

const (
	namespace = "hotel"
	patience  = 2 * time.Minute
	// serves is the label of the operator's pod that serves the feedback API, the leader's.
	serves = "cx-operator.io/serves-feedback"
)

type suite struct {
	*cluster.Cluster
	hotel  *cluster.Program
	hook   *receiver
	tokens map[string]string // of people, by name
}

func TestFromABadNightToTheCall(t *testing.T) {
	s := start(t)
	s.testBreach(t)

	s.awaitCases(t, 0)

	caught := s.hook.hold()
	s.answer(t, "7d444840-9dc0-4ad1-b245-5ffdce74fad2", "Ana@example.org")
	lost := s.killBetween(t, caught)
	began := time.Now()
	s.answer(t, "7d444840-9dc0-4ad1-b245-5ffdce74fad3", "ben@example.org") // by an endpoint that needs no operator
	cases := s.awaitCases(t, 2)
	ana, ben := cases[0], cases[1]
	if !lost.tells(opened(ana)) {
		ana, ben = ben, ana
	}
	t.Logf("kubectl lists the cases again %s after the operator was killed", time.Since(began).Round(time.Second))

	s.testRights(t, ana.Name)
	s.testDelivered(t, lost, ana, ben)
	t.Logf("both messages were there %s after it", time.Since(began).Round(time.Second))
	s.testContacted(t, ana)
	s.testErased(t, ana.Name, ben.Name)
	s.expectOnce(t, lost.id)
	s.expectPrivate(t)
}

// start installs the operator and the plugin, and has a hotel ask its guests.
func start(t *testing.T) *suite {
	t.Helper()
	s := &suite{Cluster: cluster.Start(t), tokens: map[string]string{}}
	t.Cleanup(func() {
		if t.Failed() {
			s.explain(t)
		}
	})
	s.hook = newReceiver(t)
	s.Install(t, s.Image, "notifications.allowTargets={"+node.HostAddress+"}")
	s.Run(t, "make", "plugin")
	t.Setenv("PATH", filepath.Join(cluster.Root(), "bin")+string(os.PathListSeparator)+os.Getenv("PATH"))

	text, err := os.ReadFile(filepath.Join("testdata", "hotel.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "hotel.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "RECEIVER", s.hook.url)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Kubectl(t, "apply", "--server-side", "-f", file)
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "care-hook"}, StringData: map[string]string{"secret": s.hook.secret}}
	if err := s.Client.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{"auditor", "agent", "privacy", "stranger"} {
		s.tokens[person] = strings.TrimSpace(s.Kubectl(t, "-n", namespace, "create", "token", person))
	}
	s.hotel = &cluster.Program{Cluster: s.Cluster, Key: types.NamespacedName{Namespace: namespace, Name: "stay"}, Touchpoint: "room", Question: "room"}
	s.hotel.AwaitServed(t, 1)
	cluster.Await(t, "the page to ask for an address", patience, func(ctx context.Context) error {
		page, err := s.hotel.Page(ctx)
		if err == nil && !strings.Contains(page, `name="_contact"`) {
			err = errors.New("it does not")
		}
		return err
	})
	return s
}

// explain logs what says why something failed.
func (s *suite) explain(t *testing.T) {
	counts, faults := s.hook.arrivals()
	t.Logf("messages %v, faults %q", counts, faults)
	for _, args := range [][]string{
		{"get", "apiservice", "v1alpha1.feedback.cx-operator.io", "-o", "yaml"},
		{"get", "pods", "-A", "-o", "wide", "--show-labels"},
		{"-n", namespace, "get", "surveyprograms,touchpoints,accountabilitypolicies,teams,events", "-o", "yaml"},
	} {
		cmd := s.Command(context.Background(), s.Node.Kubectl(), args...) // the test's own context is done
		out, _ := cmd.CombinedOutput()
		t.Logf("%s\n%s", strings.Join(args, " "), out)
	}
}

// as runs kubectl as one of the people, and returns what it prints.
func (s *suite) as(t *testing.T, person string, args ...string) (string, error) {
	t.Helper()
	token, ok := s.tokens[person]
	if !ok {
		t.Fatalf("nobody is called %s", person)
	}
	args = append(args, "-n", namespace, "--token", token, "--request-timeout", "10s")
	out, err := s.Command(t.Context(), s.Node.Kubectl(), args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return string(out), err
}

// may has somebody do what they may, and sees that it prints all of wanted.
func (s *suite) may(t *testing.T, person string, args []string, wanted ...string) {
	t.Helper()
	out, err := s.as(t, person, args...)
	if err != nil {
		t.Errorf("%s, kubectl %s: %v", person, strings.Join(args, " "), err)
		return
	}
	for _, want := range wanted {
		if !strings.Contains(out, want) {
			t.Errorf("%s, kubectl %s prints no %q:\n%s", person, strings.Join(args, " "), want, out)
		}
	}
}

// mayNot has somebody try what is refused with a reason.
func (s *suite) mayNot(t *testing.T, person, reason string, args ...string) {
	t.Helper()
	out, err := s.as(t, person, args...)
	if err == nil || !strings.Contains(err.Error(), reason) || strings.Contains(out, "@example.org") {
		t.Errorf("%s, kubectl %s: %v %s, want %s", person, strings.Join(args, " "), err, out, reason)
	}
}

// testBreach sees that what needs attention is shown and told: the program has no sponsor.
func (s *suite) testBreach(t *testing.T) {
	cluster.Await(t, "the message about a breach", patience, func(context.Context) error {
		if len(s.hook.ids(func(i item) bool { return i.Breach == "SponsorMissing" && i.Transition == "Opened" })) == 0 {
			return errors.New("there is none")
		}
		return nil
	})
	s.may(t, "auditor", []string{"cx", "status"}, "SponsorMissing", "surveyprogram/stay", "care")
	s.mayNot(t, "stranger", "orbidden", "cx", "status")
}

// answer gives a low score with an address and consent.
func (s *suite) answer(t *testing.T, id, address string) {
	t.Helper()
	body := fmt.Sprintf(`{"id":%q,"touchpoint":"room","answers":{"room":1},"contact":{"address":%q,"consent":true}}`, id, address)
	url := s.hotel.Address + "/api/v1/namespaces/" + namespace + "/programs/stay/responses"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		t.Fatalf("answering: %s", response.Status)
	}
}

// awaitCases waits until kubectl lists so many cases, in the order in which they are promised.
func (s *suite) awaitCases(t *testing.T, count int) []feedback.Case {
	t.Helper()
	var list feedback.CaseList
	cluster.Await(t, fmt.Sprintf("kubectl to list %d cases", count), patience, func(context.Context) error {
		out, err := s.as(t, "auditor", "get", "cases", "-o", "json")
		if err != nil {
			return err
		}
		list = feedback.CaseList{}
		if err := json.Unmarshal([]byte(out), &list); err != nil {
			return err
		}
		if len(list.Items) != count {
			return fmt.Errorf("there are %d", len(list.Items))
		}
		return nil
	})
	return list.Items
}

// testRights sees who may read what of a case.
func (s *suite) testRights(t *testing.T, name string) {
	contact := "/apis/feedback.cx-operator.io/v1alpha1/namespaces/" + namespace + "/cases/" + name + "/contact"
	s.may(t, "auditor", []string{"get", "cases"}, name, "Open", "care")
	s.may(t, "auditor", []string{"cx", "case", "show", name}, "LowScore", "room")
	s.mayNot(t, "auditor", "orbidden", "get", "--raw", contact)
	s.mayNot(t, "auditor", "orbidden", "cx", "case", "show", name, "--contact")
	s.mayNot(t, "auditor", "orbidden", "cx", "case", "contact", name, "--note", "Called")
	s.mayNot(t, "auditor", "orbidden", "cx", "case", "erase", name)
	s.may(t, "agent", []string{"get", "--raw", contact}, `"address":"Ana@example.org"`)
	s.may(t, "agent", []string{"cx", "case", "show", name, "--contact"}, "Ana@example.org")
	s.mayNot(t, "agent", "orbidden", "cx", "case", "erase", name)
	s.mayNot(t, "privacy", "orbidden", "get", "case", name)
	s.mayNot(t, "stranger", "orbidden", "get", "cases")
}

// leader returns the operator's pod that serves the feedback API.
func (s *suite) leader(t *testing.T) corev1.Pod {
	t.Helper()
	var leader corev1.Pod
	cluster.Await(t, "one pod of the operator to serve the feedback API", patience, func(context.Context) error {
		var found []corev1.Pod
		for _, pod := range s.OperatorPods(t) {
			if pod.Labels[serves] == "true" && cluster.PodReady(&pod) {
				found = append(found, pod)
			}
		}
		if len(found) != 1 {
			return fmt.Errorf("there are %d", len(found))
		}
		leader = found[0]
		return nil
	})
	return leader
}

// killBetween kills the operator when the receiver has got a message, and the operator does not know it yet. It returns the
// message.
func (s *suite) killBetween(t *testing.T, caught <-chan message) message {
	t.Helper()
	leader := s.leader(t)
	select {
	case m := <-caught:
		if err := s.Signal(leader.Status.ContainerStatuses[0].ContainerID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		return m
	case <-time.After(patience):
		t.Fatal("no message about the case arrives")
	}
	return message{}
}

// opened is the opening of a case.
func opened(c feedback.Case) func(item) bool {
	want := item{Class: "Case", Transition: "Opened", Namespace: namespace, Touchpoint: "room", Case: string(c.UID)}
	return func(i item) bool { return i == want }
}

// testDelivered waits for the messages about both cases.
func (s *suite) testDelivered(t *testing.T, lost message, ana, ben feedback.Case) {
	cluster.Await(t, "the messages about both cases", patience, func(context.Context) error {
		first, second := s.hook.ids(opened(ana)), s.hook.ids(opened(ben))
		if len(first) < 2 || len(second) < 1 {
			return fmt.Errorf("messages of the first: %q, of the second: %q", first, second)
		}
		return nil
	})
	for _, id := range s.hook.ids(opened(ana)) {
		if id != lost.id {
			t.Errorf("the message %s came again as %s", lost.id, id)
		}
	}
}

// testContacted has the agent keep the promise, and somebody else overwrite that from what they read before.
func (s *suite) testContacted(t *testing.T, before feedback.Case) {
	s.may(t, "agent", []string{"cx", "case", "contact", before.Name, "--note", "Called, another room is ready"}, before.Name+" is Contacted")
	s.may(t, "auditor", []string{"cx", "case", "show", before.Name}, "Called, another room is ready", "system:serviceaccount:hotel:agent", "kept")

	before.Spec.State = feedback.CaseResolved
	before.TypeMeta = metav1.TypeMeta{APIVersion: feedback.GroupVersion.String(), Kind: "Case"}
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "case.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s.mayNot(t, "agent", "Conflict", "replace", "-f", file)
	// Both are open until they are resolved, but one promise was kept.
	cluster.Await(t, "the kept promise to be counted", patience, func(ctx context.Context) error {
		var touchpoint v1alpha1.Touchpoint
		if err := s.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "room"}, &touchpoint); err != nil {
			return err
		}
		if c := touchpoint.Status.Cases; c == nil || c.Open != 2 || c.Kept != 1 || c.Due != 1 || c.Overdue != 0 {
			return fmt.Errorf("the figures are %+v", c)
		}
		return nil
	})
}

// testErased has the contacts erased, one by its case and one by the address itself.
func (s *suite) testErased(t *testing.T, first, second string) {
	const erased = "the contact was erased from 1 cases"
	s.may(t, "privacy", []string{"cx", "case", "erase", first}, erased)
	s.may(t, "privacy", []string{"cx", "case", "erase", "--program", "stay", "--contact", "Ben@example.org"}, erased)
	for _, name := range []string{first, second} {
		s.mayNot(t, "agent", "was erased", "cx", "case", "show", name, "--contact")
	}
	s.may(t, "auditor", []string{"cx", "case", "show", first}, "Contact erased", "Contacted")
}

// expectOnce sees that every message arrived once and in order, but for the one that the operator was killed over.
func (s *suite) expectOnce(t *testing.T, twice string) {
	t.Helper()
	counts, faults := s.hook.arrivals()
	if len(faults) > 0 {
		t.Errorf("messages that cannot be believed: %q", faults)
	}
	for id, count := range counts {
		want := 1
		if id == twice {
			want = 2
		}
		if count != want {
			t.Errorf("the message %s came %d times, want %d", id, count, want)
		}
	}
}

// expectPrivate sees that no address stands in what the cluster shows of the operator's work, nor in any log.
func (s *suite) expectPrivate(t *testing.T) {
	t.Helper()
	shown := s.Kubectl(t, "get", "--all-namespaces", "-o", "yaml",
		"surveyprograms,touchpoints,actionplans,teams,responsestores,accountabilitypolicies,reviews,events,configmaps,pods")
	if strings.Contains(shown, "example.org") || !strings.Contains(shown, "SponsorMissing") {
		t.Errorf("what the cluster shows:\n%s", shown)
	}
	logs := os.DirFS(filepath.Join(filepath.Dir(s.Kubeconfig()), "logs"))
	written := 0
	err := fs.WalkDir(logs, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := fs.ReadFile(logs, path)
		if strings.Contains(string(text), "example.org") {
			t.Errorf("%s has a guest's address", path)
		}
		if strings.Contains(path, "_cx-operator-") && len(text) > 0 {
			written++
		}
		return err
	})
	if err != nil || written < 2 {
		t.Errorf("logs of the operator: %d, %v, want those of two pods", written, err)
	}
}
