package objectives

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
)

func verdict() v1alpha1.ObjectiveStatus {
	since := metav1.NewTime(time.Unix(1000, 0))
	return v1alpha1.ObjectiveStatus{
		Name: "easy", State: v1alpha1.StateMissed, Score: "55.72", Lower: "53.73", Upper: "57.69", Target: "65", Responses: 2421,
		StateSince: &since, ReleasedAnswers: 2421, ReleasedResponses: 2421, Definition: "d",
	}
}

func TestCompare(t *testing.T) {
	judged := &v1alpha1.Judging{Through: "2026-11-20", Import: "i"}
	for name, c := range map[string]struct {
		verdict func(*v1alpha1.ObjectiveStatus)
		judged  *v1alpha1.Judging
		want    Urgency
	}{
		"nothing":                {func(*v1alpha1.ObjectiveStatus) {}, judged.DeepCopy(), Nothing},
		"the number of answers":  {func(o *v1alpha1.ObjectiveStatus) { o.Responses++ }, judged, Figures},
		"the score":              {func(o *v1alpha1.ObjectiveStatus) { o.Score = "55.73" }, judged, Figures},
		"what was released":      {func(o *v1alpha1.ObjectiveStatus) { o.ReleasedAnswers++ }, judged, Figures},
		"the state":              {func(o *v1alpha1.ObjectiveStatus) { o.State = v1alpha1.StateMet }, judged, AtOnce},
		"the target":             {func(o *v1alpha1.ObjectiveStatus) { o.Target = "66" }, judged, AtOnce},
		"the definition":         {func(o *v1alpha1.ObjectiveStatus) { o.Definition = "e" }, judged, AtOnce},
		"the name":               {func(o *v1alpha1.ObjectiveStatus) { o.Name = "quick" }, judged, AtOnce},
		"a score to withhold":    {func(o *v1alpha1.ObjectiveStatus) { o.Score, o.Lower, o.Upper = "", "", "" }, judged, AtOnce},
		"an import was judged":   {func(*v1alpha1.ObjectiveStatus) {}, &v1alpha1.Judging{Through: "2026-11-20", Import: "j"}, AtOnce},
		"a day was judged":       {func(*v1alpha1.ObjectiveStatus) {}, &v1alpha1.Judging{Through: "2026-11-21", Import: "i"}, AtOnce},
		"nothing is judged more": {func(*v1alpha1.ObjectiveStatus) {}, nil, AtOnce},
	} {
		t.Run(name, func(t *testing.T) {
			next := verdict()
			c.verdict(&next)
			got := Compare([]v1alpha1.ObjectiveStatus{verdict()}, []v1alpha1.ObjectiveStatus{next}, judged, c.judged)
			if got != c.want {
				t.Errorf("urgency %d, want %d", got, c.want)
			}
		})
	}
	if got := Compare(nil, []v1alpha1.ObjectiveStatus{verdict()}, judged, judged); got != AtOnce {
		t.Errorf("a new objective has urgency %d", got)
	}
}

func TestSetConditions(t *testing.T) {
	state := func(states ...v1alpha1.ObjectiveState) []v1alpha1.ObjectiveStatus {
		var all []v1alpha1.ObjectiveStatus
		for i, s := range states {
			all = append(all, v1alpha1.ObjectiveStatus{Name: string(rune('a' + i)), State: s})
		}
		return all
	}
	open := func(t v1alpha1.BreachType, objective string) []v1alpha1.Breach {
		return []v1alpha1.Breach{{Type: t, Objective: objective}}
	}
	for name, c := range map[string]struct {
		verdicts         []v1alpha1.ObjectiveStatus
		own, late        []v1alpha1.Breach
		met, accountable string
	}{
		"no objectives":              {nil, nil, nil, "Unknown/NoObjectives", "True/NothingDue"},
		"all met":                    {state("Met", "Met"), nil, nil, "True/AllMet", "True/NothingDue"},
		"one is on track":            {state("Met", "OnTrack"), nil, nil, "Unknown/Undecided", "True/NothingDue"},
		"too few answers":            {state("InsufficientData"), nil, nil, "Unknown/Undecided", "True/NothingDue"},
		"missed, not judged yet":     {state("Met", "Missed"), nil, nil, "False/ObjectiveMissed", "True/NothingDue"},
		"at risk with the breach":    {state("AtRisk"), open("ObjectiveMissed", "a"), nil, "False/ObjectiveMissed", "True/NothingDue"},
		"stale with the breach":      {state("Stale"), open("ObjectiveMissed", "a"), nil, "False/ObjectiveMissed", "True/NothingDue"},
		"a plan is missing":          {state("Missed"), open("PlanMissing", "a"), open("PlanOverdue", "a"), "False/ObjectiveMissed", "False/PlanMissing"},
		"a plan is unacknowledged":   {state("Met"), nil, open("PlanUnacknowledged", "a"), "True/AllMet", "False/PlanUnacknowledged"},
		"a plan is overdue":          {state("Met"), nil, open("PlanOverdue", "a"), "True/AllMet", "False/PlanOverdue"},
		"an action alone is overdue": {state("Met"), nil, open("ActionOverdue", "a"), "True/AllMet", "True/NothingDue"},
		"nobody owns it":             {state("Met"), open("OwnerMissing", ""), nil, "True/AllMet", "True/NothingDue"},
		"consistently low": {
			state("Missed"), append(open("ObjectiveMissed", "a"), open("ConsistentlyLow", "a")...), nil, "False/ConsistentlyLow", "True/NothingDue",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var all []metav1.Condition
			SetConditions(conditions.Set{Conditions: &all}, c.verdicts, c.own, c.late)
			got := map[string]string{}
			for _, c := range all {
				got[c.Type] = string(c.Status) + "/" + c.Reason
			}
			if diff := cmp.Diff(map[string]string{"ObjectivesMet": c.met, "FollowedUp": "True/PromisesKept", "Accountable": c.accountable}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Customers who wait are a condition of their own, and a plan's is not touched by them.
func TestSetFollowedUp(t *testing.T) {
	overdue := func(items ...string) []v1alpha1.Breach {
		var all []v1alpha1.Breach
		for _, item := range items {
			all = append(all, v1alpha1.Breach{Type: v1alpha1.BreachFollowUpOverdue, Item: item})
		}
		return all
	}
	for want, own := range map[string][]v1alpha1.Breach{
		"True/PromisesKept no customer waits longer than promised to be contacted":                                                       nil,
		"False/FollowUpOverdue customers wait longer than promised to be contacted":                                                      overdue("cases"),
		"False/FollowUpOverdue customers wait longer than promised to be contacted; fewer customers than promised are contacted in time": overdue("cases", "share"),
	} {
		var all []metav1.Condition
		SetConditions(conditions.Set{Conditions: &all}, nil, own, nil)
		c := meta.FindStatusCondition(all, v1alpha1.ConditionFollowedUp)
		if got := string(c.Status) + "/" + c.Reason + " " + c.Message; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		if !meta.IsStatusConditionTrue(all, v1alpha1.ConditionAccountable) {
			t.Errorf("%+v makes the plans late", own)
		}
	}
}

// Figures that are not on record yet are shown only where answers are not anonymous; the number of answers is live.
func TestSeries(t *testing.T) {
	published, live := verdict(), verdict()
	live.Score, live.Lower, live.Upper, live.Responses = "60", "58", "62", 2500
	label := Label{Kind: "Touchpoint", Namespace: "sfo", Name: "food", Program: "p", Touchpoint: "food", Team: "concessions"}
	since := time.Unix(2000, 0)
	breaches := []v1alpha1.Breach{{Type: v1alpha1.BreachObjectiveMissed, Objective: "easy", Item: "i", Since: metav1.NewTime(since)}}
	for release, want := range map[v1alpha1.ReleaseMode]float64{v1alpha1.ReleaseGuarded: 55.72, v1alpha1.ReleaseImmediate: 60} {
		program := &v1alpha1.SurveyProgram{}
		program.Spec.Privacy.Release = release
		s := Subject{Program: program, Objectives: []v1alpha1.Objective{{Name: "easy", Metric: v1alpha1.MetricCSAT}}}
		got := Series(label, s, []v1alpha1.ObjectiveStatus{published}, []v1alpha1.ObjectiveStatus{live}, breaches)
		if o := got.Objectives[0]; o.Figures.Score != want || o.Responses != 2500 || o.Target != 65 || o.Metric != "CSAT" || !o.Figures.HasInterval {
			t.Errorf("%s: %+v %+v, want score %v", release, o, o.Figures, want)
		}
		wantBreach := exporter.Breach{
			Namespace: "sfo", Type: "ObjectiveMissed", Kind: "Touchpoint", Name: "food", Objective: "easy", Item: "i", Program: "p", Team: "concessions", Since: since,
		}
		if diff := cmp.Diff([]exporter.Breach{wantBreach}, got.Breaches); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	published.Score, published.Lower, published.Upper = "", "", ""
	got := Series(label, Subject{Program: &v1alpha1.SurveyProgram{}}, []v1alpha1.ObjectiveStatus{published}, nil, nil)
	if got.Objectives[0].Figures != nil || got.Objectives[0].Responses != 2421 {
		t.Errorf("%+v of an objective below the floor", got.Objectives[0])
	}
}

// What the verdicts closed closes for their reason; an objective that is missed anew in the same pass begins an episode.
func TestMerge(t *testing.T) {
	began, now := metav1.NewTime(time.Unix(1000, 0)), time.Unix(5000, 0)
	missed := v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed, Objective: "easy", Since: began, PlanRef: &v1alpha1.PlanRef{Name: "p"}}
	missing := v1alpha1.Breach{Type: v1alpha1.BreachPlanMissing, Objective: "easy", Since: began}
	unowned := v1alpha1.Breach{Type: v1alpha1.BreachOwnerMissing, Since: began}
	anew := v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed, Objective: "easy", Since: breach.Since(now)}
	for name, c := range map[string]struct {
		wanted      []v1alpha1.Breach
		transitions []breach.Transition
		open        []v1alpha1.Breach
		told        []string
	}{
		"nothing changes": {
			[]v1alpha1.Breach{{Type: v1alpha1.BreachOwnerMissing}, missed, missing}, nil,
			[]v1alpha1.Breach{missed, unowned, missing}, nil,
		},
		"the objective changed": {
			[]v1alpha1.Breach{{Type: v1alpha1.BreachOwnerMissing}}, []breach.Transition{breach.Closed(missed, v1alpha1.ReasonObjectiveChanged)},
			[]v1alpha1.Breach{unowned}, []string{"ObjectiveMissed ObjectiveChanged", "PlanMissing Recovered"},
		},
		"and is missed at once": {
			[]v1alpha1.Breach{{Type: v1alpha1.BreachOwnerMissing}, anew},
			[]breach.Transition{breach.Closed(missed, v1alpha1.ReasonObjectiveChanged), breach.Opened(anew)},
			[]v1alpha1.Breach{anew, unowned}, []string{"ObjectiveMissed ObjectiveChanged", "PlanMissing Recovered", "ObjectiveMissed ObjectiveMissed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			previous := []v1alpha1.Breach{missed, unowned, missing}
			open, transitions := Merge(previous, c.wanted, evaluate.Output{Transitions: c.transitions}, now)
			if diff := cmp.Diff(c.open, open); diff != "" {
				t.Errorf("open (-want +got):\n%s", diff)
			}
			var told []string
			for _, tr := range transitions {
				told = append(told, string(tr.Breach.Type)+" "+tr.Reason)
			}
			if diff := cmp.Diff(c.told, told); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]v1alpha1.Breach{missed, unowned, missing}, previous); diff != "" {
				t.Errorf("the argument was changed:\n%s", diff)
			}
		})
	}
}

func TestThrottle(t *testing.T) {
	var throttle Throttle
	at := time.Unix(1000, 0)
	if wait := throttle.Wait("a", at); wait != 0 {
		t.Errorf("the first write waits %s", wait)
	}
	throttle.Wrote("a", at)
	throttle.Done()
	for _, c := range []struct{ after, want time.Duration }{{0, 15 * time.Second}, {14 * time.Second, time.Second}, {15 * time.Second, 0}, {time.Hour, 0}} {
		if due := throttle.Due("a", at.Add(c.after)); due != c.want {
			t.Errorf("%s after a write the next is due in %s, want %s", c.after, due, c.want)
		}
		if wait := throttle.Wait("a", at.Add(c.after)); wait != c.want {
			t.Errorf("%s after a write the next waits %s, want %s", c.after, wait, c.want)
		} else if wait == 0 {
			throttle.Done()
		}
	}
	if wait := throttle.Wait("b", at); wait != 0 {
		t.Errorf("another object waits %s", wait)
	}
	throttle.Forget("a")
	if wait := throttle.Wait("a", at); wait != 0 {
		t.Errorf("a forgotten object waits %s", wait)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { throttle.Wrote("a", at); throttle.Wait("a", at); throttle.Forget("b"); throttle.Done() })
	}
	all.Wait()
}
