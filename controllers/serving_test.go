package controllers_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

func (w *world) page(touchpoint string) int {
	w.t.Helper()
	path := "/s/" + w.ns + "/visits"
	if touchpoint != "" {
		path += "/" + touchpoint
	}
	status, _ := w.call(http.MethodGet, path, "", "", nil)
	return status
}

// tryPost sends one answer and returns the status.
func (w *world) tryPost(program string, s submission) int {
	w.t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	status, _ := w.call(http.MethodPost, w.responsesPath(program), "", "application/json", body)
	return status
}

func (w *world) expectPage(touchpoint string, want int) {
	w.t.Helper()
	if got := w.page(touchpoint); got != want {
		w.t.Errorf("the page of %q answers %d, want %d", touchpoint, got, want)
	}
}

// startMissed brings an operator to a missed objective that has its plan.
func startMissed(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.importAnswers("visits", repeated(40, "desk", "ease", 2))
	w.missed()
	return w
}

// A bad edit takes no page down and changes no verdict, not even over a restart.
func TestBadEdit(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(*v1alpha1.SurveyProgram){
		"a time zone that is none": func(p *v1alpha1.SurveyProgram) { p.Spec.TimeZone = "Mars/Olympus" },
		"a language that is none":  func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Title["no language"] = "Ihr Besuch" },
	} {
		t.Run(name, func(t *testing.T) { testBadEdit(t, edit) })
	}
}

func testBadEdit(t *testing.T, edit func(*v1alpha1.SurveyProgram)) {
	w := startMissed(t)
	url := get[*v1alpha1.SurveyProgram](w, "visits").Status.URL
	before := get[*v1alpha1.Touchpoint](w, "desk").Status
	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		edit(p)
		p.Spec.Survey.Title["en"] = "A title that must not be served"
	})
	for _, when := range []string{"after the edit", "after a restart"} {
		program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/InvalidSpec", "Stalled", "True/InvalidSpec", "SurveyCompiled", "False/InvalidSpec")
		w.settle()
		w.expectPage("desk", http.StatusOK)
		if _, text := w.call(http.MethodGet, "/s/"+w.ns+"/visits", "", "", nil); !strings.Contains(text, "Your visit") || strings.Contains(text, "must not be served") {
			t.Errorf("%s the page is not the last good one: %.300s", when, text)
		}
		if program.Status.URL != url {
			t.Errorf("%s: url %q, want %q", when, program.Status.URL, url)
		}
		w.clock.Advance(env.FigureInterval) // so that nothing but the bad spec holds figures back
		if status := w.tryPost("visits", answer("desk", "ease", 2)); status != http.StatusCreated {
			t.Errorf("%s: an answer got %d", when, status)
		}
		w.settle()
		desk := get[*v1alpha1.Touchpoint](w, "desk")
		w.expect(is(desk, "Ready", "True/Reconciled"))
		if diff := cmp.Diff(before.Objectives, desk.Status.Objectives); diff != "" {
			t.Errorf("%s the verdict moved (-before +now):\n%s", when, diff)
		}
		if diff := cmp.Diff(before.Breaches, desk.Status.Breaches); diff != "" {
			t.Errorf("%s the breaches moved (-before +now):\n%s", when, diff)
		}
		w.restart()
	}
	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		p.Spec.TimeZone, p.Spec.Survey.Title = "Europe/Vienna", v1alpha1.LocalizedText{"en": "Your next visit"}
	})
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled", "Stalled", "False/AsExpected", "SurveyCompiled", "True/Compiled")
	w.clock.Advance(env.FigureInterval)
	w.post("visits", answer("desk", "ease", 2))
	w.eventually("judged again", func() error {
		if n := get[*v1alpha1.Touchpoint](w, "desk").Status.Objectives[0].Responses; n < 42 {
			return fmt.Errorf("%d responses, want 42 or more", n)
		}
		return nil
	})
}

// A program whose first survey is wrong has no page, and says so.
func TestNeverCompiled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(sqliteStore("answers") + "---" + visits("  privacy: {release: Guarded}\n"))
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	w.expectPage("", http.StatusOK)
	other := newWorld(t)
	other.start()
	objects := parse(t, sqliteStore("answers")+"---"+visits(""))
	spec := objects[1].Object["spec"].(map[string]any)
	spec["timeZone"] = "Mars/Olympus"
	other.apply(objects...)
	program := becomes[*v1alpha1.SurveyProgram](other, "visits", "Ready", "False/InvalidSpec", "SurveyCompiled", "False/InvalidSpec")
	if program.Status.URL != "" {
		t.Errorf("url %q of a page that does not exist", program.Status.URL)
	}
	other.settle()
	other.expectPage("", http.StatusNotFound)
}

// A question that a touchpoint uses is removed: it waits, and its verdict stays as it is.
func TestQuestionRemoved(t *testing.T) {
	t.Parallel()
	w := startMissed(t)
	before := get[*v1alpha1.Touchpoint](w, "desk").Status
	var removed v1alpha1.Question
	change(w, "visits", func(p *v1alpha1.SurveyProgram) {
		removed = p.Spec.Survey.Questions[0]
		p.Spec.Survey.Questions = p.Spec.Survey.Questions[1:]
	})
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/QuestionNotFound", "Reconciling", "True/Waiting", "Measured", "False/NoQuestion",
		"ObjectivesMet", "False/ObjectiveMissed")
	w.settle()
	w.expectPage("desk", http.StatusNotFound)
	w.expectPage("", http.StatusOK)
	desk := get[*v1alpha1.Touchpoint](w, "desk")
	if desk.Status.URL != "" {
		t.Errorf("url %q of a page that is gone", desk.Status.URL)
	}
	if diff := cmp.Diff(before.Objectives, desk.Status.Objectives); diff != "" {
		t.Errorf("the verdict moved (-before +now):\n%s", diff)
	}
	if got, want := breachesOf(desk), []string{"ObjectiveMissed easy", "Unmeasured"}; !slices.Equal(got, want) {
		t.Errorf("breaches %q, want %q", got, want)
	}
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Questions = append(p.Spec.Survey.Questions, removed) })
	desk = becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled", "Measured", "True/Measured")
	if diff := cmp.Diff(before.Breaches, desk.Status.Breaches); diff != "" {
		t.Errorf("breaches (-before +now):\n%s", diff)
	}
	w.expectPage("desk", http.StatusOK)
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.ns, Name: "visits-tokens", Labels: map[string]string{"mine": "yes"}},
		Data:       map[string][]byte{"import": []byte("a-token-of-our-own"), "other": []byte("kept")},
	}
	if err := w.c.Create(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	adopted := get[*corev1.Secret](w, "visits-tokens")
	if string(adopted.Data["import"]) != "a-token-of-our-own" || string(adopted.Data["other"]) != "kept" || adopted.Labels["mine"] != "yes" {
		t.Errorf("a Secret that people made lost what it held: labels %v", adopted.Labels)
	}
	for _, key := range []string{"read", "internal", "sign"} {
		if len(adopted.Data[key]) < 26 {
			t.Errorf("token %s has %d characters, want at least 26 (128 bits)", key, len(adopted.Data[key]))
		}
	}
	if adopted.Labels[v1alpha1.LabelTokens] != "true" || adopted.Labels[v1alpha1.LabelProgram] != "visits" {
		t.Errorf("labels %v", adopted.Labels)
	}
	if owner := metav1.GetControllerOf(adopted); owner == nil || owner.Kind != "SurveyProgram" || owner.Name != "visits" {
		t.Errorf("owner %+v, want the program", owner)
	}
	w.expectImport("a-token-of-our-own", http.StatusOK)
	w.expectImport(string(adopted.Data["read"]), http.StatusUnauthorized)

	t.Run("kept over a restart", func(t *testing.T) {
		w.restart()
		w.settle()
		if diff := cmp.Diff(adopted.Data, get[*corev1.Secret](w, "visits-tokens").Data); diff != "" {
			t.Error("the tokens changed")
		}
	})
	t.Run("a missing key is made", func(t *testing.T) {
		change(w, "visits-tokens", func(s *corev1.Secret) { delete(s.Data, "read") })
		w.eventually("a new read token", func() error {
			if len(get[*corev1.Secret](w, "visits-tokens").Data["read"]) == 0 {
				return fmt.Errorf("none")
			}
			return nil
		})
		if got := string(get[*corev1.Secret](w, "visits-tokens").Data["import"]); got != "a-token-of-our-own" {
			t.Errorf("the import token changed")
		}
	})
	t.Run("a changed token counts", func(t *testing.T) {
		change(w, "visits-tokens", func(s *corev1.Secret) { s.Data["import"] = []byte("another-token") })
		w.eventually("the new token is known", func() error {
			if got := w.tryToken("another-token"); got != http.StatusOK {
				return fmt.Errorf("%d", got)
			}
			return nil
		})
		w.expectImport("a-token-of-our-own", http.StatusUnauthorized)
	})
	t.Run("a deleted Secret is made again", func(t *testing.T) {
		remove[*corev1.Secret](w, "visits-tokens")
		w.eventually("a new Secret", func() error {
			made := &corev1.Secret{}
			return w.c.Get(t.Context(), w.key("visits-tokens"), made)
		})
		fresh := w.token("visits", "import")
		w.eventually("its token is known", func() error {
			if got := w.tryToken(fresh); got != http.StatusOK {
				return fmt.Errorf("%d", got)
			}
			return nil
		})
		w.expectImport("another-token", http.StatusUnauthorized)
		w.settle()
		if w.token("visits", "import") != fresh {
			t.Error("the tokens were made twice")
		}
	})
}

func (w *world) tryToken(token string) int {
	w.t.Helper()
	status, _ := w.call(http.MethodPost, w.responsesPath("visits")+":import", token, "application/x-ndjson", nil)
	return status
}

func (w *world) expectImport(token string, want int) {
	w.t.Helper()
	if got := w.tryToken(token); got != want {
		w.t.Errorf("an import got %d, want %d", got, want)
	}
}

// What is not served by this process says so, and comes into service when its mode changes.
func TestNotServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	objects := parse(t, missedVisits())
	for _, o := range objects {
		if o.GetKind() == "SurveyProgram" {
			o.Object["spec"].(map[string]any)["endpoint"] = map[string]any{"mode": "Dedicated"}
		}
	}
	w.apply(objects...)
	program := becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/NotServed", "Stalled", "True/NotServed")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/Waiting")
	if program.Status.URL != "" || get[*v1alpha1.Touchpoint](w, "desk").Status.URL != "" {
		t.Error("an address of a page that is not served")
	}
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Mode = v1alpha1.EndpointEmbedded })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.expectPage("desk", http.StatusOK)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Mode = v1alpha1.EndpointDedicated })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "False/NotServed")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "False/Waiting")
	w.settle()
	w.expectPage("desk", http.StatusNotFound)
}

// Deleted objects leave no series and no page; the answers stay.
func TestDeletion(t *testing.T) {
	t.Parallel()
	w := startMissed(t)
	remove[*v1alpha1.ActionPlan](w, w.plans()[0].Name)
	w.eventually("no series of the plan", func() error {
		if left := w.series("cx_action_plan_state", "action_plan"); len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
	if len(w.series("cx_objective_state", "touchpoint")) == 0 {
		t.Error("the touchpoint's series went with the plan's")
	}
	remove[*v1alpha1.Touchpoint](w, "desk")
	w.eventually("nothing of the touchpoint", func() error {
		for metric, labels := range map[string]string{"cx_objective_state": "touchpoint", "cx_objective_score": "touchpoint"} {
			if left := w.series(metric, labels); len(left) > 0 {
				return fmt.Errorf("%s %v", metric, left)
			}
		}
		if left := w.series("cx_accountability_breach", "kind"); len(left) != 1 { // the program has no sponsor
			return fmt.Errorf("breaches %v", left)
		}
		if status := w.page("desk"); status != http.StatusNotFound {
			return fmt.Errorf("the page answers %d", status)
		}
		return nil
	})
	w.expectPage("", http.StatusOK)

	remove[*v1alpha1.SurveyProgram](w, "visits")
	w.eventually("nothing of the program", func() error {
		left := w.allSeries()
		maps.DeleteFunc(left, func(series string, _ float64) bool { return strings.HasPrefix(series, "cx_team_") }) // teams stay
		if len(left) > 0 {
			return fmt.Errorf("%v", left)
		}
		if status := w.page(""); status != http.StatusNotFound {
			return fmt.Errorf("the page answers %d", status)
		}
		return nil
	})
	w.settle()
	if _, err := os.Stat(w.storePath("answers")); err != nil {
		t.Errorf("the answers: %v", err)
	}

	w.applyYAML(visits(crashProgram) + "---" + crashTouchpoint)
	w.eventually("the answers count again", func() error {
		desk := get[*v1alpha1.Touchpoint](w, "desk")
		if len(desk.Status.Objectives) != 1 || desk.Status.Objectives[0].Responses != 40 {
			return fmt.Errorf("objectives %+v", desk.Status.Objectives)
		}
		return nil
	})
}

// A person is never shown in metrics: the nearest ancestor that is none stands in, also after a move.
func TestPersonAsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(missedVisits() + "---" + teamYAML("front", "Department", "company") + "---" + teamYAML("back", "Department", "company") +
		"---" + teamYAML("deputy", "Person", "front") + "---" + teamYAML("clerk", "Person", "deputy"))
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Spec.OwnerRef = &v1alpha1.NameRef{Name: "clerk"} })
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled", "OwnerAssigned", "True/Owned")
	w.importAnswers("visits", repeated(40, "desk", "ease", 2))
	w.missed()
	w.expectTeam("front")
	if owner := w.plans()[0].Spec.OwnerRef; owner == nil || owner.Name != "clerk" {
		t.Errorf("the plan's owner is %v, want the person", owner)
	}
	change(w, "deputy", func(o *v1alpha1.Team) { o.Spec.ParentRef.Name = "back" })
	w.expectTeam("back")
	change(w, "deputy", func(o *v1alpha1.Team) { o.Spec.ParentRef = nil })
	w.expectTeam("")
}

// expectTeam waits until every series of the touchpoint and its plan carries the team.
func (w *world) expectTeam(team string) {
	w.t.Helper()
	w.eventually("team "+team, func() error {
		for metric, label := range map[string]string{
			"cx_objective_score": "touchpoint", "cx_objective_responses": "touchpoint", "cx_action_plan_due_timestamp_seconds": "touchpoint",
		} {
			if diff := cmp.Diff([]string{"team=" + team + ",touchpoint=desk"}, keys(w.series(metric, "team", label))); diff != "" {
				return fmt.Errorf("%s: %s", metric, diff)
			}
		}
		missed := "name=desk,team=" + team + ",type=ObjectiveMissed"
		if breaches := w.series("cx_accountability_breach", "team", "name", "type"); breaches[missed] != 1 {
			return fmt.Errorf("breaches %v", breaches)
		}
		return nil
	})
}

func keys(m map[string]float64) []string {
	var all []string
	for k := range m {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}
