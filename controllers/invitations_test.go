package controllers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
)

// afternoon is ten minutes into an hour, and no hour of these tests ends a day in Los Angeles.
var afternoon = time.Date(2026, 11, 21, 20, 10, 0, 0, time.UTC)

const signedAccess = `
  access:
    mode: Signed
    invitations:
      cooldown:
        program: {afterInvitationDays: 30}
`

// invitationAnswer is what the endpoint says of an invitation.
type invitationAnswer struct {
	ID, URL string
	Skipped *struct{ Scope, Reason string }
}

// token is what the link's address carries.
func (a invitationAnswer) token(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(a.URL)
	if err != nil || u.Query().Get("invitation") == "" {
		t.Fatalf("link %q: %v", a.URL, err)
	}
	return u.Query().Get("invitation")
}

// invite asks for a link to the desk's page.
func (w *world) invite(contact string) invitationAnswer {
	w.t.Helper()
	answer, err := w.tryInvite(contact)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

func (w *world) tryInvite(contact string) (answer invitationAnswer, err error) {
	w.t.Helper()
	body := fmt.Sprintf(`{"id":%q,"contact":%q,"touchpoint":"desk"}`, uuid.NewString(), contact)
	path := "/api/v1/namespaces/" + w.ns + "/programs/visits/invitations"
	status, text := w.call(http.MethodPost, path, w.token("visits", "sign"), "application/json", []byte(body))
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status >= http.StatusMultipleChoices {
		return answer, fmt.Errorf("invitation: %d %.600s", status, text)
	}
	return answer, nil
}

// answerBy answers by a link, and returns the status and the reason of a refusal.
func (w *world) answerBy(id, token string) (status int, reason string) {
	w.t.Helper()
	body, err := json.Marshal(map[string]any{"id": id, "invitation": token, "answers": map[string]any{"ease": 7}})
	if err != nil {
		w.t.Fatal(err)
	}
	status, text := w.call(http.MethodPost, w.responsesPath("visits"), "", "application/json", body)
	var refusal struct{ Type string }
	if err := json.Unmarshal([]byte(text), &refusal); err != nil {
		w.t.Fatal(err, text)
	}
	return status, refusal.Type[strings.LastIndex(refusal.Type, "/")+1:]
}

func (w *world) expectAnswerBy(id, token string, want int, why string) {
	w.t.Helper()
	if status, reason := w.answerBy(id, token); status != want || reason != why {
		w.t.Errorf("answered %d %s, want %d %s", status, reason, want, why)
	}
}

// rates are the response rates in the metrics, by touchpoint.
func (w *world) rates() map[string]float64 {
	return w.series("cx_survey_response_rate_ratio", "touchpoint")
}

// A program behind signed links, from the first link to the response rate.
func TestSignedProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(afternoon)
	w.start()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + sqliteStore("answers") + "---" + visits(crashProgram+signedAccess) + "---" + crashTouchpoint)
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled", "SurveyCompiled", "True/Compiled")
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.expectPage("desk", http.StatusForbidden)
	w.expectAnswerBy(uuid.NewString(), "", http.StatusForbidden, "not-invited")

	var links []invitationAnswer
	for i := range 6 {
		links = append(links, w.invite(fmt.Sprintf("somebody-%d@example.org", i)))
	}
	prefix := publicURL + "/s/" + w.ns + "/visits/desk?invitation="
	if !strings.HasPrefix(links[0].URL, prefix) {
		t.Errorf("link %s, want one that begins with %s", links[0].URL, prefix)
	}
	if again := w.invite("Somebody-0@example.org "); again.Skipped == nil || again.Skipped.Scope != "program" || again.Skipped.Reason != "invited" {
		t.Errorf("somebody was invited twice: %+v", again)
	}
	page := strings.TrimPrefix(links[0].URL, publicURL)
	if status, _ := w.call(http.MethodGet, page, "", "", nil); status != http.StatusOK {
		t.Errorf("the link's page answers %d", status)
	}
	first, token := uuid.NewString(), links[0].token(t)
	w.expectAnswerBy(first, token, http.StatusCreated, "")
	w.expectAnswerBy(first, token, http.StatusOK, "")
	w.expectAnswerBy(uuid.NewString(), token, http.StatusForbidden, "link-used")
	for _, l := range links[1:4] {
		w.expectAnswerBy(uuid.NewString(), l.token(t), http.StatusCreated, "")
	}
	w.settle()
	if p := get[*v1alpha1.SurveyProgram](w, "visits").Status.Participation; p != nil {
		t.Errorf("figures of an hour that runs: %+v", p)
	}

	// In the next hour the figures appear with what comes, and then stand until the one after.
	w.clock.Advance(time.Hour)
	w.expectAnswerBy(uuid.NewString(), links[4].token(t), http.StatusCreated, "")
	six, five, end := int64(6), int64(5), w.clock.Now().Truncate(time.Hour)
	want := v1alpha1.Participation{
		WindowDays: 30, Invited: &six, Answered: &five, ResponseRate: &v1alpha1.Share{Percent: "83.33", Lower: "43.65", Upper: "96.99"},
		Skipped: []v1alpha1.SkippedInvitations{{Scope: "program", Reason: "invited", Invitations: 1}},
	}
	w.eventually("the response rate", func() error { return w.participation(want, end) })
	w.settle()
	if diff := cmp.Diff(map[string]float64{"touchpoint=": 0.8333, "touchpoint=desk": 0.8333}, w.rates()); diff != "" {
		t.Errorf("response rates (-want +got):\n%s", diff)
	}
	skipped := w.series("cx_survey_invitations_skipped", "scope", "reason", "touchpoint")
	if diff := cmp.Diff(map[string]float64{"reason=invited,scope=program,touchpoint=": 1, "reason=invited,scope=program,touchpoint=desk": 1}, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
	writes := w.api.writes()
	w.expectAnswerBy(uuid.NewString(), links[5].token(t), http.StatusCreated, "")
	w.settle()
	if err := w.participation(want, end); err != nil {
		t.Errorf("the figures moved within the hour: %v", err)
	}
	if n := w.api.writes() - writes; n > 2 { // the numbers of answers of the objective alone
		t.Errorf("%d writes within the hour: %v", n, w.api.seen())
	}
	w.restart()
	w.settle()
	if err := w.participation(want, end); err != nil {
		t.Errorf("the figures moved with a restart: %v", err)
	}
	if diff := cmp.Diff(map[string]float64{"touchpoint=": 0.8333, "touchpoint=desk": 0.8333}, w.rates()); diff != "" {
		t.Errorf("response rates after a restart (-want +got):\n%s", diff)
	}

	w.clock.Advance(time.Hour)
	w.invite("somebody-else@example.org")
	want.Answered, want.ResponseRate = &six, &v1alpha1.Share{Percent: "100.00", Lower: "60.97", Upper: "100.00"}
	w.eventually("the response rate of an hour later", func() error { return w.participation(want, end.Add(time.Hour)) })
}

// participation compares the figures of the program and of the desk, which has all of them.
func (w *world) participation(want v1alpha1.Participation, end time.Time) error {
	for name, got := range map[string]*v1alpha1.Participation{
		"program": get[*v1alpha1.SurveyProgram](w, "visits").Status.Participation,
		"desk":    get[*v1alpha1.Touchpoint](w, "desk").Status.Participation,
	} {
		if got == nil || !got.WindowEnd.Time.Equal(end) {
			return fmt.Errorf("%s: %+v, want figures until %s", name, got, end)
		}
		got.WindowEnd = want.WindowEnd
		if diff := cmp.Diff(want, *got); diff != "" {
			return fmt.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	return nil
}

// With another key nobody is known any more; programs follow it at once.
func TestAnotherKeyForContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + sqliteStore("answers") + "---" + visits(crashProgram+signedAccess) + "---" + crashTouchpoint)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.settle() // a page is served before the store's key is known
	if a := w.invite("ada@example.org"); a.Skipped != nil {
		t.Fatalf("the first invitation: %+v", a)
	}
	if a := w.invite("ada@example.org"); a.Skipped == nil {
		t.Fatal("the cooldown does not bind")
	}
	last := w.keyOf("")
	remove[*corev1.Secret](w, "answers-keys")
	w.keyOf(last)
	w.eventually("the new key is known", func() error {
		a, err := w.tryInvite("ada@example.org") // between the two keys there is none
		if err == nil && a.Skipped != nil {
			return fmt.Errorf("known under the old key: %+v", a)
		}
		return err
	})
	// Its own rotation is followed too.
	change(w, "answers-keys", func(s *corev1.Secret) { s.Data["contacts"] = []byte("a-key-of-people-s") })
	w.eventually("the key of people's is known", func() error {
		a, err := w.tryInvite("ada@example.org") // between the two keys there is none
		if err == nil && a.Skipped != nil {
			return fmt.Errorf("known under the old key: %+v", a)
		}
		return err
	})
	// Another token that signs makes all links void.
	before := w.invite("grace@example.org").token(t)
	change(w, "visits-tokens", func(s *corev1.Secret) { s.Data["sign"] = []byte("another-token-that-signs") })
	w.eventually("old links are void", func() error {
		if status, reason := w.answerBy(uuid.NewString(), before); status != http.StatusForbidden || reason != "link-invalid" {
			return fmt.Errorf("%d %s", status, reason)
		}
		return nil
	})
}

// setStanding calls annul or reinstate.
func (w *world) setStanding(call, body string, changed int) {
	w.t.Helper()
	w.clock.Advance(env.FigureInterval) // so that nothing holds figures back
	status, text := w.call(http.MethodPost, w.responsesPath("visits")+":"+call, w.token("visits", "import"), "application/json", []byte(body))
	var answer struct {
		Changed int
		Recount struct{ Differences []string }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusOK || answer.Changed != changed || len(answer.Recount.Differences) > 0 {
		w.t.Errorf("%s %s: %d %.600s, want %d changed", call, body, status, text, changed)
	}
}

func (w *world) expectVerdict(want string) {
	w.t.Helper()
	w.eventually(want, func() error {
		desk := get[*v1alpha1.Touchpoint](w, "desk")
		if len(desk.Status.Objectives) != 1 || figures(desk.Status.Objectives[0]) != want {
			return fmt.Errorf("objectives %+v", desk.Status.Objectives)
		}
		return nil
	})
}

// Answers that fail a check are in no verdict until somebody brings them back; annulled ones leave it.
func TestStandings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(afternoon)
	w.start()
	w.applyYAML(teamYAML("company", "Company", "") + "---" + sqliteStore("answers") + "---" +
		visits("\n  ownerRef: {name: company}\n  privacy: {release: Immediate}\n  access: {robots: {proofOfWorkBits: 22}}\n") + "---" + crashTouchpoint)
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	imported := repeated(40, "desk", "ease", 7)
	w.importAnswers("visits", imported)
	const met = "easy Met 100.00 [91.24 100.00] of 40"
	w.expectVerdict(met)
	for range 20 { // none shows its work
		w.post("visits", answer("desk", "ease", 1))
	}
	w.settle()
	w.expectVerdict(met)

	w.setStanding("reinstate", `{"failed":"proof","standing":"suspect","dryRun":true}`, 20)
	w.setStanding("reinstate", `{"failed":"proof","standing":"suspect"}`, 20)
	w.expectVerdict("easy Missed 66.67 [54.06 77.27] of 60")
	w.setStanding("annul", `{"failed":"proof"}`, 20)
	w.expectVerdict(met)
	w.setStanding("annul", fmt.Sprintf(`{"ids":[%q,%q]}`, imported[0].ID, imported[1].ID), 2)
	w.expectVerdict("easy Met 100.00 [90.82 100.00] of 38")
	w.setStanding("annul", fmt.Sprintf(`{"ids":[%q,%q]}`, imported[0].ID, imported[1].ID), 0)
	w.setStanding("reinstate", `{"all":true}`, 22)
	w.expectVerdict("easy Missed 66.67 [54.06 77.27] of 60")

	for range 3 {
		w.post("visits", answer("desk", "ease", 1))
	}
	w.clock.Advance(time.Hour)
	w.post("visits", answer("desk", "ease", 1))
	w.eventually("the suspects are told of", func() error {
		got := w.series("cx_survey_responses_suspect", "touchpoint", "check")
		if diff := cmp.Diff(map[string]float64{"check=proof,touchpoint=": 3, "check=proof,touchpoint=desk": 3}, got); diff != "" {
			return fmt.Errorf("(-want +got):\n%s", diff)
		}
		return nil
	})
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="(_id|_form)" value="([^"]+)"`)

// openForm opens the desk's page and returns what its form carries.
func (w *world) openForm() url.Values {
	w.t.Helper()
	_, page := w.call(http.MethodGet, "/s/"+w.ns+"/visits/desk", "", "", nil)
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], m[2])
	}
	if form.Get("_id") == "" || form.Get("_form") == "" {
		w.t.Fatalf("the page's form carries %v: %.2000s", form, page)
	}
	return form
}

func (w *world) expectForm(path string, form url.Values, want int) {
	w.t.Helper()
	status, text := w.call(http.MethodPost, "/s/"+w.ns+path, "", "application/x-www-form-urlencoded", []byte(form.Encode()))
	if status != want {
		w.t.Errorf("%s answered %d, want %d: %.600s", path, status, want, text)
	}
}

// Who began, who finished and how long that took.
func TestVisits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.clock.Set(afternoon)
	w.start()
	w.applyYAML(missedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	var forms []url.Values
	for range 8 {
		form := w.openForm()
		forms = append(forms, form)
		beacon := url.Values{"_id": form["_id"], "_form": form["_form"], "touchpoint": {"desk"}, "question": {"ease"}}
		w.expectForm("/visits/visits", beacon, http.StatusNoContent)
	}
	w.openForm() // and nothing more: no visit
	w.clock.Advance(42 * time.Second)
	for _, form := range forms[:6] {
		form.Set("ease", "7")
		w.expectForm("/visits/desk", form, http.StatusOK) // the thank-you page
	}
	w.settle()
	w.clock.Advance(time.Hour)
	w.post("visits", answer("desk", "ease", 7))
	eight, six, seconds := int64(8), int64(6), int64(42)
	want := v1alpha1.Participation{
		WindowDays: 30, Started: &eight, Completed: &six, Completion: &v1alpha1.Share{Percent: "75.00", Lower: "40.93", Upper: "92.85"},
		MedianSeconds: &seconds, P90Seconds: &seconds, DropOff: []v1alpha1.DropOff{{Question: "ease", Unfinished: 2}},
	}
	w.eventually("the figures", func() error { return w.participation(want, w.clock.Now().Truncate(time.Hour)) })
	w.settle()
	got := w.series("cx_survey_duration_seconds", "touchpoint", "percentile")
	if diff := cmp.Diff(map[string]float64{
		"percentile=50,touchpoint=": 42, "percentile=90,touchpoint=": 42, "percentile=50,touchpoint=desk": 42, "percentile=90,touchpoint=desk": 42,
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// An hour later, once the counts are read again, nothing is written.
	w.clock.Advance(time.Hour)
	w.eventually("the counts are read again", func() error {
		if at, _ := w.op.env.Book.ReadAt(w.ns + "/answers"); at.Before(w.clock.Now()) {
			return fmt.Errorf("read at %s", at)
		}
		return nil
	})
	// A clock that jumps has the counts be old for a moment, which on a busy machine is noticed.
	w.settle()
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	for _, name := range []string{"Read again", "Looked at once more"} {
		w.api.reset()
		change(w, "company", func(o *v1alpha1.Team) { o.Spec.DisplayName = name })
		w.settle()
	}
	if err := w.participation(want, w.clock.Now().Add(-time.Hour).Truncate(time.Hour)); err != nil {
		t.Error(err)
	}
	for call := range w.api.seen() {
		if strings.Contains(call, "surveyprograms") || strings.Contains(call, "touchpoints") {
			t.Errorf("%s, without any news", call)
		}
	}
}
