package notifier

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// A breach is told to its owner once, and a steady state writes nothing.
func TestTellsOnce(t *testing.T) {
	w := newWorld(t)
	w.touchpoint("gate", "retail")
	w.happens("gate", planMissing)
	if after := w.pass(); after <= 0 || after > notify.Gather || len(w.receiver.taken()) > 0 {
		t.Errorf("before the notices are gathered: next in %v", after)
	}
	w.runs(time.Minute)
	got := w.receiver.taken()
	if len(got) != 1 || got[0].kind != "io.cx-operator.breach.opened" || got[0].data.Name != "gate" || got[0].data.Use != v1alpha1.CoachingText ||
		!strings.HasSuffix(got[0].id, "_retail_hook") {
		t.Fatalf("%+v", got)
	}
	if d := w.delivery("gate"); d.State != v1alpha1.DeliveryDelivered || d.Channel != "retail/hook" || d.Attempts != 1 || d.Problem != "" {
		t.Errorf("%+v", d)
	}
	version := w.get("gate").ResourceVersion
	w.lead()
	w.runs(24 * time.Hour)
	if len(w.receiver.taken()) > 0 || w.get("gate").ResourceVersion != version {
		t.Error("a new leader sends or writes again")
	}
	w.happens("gate", notify.Transition{Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeClosed, Breach: v1alpha1.BreachPlanMissing, Objective: "easy", Reason: "Recovered"})
	w.runs(time.Minute)
	if got := w.receiver.taken(); len(got) != 1 || got[0].kind != "io.cx-operator.breach.closed" {
		t.Errorf("%+v", got)
	}
}

// Who ends, by kill -9, between what was sent and what is written sends the same again: with the same id, and nothing is lost.
func TestKilledBetweenSendAndWrite(t *testing.T) {
	for name, notices := range map[string]int{"one": 1, "a digest": 6} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			for i := range notices {
				w.touchpoint(fmt.Sprint("gate", i), "retail")
				w.happens(fmt.Sprint("gate", i), planMissing)
			}
			w.advance(time.Minute)
			cmd := w.child()
			started := make(chan struct{}) // the process can be killed from here on
			w.receiver.answers(func(http.ResponseWriter, message) {
				<-started
				_ = cmd.Process.Kill()
			})
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			if err := cmd.Wait(); err == nil {
				t.Fatal("the process was not killed")
			}
			first := w.receiver.taken()
			if d := w.delivery("gate0"); len(first) != 1 || d.State != v1alpha1.DeliveryPending || d.Attempts != 0 || d.Message == "" {
				t.Fatalf("%+v, %+v", first, d)
			}
			w.receiver.answers(nil)
			// What comes up meanwhile does not join the message that was sent already.
			w.touchpoint("later", "retail")
			w.happens("later", planMissing)
			if out, err := w.child().CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if diff := cmp.Diff(first, w.receiver.taken(), cmp.AllowUnexported(message{})); diff != "" {
				t.Errorf("again:\n%s", diff)
			}
			w.runs(time.Minute)
			if rest := w.receiver.taken(); len(rest) != 1 || rest[0].data.Name != "later" {
				t.Errorf("then: %+v", rest)
			}
			for i := range notices {
				if d := w.delivery(fmt.Sprint("gate", i)); d.State != v1alpha1.DeliveryDelivered {
					t.Errorf("%+v", d)
				}
			}
		})
	}
}

// child is a process of its own that makes one pass at the world's time.
func (w *world) child() *exec.Cmd {
	w.t.Helper()
	dir := w.t.TempDir()
	kubeconfig, roots := filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "roots.pem")
	for path, content := range map[string][]byte{kubeconfig: testenv.KubeConfig(w.t), roots: w.receiver.roots()} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(w.t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childNamespace+"="+w.ns, childKubeconfig+"="+kubeconfig, childRoots+"="+roots,
		childTime+"="+w.clock().Format(time.RFC3339))
	return cmd
}

// A write that fails after the message was taken is made good by the next pass, without sending again; one that meets a
// conflict reads again and keeps what the other wrote.
func TestWritesFail(t *testing.T) {
	w := newWorld(t)
	w.touchpoint("gate", "retail")
	w.happens("gate", planMissing)
	w.advance(time.Minute)
	base, ok := w.r.Client.(client.WithWatch)
	if !ok {
		var err error
		if base, err = client.NewWithWatch(w.cfg, client.Options{Scheme: w.c.Scheme()}); err != nil {
			t.Fatal(err)
		}
	}
	writes := 0
	w.r.Client = interceptor.NewClient(base, interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			if writes++; writes == 2 {
				return apierrors.NewInternalError(fmt.Errorf("the server has no time"))
			}
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	})
	after := w.pass()
	if got := w.receiver.taken(); len(got) != 1 || w.delivery("gate").State != v1alpha1.DeliveryPending || after <= 0 || after > 2*time.Second {
		t.Fatalf("%+v %+v, next in %v", got, w.delivery("gate"), after)
	}
	w.runs(time.Minute)
	if got := w.receiver.taken(); len(got) != 0 || w.delivery("gate").State != v1alpha1.DeliveryDelivered {
		t.Fatalf("the next pass: %+v %+v", got, w.delivery("gate"))
	}

	// While a message is under way, the touchpoint's own controller writes its status.
	w.happens("gate", notify.Transition{Class: v1alpha1.NoticeRecognition, Transition: v1alpha1.NoticeMet, Objective: "easy"})
	w.receiver.answers(func(http.ResponseWriter, message) {
		w.happens("gate", notify.Transition{Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeOpened, Breach: v1alpha1.BreachUnmeasured})
		w.receiver.answers(nil)
	})
	w.runs(2 * time.Minute)
	if got := w.receiver.taken(); len(got) != 2 || got[0].data.Class != "Recognition" || got[1].data.Breach != "Unmeasured" {
		t.Errorf("%+v", got)
	}
	for _, n := range w.get("gate").Status.Outbox {
		if notify.StateOf(&n) != v1alpha1.DeliveryDelivered {
			t.Errorf("%+v", n)
		}
	}
}

// A receiver that is down for more than a day: ten attempts, an event, a series, and a replay that sends the same message.
func TestDeadAndReplayed(t *testing.T) {
	w := newWorld(t)
	w.touchpoint("gate", "retail")
	w.receiver.answers(func(rw http.ResponseWriter, _ message) { rw.WriteHeader(http.StatusServiceUnavailable) })
	w.happens("gate", planMissing)
	w.runs(36 * time.Hour)
	attempts := w.receiver.taken()
	d := w.delivery("gate")
	if len(attempts) != notify.MaxAttempts || d.State != v1alpha1.DeliveryDead || !strings.Contains(d.Problem, "503") {
		t.Fatalf("%d attempts, %+v", len(attempts), d)
	}
	for _, a := range attempts {
		if a.id != attempts[0].id {
			t.Errorf("%s after %s", a.id, attempts[0].id)
		}
	}
	select {
	case e := <-w.events.Events:
		if !strings.Contains(e, v1alpha1.ReasonNotificationDead) || !strings.Contains(e, "retail/hook") {
			t.Errorf("%q", e)
		}
	default:
		t.Error("no event")
	}
	p, err := w.r.begin(t.Context(), w.ns, w.r.space(w.ns), w.clock())
	if err != nil {
		t.Fatal(err)
	}
	if s := p.series(); len(s) != 1 || s[0].Dead != 1 || s[0].Pending != 0 || s[0].Team != "retail" || s[0].Name != "gate" {
		t.Errorf("%+v", s)
	}
	w.receiver.answers(nil)
	w.lead()
	w.runs(time.Hour)
	if got := w.receiver.taken(); len(got) > 0 {
		t.Fatalf("nobody asked for a replay: %+v", got)
	}
	team := &v1alpha1.Team{}
	if err := w.c.Get(t.Context(), client.ObjectKey{Namespace: w.ns, Name: "retail"}, team); err != nil {
		t.Fatal(err)
	}
	team.Annotations = map[string]string{v1alpha1.AnnotationReplay: w.clock().Add(time.Hour).Format(time.RFC3339)}
	if err := w.c.Update(t.Context(), team); err != nil {
		t.Fatal(err)
	}
	w.runs(30 * time.Minute)
	if got := w.receiver.taken(); len(got) > 0 {
		t.Fatalf("before the time of the replay: %+v", got)
	}
	w.runs(time.Hour)
	if got := w.receiver.taken(); len(got) != 1 || got[0].id != attempts[0].id || w.delivery("gate").State != v1alpha1.DeliveryDelivered {
		t.Errorf("%+v", got)
	}
	w.lead()
	w.runs(time.Hour)
	if got := w.receiver.taken(); len(got) > 0 {
		t.Errorf("replayed again: %+v", got)
	}
}

// 429 with Retry-After is waited for; 410 is dead at once; a channel that was removed is dead.
func TestReceiverSays(t *testing.T) {
	w := newWorld(t)
	w.touchpoint("gate", "retail")
	busy := true
	w.receiver.answers(func(rw http.ResponseWriter, _ message) {
		if busy {
			rw.Header().Set("Retry-After", "3600")
			rw.WriteHeader(http.StatusTooManyRequests)
			busy = false
		}
	})
	w.happens("gate", planMissing)
	w.runs(55 * time.Minute)
	if got := w.receiver.taken(); len(got) != 1 {
		t.Fatalf("%+v", got)
	}
	w.runs(10 * time.Minute)
	if got := w.receiver.taken(); len(got) != 1 || w.delivery("gate").State != v1alpha1.DeliveryDelivered || w.delivery("gate").Attempts != 2 {
		t.Fatalf("%+v %+v", got, w.delivery("gate"))
	}
	w.receiver.answers(func(rw http.ResponseWriter, _ message) { rw.WriteHeader(http.StatusGone) })
	w.happens("gate", notify.Transition{Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeOpened, Breach: v1alpha1.BreachUnmeasured})
	w.runs(time.Hour)
	if got := w.receiver.taken(); len(got) != 1 || w.delivery("gate").State != v1alpha1.DeliveryDead {
		t.Fatalf("%+v %+v", got, w.delivery("gate"))
	}
	w.receiver.answers(func(rw http.ResponseWriter, _ message) { rw.WriteHeader(http.StatusServiceUnavailable) })
	w.happens("gate", notify.Transition{Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeOpened, Breach: v1alpha1.BreachOwnerMissing})
	w.runs(20 * time.Second)
	w.apply(`
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: retail}
spec: {displayName: Retail, level: Department, notify: {channels: [{name: other, webhook: {url: "https://other.example"}}]}}
`)
	w.runs(time.Minute)
	if d := w.delivery("gate"); d.State != v1alpha1.DeliveryDead || !strings.Contains(d.Problem, "no such channel") {
		t.Errorf("%+v", d)
	}
}

// A storm of 500 breaches is one digest, and every one of them is marked.
func TestStorm(t *testing.T) {
	w := newWorld(t)
	const storm = 500
	for i := range storm {
		name := fmt.Sprint("gate-", i)
		w.touchpoint(name, "retail")
		w.happens(name, planMissing)
	}
	w.runs(5 * time.Minute)
	got := w.receiver.taken()
	if len(got) != 1 || got[0].kind != "io.cx-operator.digest" || got[0].data.Total != storm || len(got[0].data.Notices) != 50 {
		t.Fatalf("%d messages", len(got))
	}
	all := &v1alpha1.TouchpointList{}
	if err := w.c.List(t.Context(), all, client.InNamespace(w.ns)); err != nil {
		t.Fatal(err)
	}
	for i := range all.Items {
		n := &all.Items[i].Status.Outbox[0]
		if notify.StateOf(n) != v1alpha1.DeliveryDelivered || n.Deliveries[0].Message+"_retail_hook" != got[0].id {
			t.Fatalf("%s: %+v", all.Items[i].Name, n)
		}
	}
}
