package controllers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/review"
	pure "github.com/cx-operator/cx-operator/internal/review"
)

// reviewProtocol asks for a review each week, held within a week, with a sponsor who comes at least every third time.
const reviewProtocol = `
kind: AccountabilityPolicy
apiVersion: cx-operator.io/v1alpha1
metadata: {name: protocol}
spec:
  evidence: {confirmDays: 0}
  review: {cadence: Weekly, heldWithinDays: 7, sponsorSilentAfterPeriods: 3}
  escalation: [{afterHours: 24, to: Lead}, {afterHours: 72, to: Sponsor}]
`

const reviewed = `
  ownerRef: {name: company}
  executiveSponsor: {displayName: Director, teamRef: {name: board}}
  privacy: {release: Guarded}
  objectives: [{name: easy, question: ease, metric: CESTopBox, target: 80}]
`

func reviewedVisits() string {
	return teamYAML("board", "Company", "") + "---" + teamYAML("company", "Department", "board") + "---" + sqliteStore("answers") + "---" + reviewProtocol + "---" +
		visits(reviewed) + "---" + strings.Replace(crashTouchpoint, "mode: Create", "mode: None", 1)
}

// startReviewed runs an operator by hand whose program was answered, at the first moment of a week, and returns that moment.
func startReviewed(t *testing.T) (*world, time.Time) {
	t.Helper()
	w := newWorld(t)
	begin := noon(t).In(losAngeles(t))
	for begin = begin.AddDate(0, 0, 1); begin.Weekday() != time.Monday; {
		begin = begin.AddDate(0, 0, 1)
	}
	begin = time.Date(begin.Year(), begin.Month(), begin.Day(), 0, 0, 0, 0, begin.Location())
	w.clock.Set(begin.Add(time.Hour).UTC())
	w.startWithReviews()
	w.applyYAML(reviewedVisits())
	w.settleReviews()
	return w, begin
}

func (w *world) startWithReviews() {
	w.t.Helper()
	w.startManual()
	w.op.reconcilers["Review"] = &review.Reconciler{Env: w.op.env}
	w.op.reconcilers["Opener"] = &review.Opener{Env: w.op.env}
}

// settleReviews calls the controllers until a whole round of them writes nothing.
func (w *world) settleReviews() {
	w.t.Helper()
	for range 20 {
		before := w.api.writes()
		w.reviewsAndPoliciesAreCached()
		w.settleManually()
		w.reconcileUntilStill("Opener", "visits")
		w.reviewsAndPoliciesAreCached()
		for _, v := range w.reviews() {
			w.reviewUntilStill(v.Name)
		}
		if w.api.writes() == before {
			return
		}
	}
	w.t.Fatal("twenty rounds and no end")
}

// reviewUntilStill reconciles a review until that writes nothing, and returns after how long it is looked at again.
func (w *world) reviewUntilStill(name string) time.Duration {
	w.t.Helper()
	for range 10 {
		w.reviewsAndPoliciesAreCached()
		before := w.api.writes()
		result := w.reconcile("Review", name)
		if w.api.writes() == before {
			return result.RequeueAfter
		}
	}
	w.t.Fatalf("review %s is never still: %v", name, w.api.seen())
	return 0
}

// reviews of the namespace, by name.
func (w *world) reviews() []v1alpha1.Review {
	w.t.Helper()
	all := &v1alpha1.ReviewList{}
	if err := w.c.List(w.t.Context(), all, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(all.Items, func(a, b v1alpha1.Review) int { return strings.Compare(a.Spec.Period.From, b.Spec.Period.From) })
	return all.Items
}

func (w *world) review(name string) *v1alpha1.Review {
	w.t.Helper()
	return get[*v1alpha1.Review](w, name)
}

// conditionOf is "True/Held".
func conditionOf(v *v1alpha1.Review, kind string) string {
	c := meta.FindStatusCondition(v.Status.Conditions, kind)
	if c == nil {
		return "none"
	}
	return string(c.Status) + "/" + c.Reason
}

func (w *world) expectReview(name string, pairs ...string) *v1alpha1.Review {
	w.t.Helper()
	v := w.review(name)
	for i := 0; i < len(pairs); i += 2 {
		if got := conditionOf(v, pairs[i]); got != pairs[i+1] {
			w.t.Errorf("%s: %s is %s, want %s", name, pairs[i], got, pairs[i+1])
		}
	}
	return v
}

// receipt posts an answer and returns its receipt.
func (w *world) receipt(s submission) string {
	w.t.Helper()
	body, err := json.Marshal(s)
	if err != nil {
		w.t.Fatal(err)
	}
	status, text := w.callUntilThere(http.MethodPost, w.responsesPath("visits"), "", "application/json", body)
	var answer struct{ Receipt string }
	if err := json.Unmarshal([]byte(text), &answer); err != nil || status != http.StatusCreated || answer.Receipt == "" {
		w.t.Fatalf("answer: %d %s (%v)", status, text, err)
	}
	return answer.Receipt
}

func (w *world) erase(receipt string) {
	w.t.Helper()
	form := url.Values{"receipt": {receipt}}.Encode()
	status, text := w.call(http.MethodPost, "/s/"+w.ns+"/visits/erase", "", "application/x-www-form-urlencoded", []byte(form))
	if status != http.StatusOK {
		w.t.Fatalf("erase: %d %s", status, text)
	}
}

// Five weekly reviews: each is opened when its week ends, and frozen a little later, with the figures of that week and
// against the week before. What is erased or answered afterwards changes none of them.
func TestFiveWeeklyReviews(t *testing.T) {
	t.Parallel()
	w, begin := startReviewed(t)
	const weeks = 5
	var receipts []string
	frozen := map[string]v1alpha1.ReviewStatus{}
	for i := range weeks {
		monday := begin.AddDate(0, 0, 7*i)
		w.at(monday.Add(26 * time.Hour))
		for n := range 12 + i {
			value := 6
			if n < 3 {
				value = 2
			}
			receipts = append(receipts, w.receipt(answer("desk", "ease", value)))
			w.post("visits", answer("", "why", fmt.Sprintf("We were waiting at the counter with Okonkwo %d (me%d@example.com)", n, n)))
		}
		end := begin.AddDate(0, 0, 7*(i+1))
		w.at(end.Add(-time.Second))
		w.settleReviews()
		if n := len(w.reviews()); n != i {
			t.Fatalf("%d reviews a second before week %d ends", n, i)
		}
		w.at(end)
		w.settleReviews()
		year, week := monday.ISOWeek()
		name := fmt.Sprintf("visits-%d-w%02d", year, week)
		w.expectReview(name, "Frozen", "Unknown/PeriodOpen", "Held", "Unknown/Awaited", "SponsorPresent", "Unknown/NotHeld", "Ready", "True/Reconciled")
		w.at(end.Add(5 * time.Minute))
		w.settleReviews()
		v := w.expectReview(name, "Frozen", "True/Frozen")
		w.expectFigures(v, i)
		frozen[name] = v.Status
	}
	for _, r := range receipts {
		w.erase(r)
	}
	w.clock.Advance(time.Hour)
	w.at(w.clock.Now())
	w.settleReviews()
	for name, want := range frozen {
		got := w.review(name).Status
		if diff := cmp.Diff(want.Figures, got.Figures); diff != "" || want.Digest != got.Digest || !pure.Verify(got.Figures, got.Digest) {
			t.Errorf("%s has changed after answers were erased:\n%s", name, diff)
		}
	}
	w.nothingOpensTwice(weeks)
}

// expectFigures checks the figures of the review of week i: 12 + i answers, of which three are low.
func (w *world) expectFigures(v *v1alpha1.Review, i int) {
	w.t.Helper()
	f := v.Status.Figures
	if f == nil || len(f.Objectives) != 2 || !pure.Verify(f, v.Status.Digest) {
		w.t.Fatalf("%s: %+v", v.Name, v.Status)
	}
	n, before := int64(12+i), int64(11+i)
	if i == 0 {
		before = 0
	}
	score := fmt.Sprintf("%.2f", 100*float64(n-3)/float64(n))
	for k, touchpoint := range []string{"", "desk"} {
		o := f.Objectives[k]
		if o.Touchpoint != touchpoint || o.Responses != n || o.PreviousResponses != before || o.Score != score || (o.Change != "") != (i > 0) || o.Lower == "" {
			w.t.Errorf("%s: %+v, want %d answers, %s, after %d", v.Name, o, n, score, before)
		}
	}
	want := []v1alpha1.Theme{
		{Words: "counter", Question: "why", Comments: n, PreviousComments: &before},
		{Words: "waiting", Question: "why", Comments: n, PreviousComments: &before},
	}
	if before < 10 {
		want[0].PreviousComments, want[1].PreviousComments = nil, nil
	}
	if diff := cmp.Diff(want, f.Themes); diff != "" || f.ThemesUnavailable != "" {
		w.t.Errorf("%s: themes (-want +got):\n%s%s", v.Name, diff, f.ThemesUnavailable)
	}
	if f.Sponsor == nil || f.Sponsor.Team != "board" || f.Use != v1alpha1.CoachingText {
		w.t.Errorf("%s: sponsor %+v, use %q", v.Name, f.Sponsor, f.Use)
	}
	if v.Labels[v1alpha1.LabelOpenedBy] != v1alpha1.ManagedByValue || len(v.OwnerReferences) > 0 {
		w.t.Errorf("%s: labels %v, owners %v", v.Name, v.Labels, v.OwnerReferences)
	}
}

// nothingOpensTwice starts another operator on the same data: it has nothing to write, and nobody is told anything twice.
func (w *world) nothingOpensTwice(reviews int) {
	w.t.Helper()
	told := map[string]int{}
	for _, v := range w.reviews() {
		for _, n := range v.Status.Outbox {
			told[n.ID]++
		}
	}
	w.stop()
	w.startWithReviews()
	w.eventually("the counts are read", func() error {
		w.settleManually()
		if _, ok := w.op.env.Book.ReadAt(w.ns + "/answers"); !ok {
			return fmt.Errorf("not yet")
		}
		return nil
	})
	before := versions(listOf(w))
	w.settleReviews()
	if after := versions(listOf(w)); after != before {
		w.t.Errorf("after a restart the reviews were written: %s, before %s", after, before)
	}
	if n := len(w.reviews()); n != reviews {
		w.t.Errorf("%d reviews after a restart, want %d", n, reviews)
	}
	for event, n := range w.events() {
		if strings.HasPrefix(event, "Review/") && n > 1 {
			w.t.Errorf("%q %d times", event, n)
		}
	}
	for id, n := range told {
		if n > 1 {
			w.t.Errorf("notice %s %d times", id, n)
		}
	}
}

func listOf(w *world) *v1alpha1.ReviewList {
	w.t.Helper()
	all := &v1alpha1.ReviewList{}
	if err := w.c.List(w.t.Context(), all, client.InNamespace(w.ns)); err != nil {
		w.t.Fatal(err)
	}
	return all
}

// openWeek answers a week and moves on to where its review is frozen. It returns the review's name and when it is due.
func (w *world) openWeek(monday time.Time) (name string, due time.Time) {
	w.t.Helper()
	w.at(monday.Add(26 * time.Hour))
	for range 6 {
		w.post("visits", answer("desk", "ease", 6))
	}
	w.settleReviews()
	w.at(monday.AddDate(0, 0, 7).Add(5 * time.Minute))
	w.settleReviews()
	year, week := monday.ISOWeek()
	name = fmt.Sprintf("visits-%d-w%02d", year, week)
	due = monday.AddDate(0, 0, 14)
	if v := w.review(name); v.Status.DueTime == nil || !v.Status.DueTime.Time.Equal(due) {
		w.t.Fatalf("%s is due by %v, want %s", name, v.Status.DueTime, due)
	}
	return name, due
}

// noticesOf writes what people are to be told of: "Breach Escalated ReviewMissed Lead 1".
func noticesOf(v *v1alpha1.Review) []string {
	var all []string
	for _, n := range v.Status.Outbox {
		all = append(all, strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s %d", n.Class, n.Transition, n.Breach, n.To, n.Step)), " "))
	}
	return all
}

// A review that is not held by its due time is a breach, to the second; the policy's steps follow; holding it late ends it.
func TestReviewIsMissedAndHeldLate(t *testing.T) {
	t.Parallel()
	w, begin := startReviewed(t)
	name, due := w.openWeek(begin)
	if got, want := w.reviewUntilStill(name), due.Sub(w.clock.Now()); got != want {
		t.Errorf("looked at again after %s, want %s", got, want)
	}
	w.at(due.Add(-time.Second))
	w.settleReviews()
	w.expectReview(name, "Held", "Unknown/Awaited")
	w.at(due)
	w.settleReviews()
	v := w.expectReview(name, "Held", "False/ReviewMissed", "SponsorPresent", "Unknown/NotHeld")
	if len(v.Status.Breaches) != 1 || v.Status.Breaches[0].Type != v1alpha1.BreachReviewMissed || !v.Status.Breaches[0].Since.Time.Equal(due) {
		t.Errorf("breaches %+v, want ReviewMissed since %s", v.Status.Breaches, due)
	}
	if n := w.series("cx_accountability_breach", "type", "name")["name="+name+",type=ReviewMissed"]; n == 0 {
		t.Error("no series of the breach")
	}
	w.at(due.Add(72 * time.Hour))
	w.settleReviews()
	want := []string{"Review Opened 0", "Breach Opened ReviewMissed 0", "Breach Escalated ReviewMissed Lead 1", "Breach Escalated ReviewMissed Sponsor 2"}
	if got := noticesOf(w.review(name)); !slices.Equal(got, want) {
		t.Errorf("notices %q, want %q", got, want)
	}
	w.expectEvent("Review/" + name + " ReviewMissed: opened: ReviewMissed")

	held := metav1.NewTime(w.clock.Now())
	change(w, name, func(v *v1alpha1.Review) { v.Spec.HeldTime, v.Spec.Insight = &held, "It is the counter." })
	w.settleReviews()
	v = w.expectReview(name, "Held", "True/Held", "SponsorPresent", "False/Absent")
	if len(v.Status.Breaches) > 0 {
		t.Errorf("breaches %+v of a review that was held", v.Status.Breaches)
	}
	w.expectEvent("Review/" + name + " Recovered: closed: ReviewMissed")
	change(w, name, func(v *v1alpha1.Review) { v.Spec.Attendees = []v1alpha1.NameRef{{Name: "company"}, {Name: "board"}} })
	w.settleReviews()
	w.expectReview(name, "Held", "True/Held", "SponsorPresent", "True/Attended", "Ready", "True/Reconciled")
}

// Nobody is asked for a review that was missed once a later one was held; and after three in a row the sponsor is silent, until a
// review with the sponsor's team.
func TestSponsorIsSilentAfterThreePeriods(t *testing.T) {
	t.Parallel()
	w, begin := startReviewed(t)
	var names []string
	var due time.Time
	for i := range 3 {
		var name string
		name, due = w.openWeek(begin.AddDate(0, 0, 7*i))
		names = append(names, name)
	}
	w.at(due.Add(-time.Second))
	w.settleReviews()
	silent := func() bool { return slices.Contains(breachesOf(w.program()), "SponsorSilent") }
	if silent() {
		t.Error("silent before the third review was missed")
	}
	w.at(due)
	w.settleReviews()
	if !silent() {
		t.Errorf("not silent after three missed reviews: %q", breachesOf(w.program()))
	}
	held := metav1.NewTime(w.clock.Now())
	change(w, names[2], func(v *v1alpha1.Review) {
		v.Spec.HeldTime, v.Spec.Attendees = &held, []v1alpha1.NameRef{{Name: "board"}}
	})
	w.settleReviews()
	if silent() {
		t.Error("silent after a review with the sponsor")
	}
	for _, name := range names[:2] {
		if v := w.expectReview(name, "Held", "False/Superseded"); len(v.Status.Breaches) > 0 {
			t.Errorf("%s: breaches %+v after a later review was held", name, v.Status.Breaches)
		}
	}
	if a := w.program().Status.SponsorAttendance; a == nil || a.Attended != 1 || a.Team != "board" {
		t.Errorf("attendance %+v", a)
	}
}

// A program that nobody has answered has nothing to review, and weeks that nobody looked at open one review and no pile.
func TestNoFlood(t *testing.T) {
	t.Parallel()
	w, begin := startReviewed(t)
	w.at(begin.AddDate(0, 0, 21))
	w.reconcileUntilStill("Opener", "visits")
	if n := len(w.reviews()); n != 0 {
		t.Errorf("%d reviews of a program without answers", n)
	}
	w.openWeek(begin.AddDate(0, 0, 21))
	w.at(begin.AddDate(0, 0, 70).Add(time.Hour))
	w.settleReviews()
	if n := len(w.reviews()); n != 2 {
		t.Errorf("%d reviews after six weeks that nobody looked at, want the first and the last", n)
	}
}

// What was frozen cannot be changed, not even by who may write the status; and figures that were put there by somebody else are
// told from frozen ones.
func TestFrozenFiguresAreGuarded(t *testing.T) {
	t.Parallel()
	w, begin := startReviewed(t)
	name, _ := w.openWeek(begin)
	v := w.review(name)
	for what, edit := range map[string]func(*v1alpha1.Review){
		"another score":     func(v *v1alpha1.Review) { v.Status.Figures.Objectives[0].Score = "99.00" },
		"figures taken out": func(v *v1alpha1.Review) { v.Status.Figures = nil },
		"another digest":    func(v *v1alpha1.Review) { v.Status.Digest = "sha256:" + strings.Repeat("0", 64) },
	} {
		edited := v.DeepCopy()
		edit(edited)
		if err := w.c.Status().Update(t.Context(), edited); !apierrors.IsInvalid(err) {
			t.Errorf("%s: %v, want it refused", what, err)
		}
	}
	w.applyYAML(`
kind: Review
apiVersion: cx-operator.io/v1alpha1
metadata: {name: forged}
spec: {programRef: {name: visits}, period: {from: "2026-01-05", to: "2026-01-11"}}
`)
	forged := w.review("forged")
	forged.Status.Figures, forged.Status.Digest = v.Status.Figures.DeepCopy(), "sha256:"+strings.Repeat("0", 64)
	if err := w.c.Status().Update(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	w.settleReviews()
	w.expectReview("forged", "Frozen", "False/DigestMismatch")
	w.expectEvent("Review/forged DigestMismatch: the figures are not those of the digest")
}

// With all controllers at work, a review is opened, timed and told of by itself.
func TestReviewsAreWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(reviewedVisits())
	becomes[*v1alpha1.Touchpoint](w, "desk", "Ready", "True/Reconciled")
	w.post("visits", answer("desk", "ease", 6))
	w.eventually("the program listens", func() error {
		if stage := w.program().Status.Stage; stage != v1alpha1.LifecycleListen {
			return fmt.Errorf("stage %q", stage)
		}
		return nil
	})
	w.at(w.clock.Now().AddDate(0, 0, 8))
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Strategy = "Be easy." })
	w.eventually("the review of the last week", func() error {
		all := w.reviews()
		if len(all) != 1 {
			return fmt.Errorf("%d reviews", len(all))
		}
		if v := &all[0]; conditionOf(v, "Held") != "Unknown/Awaited" || v.Status.DueTime == nil || len(v.Status.Outbox) != 1 {
			return fmt.Errorf("%+v", v.Status)
		}
		return nil
	})
	name := w.reviews()[0].Name
	change(w, name, func(v *v1alpha1.Review) {
		v.Spec.Attendees = []v1alpha1.NameRef{{Name: "guests"}}
		v.Spec.Decisions = []v1alpha1.Decision{{Name: "signs", Text: "More signs.", PlanRef: &v1alpha1.PlanRef{Name: "signs"}}}
	})
	w.eventually("it waits for what it names", func() error {
		if got := conditionOf(w.review(name), "Ready"); got != "False/TeamNotFound" {
			return fmt.Errorf("Ready is %s", got)
		}
		return nil
	})
	w.applyYAML(teamYAML("guests", "Department", "board"))
	w.eventually("the team is there", func() error {
		if got := conditionOf(w.review(name), "Ready"); got != "False/PlanNotFound" {
			return fmt.Errorf("Ready is %s", got)
		}
		return nil
	})
	change(w, name, func(v *v1alpha1.Review) { v.Spec.Decisions[0].PlanRef = nil })
	w.eventually("it is ready", func() error {
		if got := conditionOf(w.review(name), "Ready"); got != "True/Reconciled" {
			return fmt.Errorf("Ready is %s", got)
		}
		return nil
	})
}
