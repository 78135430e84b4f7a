package controllers_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/store"
)

// another is missedVisits' program under another name, on the same store.
func another(name string) string {
	return strings.Replace(visits(crashProgram), "{name: visits}", "{name: "+name+"}", 1)
}

// A SQLite store is one endpoint's: others are refused with the reason, until it is free. What is served stays as it is.
func TestDedicatedStoreInUse(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	w.apply(asDedicated(parse(t, another("second")))...)
	w.apply(parse(t, another("third"))...)
	for _, name := range []string{"second", "third"} {
		p := becomes[*v1alpha1.SurveyProgram](w, name, "Ready", "False/StoreInUse", "Stalled", "True/StoreInUse")
		if p.Status.Endpoint != nil || p.Status.URL != "" {
			t.Errorf("%s is said to be served: %+v at %q", name, p.Status.Endpoint, p.Status.URL)
		}
	}
	gone[*appsv1.StatefulSet](w, "second-endpoint")
	before := get[*appsv1.StatefulSet](w, endpointName)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Replicas = ptr.To[int32](2) })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreInUse", "Stalled", "True/StoreInUse", "EndpointReady", "True/EndpointReady")
	w.settle()
	if now := get[*appsv1.StatefulSet](w, endpointName); now.Generation != before.Generation {
		t.Errorf("what runs was changed: %+v", now.Spec)
	}
	w.postAt("visits", answer("desk", "ease", 2))
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Replicas = nil })
	w.inService("visits")
	w.settle()
	w.noNews("second", "third")

	remove[*v1alpha1.SurveyProgram](w, "visits")
	w.inService("second") // which is older than the third
	becomes[*v1alpha1.SurveyProgram](w, "third", "Ready", "False/StoreInUse")
	w.eventually("an event tells where the answers are", func() error {
		want := "SurveyProgram/visits DataRetained: the PersistentVolumeClaim answers-answers keeps the answers"
		if seen := w.events(); seen[want] != 1 {
			return fmt.Errorf("events %v", seen)
		}
		return nil
	})
}

// noNews checks that programs are still refused.
func (w *world) noNews(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.expect(is(get[*v1alpha1.SurveyProgram](w, name), "Ready", "False/StoreInUse"))
	}
}

// More pods than one are not even started on SQLite.
func TestDedicatedReplicasOnSQLite(t *testing.T) {
	t.Parallel()
	w := newDedicatedWorld(t)
	w.start()
	w.apply(asDedicated(parse(t, missedVisits()), "autoscaling", map[string]any{"maxReplicas": int64(3)})...)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/StoreInUse", "Stalled", "True/StoreInUse", "EndpointReady", "False/StoreInUse")
	gone[*appsv1.StatefulSet](w, endpointName)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Autoscaling = nil })
	w.inService("visits")
}

// On PostgreSQL a program moves both ways, is served all the time, and keeps its verdict and its answers.
func TestModeSwitchOnPostgres(t *testing.T) {
	t.Parallel()
	w := newDedicatedWorld(t)
	w.connection("uri", startServer(t, "").DSN(nil))
	w.start()
	w.apply(onPostgres(parse(t, missedVisits()))...)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.eventually("the import", func() error { return w.tryImport("visits", repeated(40, "desk", "ease", 2)) })
	w.missed()
	before := get[*v1alpha1.Touchpoint](w, "desk").Status

	w.node.hold(endpointName, true)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Mode = v1alpha1.EndpointDedicated })
	program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointStarting", "EndpointReady", "False/EndpointStarting", "Reconciling", "True/Waiting")
	w.servedBy(program, v1alpha1.EndpointEmbedded, publicURL)
	w.settle()
	w.expectPage("desk", http.StatusOK)
	w.post("visits", answer("desk", "ease", 2))
	w.node.hold(endpointName, false)
	program = w.inService("visits")
	w.servedBy(program, v1alpha1.EndpointDedicated, "http://"+endpointName)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.settle()
	w.expectPage("desk", http.StatusNotFound)
	if w.op.endpoint.Serving(store.Key{Namespace: w.ns, Name: "answers"}) {
		t.Error("the operator has the store open still")
	}
	w.sameVerdict(before, 41, func(s submission) { w.postAt("visits", s) })

	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Mode = v1alpha1.EndpointEmbedded })
	program = becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.eventually("this process serves it", func() error {
		if program = get[*v1alpha1.SurveyProgram](w, "visits"); env.ServedBy(program) != v1alpha1.EndpointEmbedded {
			return fmt.Errorf("%+v", program.Status.Endpoint)
		}
		return nil
	})
	w.servedBy(program, v1alpha1.EndpointEmbedded, publicURL)
	gone[*appsv1.Deployment](w, endpointName)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.settle()
	w.sameVerdict(before, 42, func(s submission) { w.post("visits", s) })
	for _, event := range []string{"Touchpoint/desk ObjectiveMissed", "Touchpoint/desk PlanOpened"} {
		n := 0
		for seen, times := range w.events() {
			if strings.HasPrefix(seen, event) {
				n += times
			}
		}
		if n != 1 {
			t.Errorf("%q %d times", event, n)
		}
	}
}

// sameVerdict wants a verdict and its breaches to be as they were, and one more answer to be counted.
func (w *world) sameVerdict(before v1alpha1.TouchpointStatus, responses int64, post func(submission)) {
	w.t.Helper()
	check := func(want int64) func() error {
		return func() error {
			desk := get[*v1alpha1.Touchpoint](w, "desk")
			if diff := cmp.Diff(before.Breaches, desk.Status.Breaches); diff != "" {
				return fmt.Errorf("breaches (-before +now):\n%s", diff)
			}
			if o := desk.Status.Objectives[0]; o.State != before.Objectives[0].State || o.Responses != want {
				return fmt.Errorf("%s, want %d responses", figures(o), want)
			}
			return nil
		}
	}
	w.clock.Advance(env.FigureInterval)
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Annotations = map[string]string{"looked-at": time.Now().String()} })
	w.eventually("the verdict is the same", check(responses))
	w.settle()
	w.clock.Advance(env.FigureInterval)
	post(answer("desk", "ease", 2))
	w.eventually("one more answer counts", check(responses+1))
	w.settle()
	if state := w.series("cx_objective_state", "touchpoint", "state"); state["state=Missed,touchpoint=desk"] != 1 {
		w.t.Errorf("states %v", state)
	}
}

func (w *world) servedBy(p *v1alpha1.SurveyProgram, mode v1alpha1.EndpointMode, url string) {
	w.t.Helper()
	if p.Status.Endpoint == nil || p.Status.Endpoint.Mode != mode || !strings.HasPrefix(p.Status.URL, url) {
		w.t.Errorf("served by %+v at %q, want %s at %s", p.Status.Endpoint, p.Status.URL, mode, url)
	}
}

// embeddedOnSQLite starts a program in this process, and returns how its mode is changed.
func embeddedOnSQLite(t *testing.T) (*world, func(v1alpha1.EndpointMode)) {
	w := newDedicatedWorld(t)
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.settle()
	return w, func(mode v1alpha1.EndpointMode) {
		t.Helper()
		change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Mode = mode })
	}
}

// On SQLite a program without answers moves to a volume of its own, and not back: an answer could come while its pod ends.
func TestModeSwitchOnSQLite(t *testing.T) {
	t.Parallel()
	w, set := embeddedOnSQLite(t)
	set(v1alpha1.EndpointDedicated)
	w.servedBy(w.inService("visits"), v1alpha1.EndpointDedicated, "http://"+endpointName)
	set(v1alpha1.EndpointEmbedded)
	p := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/ModeChangeRefused", "Stalled", "True/ModeChangeRefused")
	w.servedBy(p, v1alpha1.EndpointDedicated, "http://"+endpointName)
	w.postAt("visits", answer("desk", "ease", 2))
	set(v1alpha1.EndpointDedicated)
	w.inService("visits")
}

// A program with answers in this process stays there, served as before.
func TestModeSwitchOffThisProcess(t *testing.T) {
	t.Parallel()
	w, set := embeddedOnSQLite(t)
	w.eventually("an answer is taken", func() error {
		if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusCreated {
			return fmt.Errorf("%d", status)
		}
		return nil
	})
	set(v1alpha1.EndpointDedicated)
	p := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/ModeChangeRefused", "Stalled", "True/ModeChangeRefused", "EndpointReady", "False/ModeChangeRefused")
	w.servedBy(p, v1alpha1.EndpointEmbedded, publicURL)
	w.settle()
	w.post("visits", answer("desk", "ease", 2))
	gone[*appsv1.StatefulSet](w, endpointName)
	set(v1alpha1.EndpointEmbedded)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
}

// A program with answers on its own volume stays there, served as before.
func TestModeSwitchOffAVolume(t *testing.T) {
	t.Parallel()
	w := startDedicated(t, "exposure", map[string]any{"hostname": "survey.test", "ingress": map[string]any{}})
	w.settle()
	w.clock.Advance(env.FigureInterval)
	w.postAt("visits", answer("desk", "ease", 2))
	w.eventually("the answer is counted", func() error {
		if o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]; o.Responses != 1 {
			return fmt.Errorf("%s", figures(o))
		}
		return nil
	})
	w.settle()
	generation := get[*appsv1.StatefulSet](w, endpointName).Generation
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint = v1alpha1.Endpoint{Mode: v1alpha1.EndpointEmbedded} })
	p := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/ModeChangeRefused", "Stalled", "True/ModeChangeRefused")
	w.servedBy(p, v1alpha1.EndpointDedicated, "https://survey.test/s/")
	w.settle()
	w.expectPage("desk", http.StatusNotFound)
	w.postAt("visits", answer("desk", "ease", 2))
	if now := get[*appsv1.StatefulSet](w, endpointName).Generation; now != generation {
		t.Error("what runs was changed")
	}
	w.restart()
	p = becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/ModeChangeRefused")
	w.servedBy(p, v1alpha1.EndpointDedicated, "https://survey.test/s/")
}

// A bad edit changes nothing that is served, not over a restart either, nor where somebody deletes the ConfigMap meanwhile.
func TestDedicatedBadEdit(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	w.settle()
	good := specOf(get[*corev1.ConfigMap](w, endpointName))
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.TimeZone = "Mars/Olympus" })
	for _, when := range []string{"after the edit", "after a restart"} {
		becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/InvalidSpec", "SurveyCompiled", "False/InvalidSpec", "EndpointReady", "True/EndpointReady")
		w.settle()
		if now := specOf(get[*corev1.ConfigMap](w, endpointName)); now != good {
			t.Errorf("%s the survey is %s", when, now)
		}
		w.postAt("visits", answer("desk", "ease", 2))
		w.expect(is(get[*v1alpha1.Touchpoint](w, "desk"), "Ready", "True/Reconciled"))
		if when == "after the edit" {
			w.restart()
		}
	}
	remove[*corev1.ConfigMap](w, endpointName)
	w.eventually("the last good survey is back", func() error {
		back := &corev1.ConfigMap{}
		if err := w.c.Get(t.Context(), w.key(endpointName), back); err != nil {
			return err
		}
		if specOf(back) != good {
			return fmt.Errorf("it is %v", back.Data)
		}
		return nil
	})
	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		p.Spec.TimeZone, p.Spec.Survey.Title = "Europe/Vienna", v1alpha1.LocalizedText{"en": "Your next visit"}
	})
	w.inService("visits")
	if _, text := w.callAt(w.node.survey("visits"), http.MethodGet, "/s/"+w.ns+"/visits", "", "", nil); !strings.Contains(text, "Your next visit") {
		t.Errorf("the page is %.300s", text)
	}
}

// While the endpoint is away the verdict becomes history, no other one is made up, and all of it recovers.
func TestDedicatedAway(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	w.importAt("visits", repeated(40, "desk", "ease", 2))
	w.missed()
	before := get[*v1alpha1.Touchpoint](w, "desk").Status
	events := w.events()
	w.node.pause(endpointName, true)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointStarting", "EndpointReady", "False/EndpointStarting")
	w.settle()
	if diff := cmp.Diff(before.Objectives, get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives); diff != "" {
		t.Errorf("within the time allowed the verdict moved (-before +now):\n%s", diff)
	}
	w.clock.Advance(staleAfter + time.Second)
	w.eventually("the verdict is history", func() error {
		if o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]; o.State != v1alpha1.StateStale {
			return fmt.Errorf("%s", figures(o))
		}
		if got := w.series("cx_endpoint_readable", "program"); got["program=visits"] != 0 || len(got) != 1 {
			return fmt.Errorf("readable %v", got)
		}
		return is(get[*v1alpha1.ResponseStore](w, "answers"), "Ready", "False/StoreUnavailable")
	})
	w.clock.Advance(10 * time.Minute)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointStarting")
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Annotations = map[string]string{"looked-at": "later"} })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/EndpointFailed", "Stalled", "True/EndpointFailed")
	if diff := cmp.Diff(before.Breaches, get[*v1alpha1.Touchpoint](w, "desk").Status.Breaches); diff != "" {
		t.Errorf("breaches (-before +now):\n%s", diff)
	}
	w.restart()
	w.settle()
	if o := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0]; o.State != v1alpha1.StateStale {
		t.Errorf("after a restart: %s", figures(o))
	}
	w.node.pause(endpointName, false)
	w.inService("visits")
	w.sameVerdict(before, 40, func(s submission) { w.postAt("visits", s) })
	if diff := cmp.Diff(events, w.events()); diff != "" {
		t.Errorf("events (-before +now):\n%s", diff)
	}
}

// A token that is changed is the one that the operator reads with, and one that is deleted is made anew.
func TestDedicatedTokens(t *testing.T) {
	t.Parallel()
	// It answers again and again until the counts are read.
	w := startDedicated(t, "rateLimit", map[string]any{"perMinute": int64(100_000), "burst": int64(100_000)})
	for name, edit := range map[string]func(){
		"changed": func() {
			change(w, "visits-tokens", func(s *corev1.Secret) { s.Data["internal"] = []byte("another-token") })
		},
		"deleted": func() { remove[*corev1.Secret](w, "visits-tokens") },
	} {
		before := responses(w)
		edit()
		w.eventually(name+": counts are read", func() error {
			w.clock.Advance(env.FigureInterval)
			w.postAt("visits", answer("desk", "ease", 2))
			if responses(w) <= before+1 {
				return fmt.Errorf("%d responses", responses(w))
			}
			return nil
		})
	}
	w.inService("visits")
}

func responses(w *world) int64 {
	return get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0].Responses
}

// A pass that read a stale cache is put right, for Dedicated programs, too.
func TestDedicatedStatusThatAStalePassLeft(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	outdate(w, "visits", func(o *v1alpha1.SurveyProgram) {
		setWaiting(o, &o.Status.Conditions)
		o.Status.URL = ""
		o.Status.Endpoint.ReadyReplicas = ptr.To[int32](0)
	})
	outdate(w, "desk", func(o *v1alpha1.Touchpoint) {
		setWaiting(o, &o.Status.Conditions)
		o.Status.URL = ""
	})
	outdate(w, "answers", func(o *v1alpha1.ResponseStore) { setWaiting(o, &o.Status.Conditions) })
}
