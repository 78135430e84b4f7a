package governance

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestNothingLacking(t *testing.T) {
	out := Derive(sound())
	var got []string
	for _, c := range out.Conditions {
		got = append(got, c.Type+"="+string(c.Status)+"/"+c.Reason)
	}
	want := []string{
		"PurposeStated=True/PurposeStated", "CrossFunctional=True/SeveralFunctions", "Measurement=True/InPlace", "Integration=True/InPlace",
		"Accountability=True/InPlace", "Awareness=True/InPlace", "ActsOnFindings=True/NothingMissed",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if out.Stage != v1alpha1.LifecycleUnderstand || len(out.Breaches) > 0 || !out.Next.IsZero() {
		t.Errorf("stage %s, breaches %v, next %s", out.Stage, out.Breaches, out.Next)
	}
}

func TestConditions(t *testing.T) {
	const (
		purpose, functions, measurement, integration      = v1alpha1.ConditionPurposeStated, v1alpha1.ConditionCrossFunctional, v1alpha1.ConditionMeasurement, v1alpha1.ConditionIntegration
		accountability, awareness                         = v1alpha1.ConditionAccountability, v1alpha1.ConditionAwareness
		missing, unacknowledged, overdue, notHeld, silent = v1alpha1.BreachPlanMissing, v1alpha1.BreachPlanUnacknowledged, v1alpha1.BreachPlanOverdue, v1alpha1.BreachReviewMissed, v1alpha1.BreachSponsorSilent
	)
	open := func(kind v1alpha1.BreachType) []v1alpha1.Breach { return []v1alpha1.Breach{{Type: kind}} }
	for name, c := range map[string]struct {
		change func(*Situation)
		kind   string
		want   string // status and reason
		says   string // part of the message
	}{
		"a blank purpose":              {func(s *Situation) { s.Program.Spec.Purpose = " \n" }, purpose, "False/NoPurpose", "spec.purpose"},
		"no strategy":                  {func(s *Situation) { s.Program.Spec.Strategy = "" }, purpose, "False/NoStrategy", "spec.strategy"},
		"a blank strategy":             {func(s *Situation) { s.Program.Spec.Strategy = "\t" }, purpose, "False/NoStrategy", "spec.strategy"},
		"one touchpoint":               {func(s *Situation) { s.Touchpoints = s.Touchpoints[:1] }, functions, "Unknown/TooFewTouchpoints", "fewer than two"},
		"no touchpoint":                {func(s *Situation) { s.Touchpoints = nil }, integration, "Unknown/TooFewTouchpoints", "fewer than two"},
		"one function":                 {func(s *Situation) { s.Touchpoints[1].Spec.OwnerRef = ref("front-desk") }, functions, "False/OneFunction", "CustomerCare"},
		"a person counts for the team": {func(s *Situation) { s.Touchpoints[0].Spec.OwnerRef = ref("clerk") }, functions, "True/SeveralFunctions", "CustomerCare, Facilities"},
		"one owner of two":             {func(s *Situation) { s.Touchpoints[1].Spec.OwnerRef = nil }, functions, "False/OneFunction", "CustomerCare"},
		"no owner at all":              {func(s *Situation) { s.Touchpoints[0].Spec.OwnerRef, s.Touchpoints[1].Spec.OwnerRef = nil, ref("gone") }, functions, "False/NoOwner", "nobody's"},
		"functions unstated": {func(s *Situation) {
			s.Touchpoints[0].Spec.OwnerRef, s.Touchpoints[1].Spec.OwnerRef = ref("odd"), ref("a")
		}, functions, "False/FunctionUnknown", "spec.function"},
		"one is stated": {func(s *Situation) { s.Touchpoints[0].Spec.OwnerRef = ref("odd") }, functions, "False/OneFunction", "Facilities"},

		"a critical one bare":  {func(s *Situation) { s.Touchpoints[1].Spec.Objectives = nil }, measurement, "False/CriticalUnmeasured", "rooms"},
		"its question is lost": {func(s *Situation) { s.Program.Spec.Survey.Questions = s.Program.Spec.Survey.Questions[:1] }, measurement, "False/CriticalUnmeasured", "rooms"},
		"a standard one may be": {func(s *Situation) {
			s.Touchpoints[1].Spec.Objectives, s.Touchpoints[1].Spec.Importance = nil, v1alpha1.ImportanceStandard
		}, measurement, "True/InPlace", ""},
		"the program alone": {func(s *Situation) { s.Touchpoints = nil }, measurement, "True/InPlace", ""},
		"nothing measured":  {func(s *Situation) { s.Touchpoints, s.Program.Spec.Objectives = nil, nil }, measurement, "False/NoObjective", "neither"},

		"a program of nobody":    {func(s *Situation) { s.Program.Spec.OwnerRef = nil }, integration, "False/NoOwner", "owns the program"},
		"its owner is gone":      {func(s *Situation) { s.Program.Spec.OwnerRef = ref("gone") }, integration, "False/NoOwner", "owns the program"},
		"a touchpoint of nobody": {func(s *Situation) { s.Touchpoints[0].Spec.OwnerRef = nil }, integration, "False/TouchpointUnowned", "desk"},
		"owned by one function":  {func(s *Situation) { s.Touchpoints[1].Spec.OwnerRef = ref("front-desk") }, integration, "False/OneFunction", "CustomerCare"},
		"a handoff uncovered":    {func(s *Situation) { s.Touchpoints[1].Status.Breaches = open(v1alpha1.BreachHandoffUncovered) }, integration, "False/HandoffUncovered", "from: rooms"},

		"no policy":         {func(s *Situation) { s.Governed = Condition{"", metav1.ConditionFalse, "NoPolicy", "none selects it"} }, accountability, "False/NoPolicy", "none selects it"},
		"no sponsor":        {func(s *Situation) { s.Program.Spec.ExecutiveSponsor = nil }, accountability, "False/NoSponsor", "executiveSponsor"},
		"a plan is missing": {func(s *Situation) { s.Program.Status.Breaches = open(missing) }, accountability, "False/PlanMissing", "without a plan: 1"},
		"two are": {func(s *Situation) {
			s.Program.Status.Breaches, s.Touchpoints[1].Status.Breaches = open(missing), open(missing)
		}, accountability, "False/PlanMissing", "without a plan: 2"},
		"one is ignored": {func(s *Situation) {
			s.Plans = []v1alpha1.ActionPlan{{Status: v1alpha1.ActionPlanStatus{Breaches: open(unacknowledged)}}}
		}, accountability, "False/PlanUnacknowledged", "took over in time: 1"},
		"one is late": {func(s *Situation) {
			s.Plans = []v1alpha1.ActionPlan{{Status: v1alpha1.ActionPlanStatus{Breaches: open(overdue)}}}
		}, accountability, "False/PlanOverdue", "due date: 1"},
		"nobody acts": {func(s *Situation) { missed(s, days(-61)) }, accountability, "False/NoActionTaken", "60 days"},
		"the first one counts": {func(s *Situation) {
			s.Program.Spec.ExecutiveSponsor = nil
			s.Program.Status.Breaches = open(missing)
		}, accountability, "False/NoSponsor", "; missed objectives without a plan: 1"},

		"nobody asks for reviews":  {func(s *Situation) { s.Reviews, s.ReviewsAsked = nil, false }, awareness, "False/NoReviews", "none was held"},
		"none was due yet":         {func(s *Situation) { s.Reviews = nil }, awareness, "Unknown/NoReviewYet", ""},
		"held without being asked": {func(s *Situation) { s.ReviewsAsked = false }, awareness, "True/InPlace", ""},
		"one was not held":         {func(s *Situation) { s.Reviews[0].Status.Breaches = open(notHeld) }, awareness, "False/ReviewMissed", "in time: 1"},
		"a silent sponsor":         {func(s *Situation) { s.SponsorSilent = true }, awareness, "False/" + string(silent), "takes no part"},
		"held, nothing said":       {func(s *Situation) { s.Reviews[0].Spec.Insight = " " }, awareness, "False/NoInsight", "visits-2026-w46"},
		"a question is enough":     {func(s *Situation) { s.Reviews[0].Spec.Insight, s.Reviews[0].Spec.Question = "", "Why?" }, awareness, "True/InPlace", ""},
		"an older one said nothing": {func(s *Situation) {
			older := review("visits-2026-w45", "2026-11-08", at(days(-10)))
			older.Spec.Insight = ""
			s.Reviews = append(s.Reviews, older)
		}, awareness, "True/InPlace", ""},
		"a later one said nothing": {func(s *Situation) {
			later := review("visits-2026-w47", "2026-11-22", at(days(-1)))
			later.Spec.Insight = ""
			s.Reviews = append(s.Reviews, later)
		}, awareness, "False/NoInsight", "visits-2026-w47"},
		"a date ahead is not held": {func(s *Situation) { s.Reviews[0].Spec.HeldTime = at(days(1)) }, awareness, "Unknown/NoReviewYet", ""},
		"told nowhere":             {func(s *Situation) { s.Program.Spec.Communication = nil }, awareness, "False/NoCommunication", "spec.communication"},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound()
			c.change(&s)
			got, message := condition(t, Derive(s), c.kind)
			if got != c.want || !strings.Contains(message, c.says) {
				t.Errorf("%s %s (%s), want %s with %q", c.kind, got, message, c.want, c.says)
			}
		})
	}
}

func TestManyNamesAreCut(t *testing.T) {
	s := sound()
	for _, name := range []string{"e", "d", "c", "b", "a"} {
		s.Touchpoints = append(s.Touchpoints, touchpoint(name, "gone"))
	}
	s.Touchpoints[0].Spec.OwnerRef = nil
	_, message := condition(t, Derive(s), v1alpha1.ConditionIntegration)
	if want := "touchpoints that no existing team owns: a, b, c, d, desk and 1 more"; !strings.Contains(message, want) {
		t.Errorf("%q does not say %q", message, want)
	}
}

func TestStage(t *testing.T) {
	verdict := func(state v1alpha1.ObjectiveState, lower string, responses int64) []v1alpha1.ObjectiveStatus {
		return []v1alpha1.ObjectiveStatus{{Name: "nps", State: state, Lower: lower, ReleasedResponses: responses}}
	}
	unanswered := func(s *Situation) { s.Answered, s.Program.Status.Objectives = ptr.To(false), nil }
	early := v1alpha1.ActionPlan{Status: v1alpha1.ActionPlanStatus{Effect: &v1alpha1.Effect{Verdict: v1alpha1.EffectTooEarly}}}
	helped := v1alpha1.ActionPlan{Status: v1alpha1.ActionPlanStatus{Effect: &v1alpha1.Effect{Verdict: v1alpha1.EffectImproved}}}
	for name, c := range map[string]struct {
		change func(*Situation)
		want   v1alpha1.LifecycleStage
	}{
		"no answers": {unanswered, v1alpha1.LifecycleDesign},
		"no answers, but a plan": {func(s *Situation) {
			unanswered(s)
			s.Plans = []v1alpha1.ActionPlan{plan(v1alpha1.WorkInProgress, noon, true)}
		}, v1alpha1.LifecycleDesign},
		"not known":                {func(s *Situation) { s.Answered, s.Program.Status.Objectives = nil, nil }, ""},
		"not known, but a verdict": {func(s *Situation) { s.Answered = nil }, v1alpha1.LifecycleUnderstand},
		"answers":                  {func(s *Situation) { s.Program.Status.Objectives = nil }, v1alpha1.LifecycleListen},
		"too few of them":          {func(s *Situation) { s.Program.Status.Objectives = verdict(v1alpha1.StateInsufficientData, "20.00", 29) }, v1alpha1.LifecycleListen},
		"stale, of enough":         {func(s *Situation) { s.Program.Status.Objectives = verdict(v1alpha1.StateStale, "20.00", 30) }, v1alpha1.LifecycleUnderstand},
		"stale, of too few":        {func(s *Situation) { s.Program.Status.Objectives = verdict(v1alpha1.StateStale, "20.00", 29) }, v1alpha1.LifecycleListen},
		"stale, below the floor":   {func(s *Situation) { s.Program.Status.Objectives = verdict(v1alpha1.StateStale, "", 30) }, v1alpha1.LifecycleListen},
		"at risk":                  {func(s *Situation) { s.Program.Status.Objectives = verdict(v1alpha1.StateAtRisk, "20.00", 30) }, v1alpha1.LifecycleUnderstand},
		"a touchpoint's verdict": {func(s *Situation) {
			s.Program.Status.Objectives, s.Touchpoints[1].Status.Objectives = nil, verdict(v1alpha1.StateMissed, "", 0)
		}, v1alpha1.LifecycleUnderstand},
		"a breach whose window is empty": {func(s *Situation) { s.Program.Status.Objectives = nil; missed(s, days(-1)) }, v1alpha1.LifecycleUnderstand},
		"a plan that nobody began":       {func(s *Situation) { s.Plans = []v1alpha1.ActionPlan{plan(v1alpha1.WorkNotStarted, noon, false)} }, v1alpha1.LifecycleUnderstand},
		"a plan that waits":              {func(s *Situation) { s.Plans = []v1alpha1.ActionPlan{plan(v1alpha1.WorkOnHold, noon, true)} }, v1alpha1.LifecycleUnderstand},
		"a plan in progress":             {func(s *Situation) { s.Plans = []v1alpha1.ActionPlan{plan(v1alpha1.WorkInProgress, noon, true)} }, v1alpha1.LifecycleTransform},
		"a plan that is complete":        {func(s *Situation) { s.Plans = []v1alpha1.ActionPlan{plan(v1alpha1.WorkComplete, noon, true)} }, v1alpha1.LifecycleTransform},
		"a plan in progress, no verdict": {func(s *Situation) {
			s.Program.Status.Objectives, s.Plans = nil, []v1alpha1.ActionPlan{plan(v1alpha1.WorkInProgress, noon, true)}
		}, v1alpha1.LifecycleTransform},
		"too early to say": {func(s *Situation) { early.Spec.State = v1alpha1.WorkComplete; s.Plans = []v1alpha1.ActionPlan{early} }, v1alpha1.LifecycleTransform},
		"it helped":        {func(s *Situation) { s.Plans = []v1alpha1.ActionPlan{early, helped} }, v1alpha1.LifecycleRealize},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound()
			c.change(&s)
			s.Program.Status.Stage = v1alpha1.LifecycleRealize // what was said before does not count
			if c.want == v1alpha1.LifecycleRealize {
				s.Program.Status.Stage = ""
			}
			if got := Derive(s).Stage; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestActsOnFindings(t *testing.T) {
	lagging := plan(v1alpha1.WorkInProgress, days(-1), true)
	lagging.Spec.State = v1alpha1.WorkOnHold
	fresh := v1alpha1.ActionPlan{Spec: v1alpha1.ActionPlanSpec{State: v1alpha1.WorkInProgress}}
	done := v1alpha1.ActionPlan{Spec: v1alpha1.ActionPlanSpec{State: v1alpha1.WorkComplete}}
	done.Status.State = v1alpha1.WorkNotStarted
	late := func(s *Situation) { missed(s, days(-61)) }
	with := func(p ...v1alpha1.ActionPlan) func(*Situation) {
		return func(s *Situation) { late(s); s.Plans = p }
	}
	for name, c := range map[string]struct {
		change func(*Situation)
		want   string
		since  time.Time // of the breach
		next   time.Time
	}{
		"nothing missed":    {func(*Situation) {}, "True/NothingMissed", time.Time{}, time.Time{}},
		"no verdict":        {func(s *Situation) { s.Program.Status.Objectives = nil }, "Unknown/NoFindings", time.Time{}, time.Time{}},
		"missed just now":   {func(s *Situation) { missed(s, time.Time{}) }, "True/WithinTime", time.Time{}, days(60)},
		"a moment before":   {func(s *Situation) { missed(s, days(-60).Add(time.Second)) }, "True/WithinTime", time.Time{}, noon.Add(time.Second)},
		"the time is over":  {func(s *Situation) { missed(s, days(-60)) }, "False/NoActionTaken", noon, time.Time{}},
		"long over":         {late, "False/NoActionTaken", days(-1), time.Time{}},
		"the oldest counts": {func(s *Situation) { missed(s, days(-2)); late(s); missed(s, days(-3)) }, "False/NoActionTaken", days(-1), time.Time{}},
		"the program's own": {func(s *Situation) {
			s.Program.Status.Breaches = []v1alpha1.Breach{{Type: v1alpha1.BreachObjectiveMissed, Since: *at(days(-70))}}
		}, "False/NoActionTaken", days(-10), time.Time{}},
		"a rule of yesterday":       {func(s *Situation) { late(s); s.GovernedSince = days(-1) }, "True/WithinTime", time.Time{}, days(59)},
		"a rule from before":        {func(s *Situation) { late(s); s.GovernedSince = days(-70) }, "False/NoActionTaken", days(-1), time.Time{}},
		"no limit":                  {func(s *Situation) { late(s); s.ActWithinDays = 0 }, "True/WithinTime", time.Time{}, time.Time{}},
		"a plan in progress":        {with(plan(v1alpha1.WorkInProgress, days(-1), true)), "True/Acting", time.Time{}, time.Time{}},
		"one that just began":       {with(fresh), "True/Acting", time.Time{}, time.Time{}},
		"one of two":                {with(plan(v1alpha1.WorkNotStarted, days(-60), false), plan(v1alpha1.WorkInProgress, days(-1), true)), "True/Acting", time.Time{}, time.Time{}},
		"one that nobody began":     {with(plan(v1alpha1.WorkNotStarted, days(-1), false)), "False/NoActionTaken", days(-1), time.Time{}},
		"put on hold at the start":  {with(plan(v1alpha1.WorkOnHold, days(-1), false)), "False/NoActionTaken", days(-1), time.Time{}},
		"put on hold after work":    {with(plan(v1alpha1.WorkOnHold, days(-50), true)), "True/WithinTime", time.Time{}, days(10)},
		"given up after work":       {with(plan(v1alpha1.WorkCancelled, days(-60), true)), "False/NoActionTaken", noon, time.Time{}},
		"completed":                 {with(plan(v1alpha1.WorkComplete, days(-10), true)), "True/WithinTime", time.Time{}, days(50)},
		"completed at once":         {with(plan(v1alpha1.WorkComplete, days(-10), false)), "True/WithinTime", time.Time{}, days(50)},
		"completed before it began": {with(plan(v1alpha1.WorkComplete, days(-100), true)), "False/NoActionTaken", days(-1), time.Time{}},
		"its status lags behind":    {with(lagging), "True/Acting", time.Time{}, time.Time{}},
		"completed, not timed yet":  {with(done), "True/Acting", time.Time{}, time.Time{}},
		"another breach is no matter": {func(s *Situation) {
			s.Program.Status.Breaches = []v1alpha1.Breach{{Type: v1alpha1.BreachOwnerMissing, Since: *at(days(-70))}}
		}, "True/NothingMissed", time.Time{}, time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := sound()
			c.change(&s)
			out := Derive(s)
			if got, message := condition(t, out, v1alpha1.ConditionActsOnFindings); got != c.want {
				t.Errorf("%s (%s), want %s", got, message, c.want)
			}
			if !out.Next.Equal(c.next) {
				t.Errorf("next %s, want %s", out.Next, c.next)
			}
			switch {
			case c.since.IsZero() && len(out.Breaches) > 0:
				t.Errorf("breaches %v, want none", out.Breaches)
			case !c.since.IsZero() && (len(out.Breaches) != 1 || out.Breaches[0].Type != v1alpha1.BreachNoActionTaken || !out.Breaches[0].Since.Time.Equal(c.since)):
				t.Errorf("breaches %v, want one since %s", out.Breaches, c.since)
			}
		})
	}
}

// A review that is dated ahead is looked at when that time has come.
func TestNextIsTheFirst(t *testing.T) {
	s := sound()
	s.Reviews = append(s.Reviews, review("w48", "2026-11-29", at(days(9))), review("w49", "2026-12-06", at(days(16))))
	if got := Derive(s).Next; !got.Equal(days(9)) {
		t.Errorf("next %s, want the review's %s", got, days(9))
	}
	missed(&s, days(-55))
	if got := Derive(s).Next; !got.Equal(days(5)) {
		t.Errorf("next %s, want the clock's %s", got, days(5))
	}
}
