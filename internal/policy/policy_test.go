package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var founded = time.Date(2026, time.November, 1, 9, 0, 0, 0, time.UTC)

// named is a policy that selects everything, with the defaults that the API server fills in.
func named(name string, edits ...func(*v1alpha1.AccountabilityPolicy)) v1alpha1.AccountabilityPolicy {
	p := v1alpha1.AccountabilityPolicy{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(founded)}}
	p.Spec.Evidence = v1alpha1.PolicyEvidence{MinimumResponses: 30, ConfidencePercent: 95, ConsecutiveWindows: 3, ConfirmDays: ptr.To[int32](21)}
	p.Spec.Deadlines = v1alpha1.PolicyDeadlines{AcknowledgeWithinHours: 48, PlanDueWithinDays: 30, ActWithinDays: 60}
	p.Spec.Recognition.Mode = v1alpha1.RecognitionNotify
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

func selecting(key, value string) func(*v1alpha1.AccountabilityPolicy) {
	return func(p *v1alpha1.AccountabilityPolicy) { p.Spec.Selector.MatchLabels = map[string]string{key: value} }
}

func priority(n int32) func(*v1alpha1.AccountabilityPolicy) {
	return func(p *v1alpha1.AccountabilityPolicy) { p.Spec.Priority = n }
}

func age(d time.Duration) func(*v1alpha1.AccountabilityPolicy) {
	return func(p *v1alpha1.AccountabilityPolicy) { p.CreationTimestamp = metav1.NewTime(founded.Add(-d)) }
}

func TestSelect(t *testing.T) {
	leaving := func(p *v1alpha1.AccountabilityPolicy) { p.DeletionTimestamp = &p.CreationTimestamp }
	invalid := func(p *v1alpha1.AccountabilityPolicy) {
		p.Spec.Selector.MatchExpressions = []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}}
	}
	for name, c := range map[string]struct {
		policies []v1alpha1.AccountabilityPolicy
		winner   string
		equals   []string
	}{
		"none there":                   {nil, "", nil},
		"an empty selector":            {[]v1alpha1.AccountabilityPolicy{named("a")}, "a", nil},
		"another label":                {[]v1alpha1.AccountabilityPolicy{named("a", selecting("tier", "silver"))}, "", nil},
		"its label":                    {[]v1alpha1.AccountabilityPolicy{named("a", selecting("tier", "gold"))}, "a", nil},
		"the highest priority":         {[]v1alpha1.AccountabilityPolicy{named("a", age(time.Hour)), named("b", priority(1))}, "b", nil},
		"a lower priority is no rival": {[]v1alpha1.AccountabilityPolicy{named("a", priority(-1)), named("b"), named("c", priority(-1))}, "b", nil},
		"the oldest of equals":         {[]v1alpha1.AccountabilityPolicy{named("a"), named("b", age(time.Hour))}, "b", []string{"a"}},
		"by name of the same second":   {[]v1alpha1.AccountabilityPolicy{named("c"), named("b"), named("a")}, "a", []string{"b", "c"}},
		"one that is being deleted":    {[]v1alpha1.AccountabilityPolicy{named("a", priority(1), leaving), named("b")}, "b", nil},
		"a selector that is not valid": {[]v1alpha1.AccountabilityPolicy{named("a", priority(1), invalid), named("b")}, "b", nil},
	} {
		t.Run(name, func(t *testing.T) {
			winner, equals := Select(c.policies, map[string]string{"tier": "gold"})
			got := ""
			if winner != nil {
				got = winner.Name
			}
			if got != c.winner || !cmp.Equal(equals, c.equals) {
				t.Errorf("%q with %q, want %q with %q", got, equals, c.winner, c.equals)
			}
		})
	}
}

func program() *v1alpha1.SurveyProgram {
	p := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Name: "visits", Labels: map[string]string{"tier": "gold"}}}
	p.Spec.Evidence = v1alpha1.Evidence{MinimumResponses: 30, ConfidencePercent: 95, Judging: v1alpha1.JudgingDaily}
	return p
}

func touchpoint(labels map[string]string) *v1alpha1.Touchpoint {
	return &v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: "desk", Labels: labels}}
}

// Which policy governs, and what the condition says of it.
func TestGoverned(t *testing.T) {
	gold, silver := named("gold", selecting("tier", "gold")), named("silver", selecting("tier", "silver"))
	for name, c := range map[string]struct {
		policies       []v1alpha1.AccountabilityPolicy
		labels         map[string]string
		policy, reason string
		message        string
	}{
		"no policy at all":       {nil, nil, "", "NoPolicy", "no AccountabilityPolicy selects the touchpoint or its program: the built-in defaults apply"},
		"one for others":         {[]v1alpha1.AccountabilityPolicy{silver}, nil, "", "NoPolicy", "no AccountabilityPolicy selects the touchpoint or its program: the built-in defaults apply"},
		"its program's":          {[]v1alpha1.AccountabilityPolicy{gold, silver}, nil, "gold", "Inherited", `AccountabilityPolicy "gold" selects the touchpoint's program`},
		"its own":                {[]v1alpha1.AccountabilityPolicy{gold, silver}, map[string]string{"tier": "silver"}, "silver", "Selected", `AccountabilityPolicy "silver" selects the touchpoint`},
		"its own of no priority": {[]v1alpha1.AccountabilityPolicy{named("gold", selecting("tier", "gold"), priority(9)), silver}, map[string]string{"tier": "silver"}, "silver", "Selected", `AccountabilityPolicy "silver" selects the touchpoint`},
		"two of one priority":    {[]v1alpha1.AccountabilityPolicy{gold, named("all")}, nil, "all", "Selected", `AccountabilityPolicy "all" selects the touchpoint`},
		"two for its program": {
			[]v1alpha1.AccountabilityPolicy{gold, named("rival", selecting("tier", "gold"))}, nil, "gold", "PolicyOverlap",
			`AccountabilityPolicy "gold" selects the touchpoint's program, and so do of the same priority rival: the oldest applies`,
		},
		"a stricter one": {
			[]v1alpha1.AccountabilityPolicy{named("strict", func(p *v1alpha1.AccountabilityPolicy) { p.Spec.Evidence.MinimumResponses = 50 })}, nil, "strict", "PolicyStricter",
			`AccountabilityPolicy "strict" selects the touchpoint; it is stricter than the program's spec.evidence.minimumResponses 30 with 50`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := ForTouchpoint(c.policies, program(), touchpoint(c.labels))
			if e.Name != c.policy || e.Governed.Reason != c.reason || e.Governed.Message != c.message {
				t.Errorf("%q %s: %s, want %q %s: %s", e.Name, e.Governed.Reason, e.Governed.Message, c.policy, c.reason, c.message)
			}
			if governed := e.Governed.Status == metav1.ConditionTrue; governed != (c.policy != "") {
				t.Errorf("status %s", e.Governed.Status)
			}
		})
	}
	own := ForProgram([]v1alpha1.AccountabilityPolicy{gold, silver}, program())
	if own.Name != "gold" || own.Governed.Reason != v1alpha1.ReasonSelected {
		t.Errorf("the program is under %q, %s", own.Name, own.Governed.Reason)
	}
	if lone := ForProgram(nil, program()); lone.Governed.Reason != v1alpha1.ReasonNoPolicy || lone.Governed.Status != metav1.ConditionFalse {
		t.Errorf("a program without a policy: %+v", lone.Governed)
	}
}

// Without a policy everything is as stated inline, and what only a policy can ask for is not asked for.
func TestBuiltIn(t *testing.T) {
	p := program()
	p.Spec.OnMissed = &v1alpha1.OnMissed{ActionPlan: &v1alpha1.ActionPlanRule{AcknowledgeWithinHours: 5}}
	want := Effective{
		Evidence:    p.Spec.Evidence,
		Plan:        v1alpha1.ActionPlanRule{Mode: v1alpha1.PlanModeNone, AcknowledgeWithinHours: 5, DueWithinDays: 30},
		Recognition: v1alpha1.Recognition{Mode: v1alpha1.RecognitionNone},
	}
	got := ForTouchpoint(nil, p, touchpoint(nil))
	got.Governed = Verdict{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a touchpoint that states nothing (-want +got):\n%s", diff)
	}
	want.Plan.Mode = v1alpha1.PlanModeCreate
	got = ForProgram(nil, p)
	got.Governed = Verdict{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("its program (-want +got):\n%s", diff)
	}
}

// Inline rules may only be stricter: the higher evidence and the earlier deadline apply, whoever states them.
func TestOnlyStricter(t *testing.T) {
	rule := func(mode v1alpha1.PlanMode, acknowledge, due, missing int32) v1alpha1.ActionPlanRule {
		return v1alpha1.ActionPlanRule{Mode: mode, AcknowledgeWithinHours: acknowledge, DueWithinDays: due, MissingAfterHours: missing}
	}
	for name, c := range map[string]struct {
		inline   *v1alpha1.ActionPlanRule
		evidence v1alpha1.Evidence
		want     v1alpha1.ActionPlanRule
		wantN    int32
		wantC    int32
		laxer    []string
	}{
		"nothing is stated":   {nil, v1alpha1.Evidence{}, rule("Create", 24, 14, 12), 50, 90, nil},
		"stricter everywhere": {ptr.To(rule("Create", 8, 7, 0)), v1alpha1.Evidence{MinimumResponses: 60, ConfidencePercent: 99}, rule("Create", 8, 7, 0), 60, 99, nil},
		"the same":            {ptr.To(rule("Create", 24, 14, 12)), v1alpha1.Evidence{MinimumResponses: 50, ConfidencePercent: 90}, rule("Create", 24, 14, 12), 50, 90, nil},
		"laxer everywhere": {
			ptr.To(rule("Create", 48, 30, 24)), v1alpha1.Evidence{MinimumResponses: 30, ConfidencePercent: 80}, rule("Create", 24, 14, 12), 50, 90,
			[]string{
				"spec.evidence.minimumResponses 30 with 50", "spec.evidence.confidencePercent 80 with 90", "spec.onMissed.actionPlan.acknowledgeWithinHours 48 with 24",
				"spec.onMissed.actionPlan.dueWithinDays 30 with 14", "spec.onMissed.actionPlan.missingAfterHours 24 with 12",
			},
		},
		"people write the plans": {ptr.To(rule("None", 8, 14, 0)), v1alpha1.Evidence{}, rule("None", 8, 14, 0), 50, 90, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := program()
			p.Spec.Evidence = c.evidence
			if c.inline != nil {
				p.Spec.OnMissed = &v1alpha1.OnMissed{ActionPlan: c.inline}
			}
			house := named("house", func(p *v1alpha1.AccountabilityPolicy) {
				p.Spec.Evidence.MinimumResponses, p.Spec.Evidence.ConfidencePercent = 50, 90
				p.Spec.Deadlines.AcknowledgeWithinHours, p.Spec.Deadlines.PlanDueWithinDays, p.Spec.Deadlines.MissingAfterHours = 24, 14, 12
			})
			e := ForProgram([]v1alpha1.AccountabilityPolicy{house}, p)
			if diff := cmp.Diff(c.want, e.Plan); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if e.Evidence.MinimumResponses != c.wantN || e.Evidence.ConfidencePercent != c.wantC || e.Evidence.Judging != c.evidence.Judging {
				t.Errorf("evidence %+v", e.Evidence)
			}
			for _, text := range c.laxer {
				if !strings.Contains(e.Governed.Message, text) {
					t.Errorf("%q does not say %q", e.Governed.Message, text)
				}
			}
			if stricter := e.Governed.Reason == v1alpha1.ReasonPolicyStricter; stricter != (len(c.laxer) > 0) {
				t.Errorf("reason %s: %s", e.Governed.Reason, e.Governed.Message)
			}
		})
	}
}

// What a policy alone can ask for is handed on, the steps of escalation in their order, and the policy itself is not shared.
func TestHandedOn(t *testing.T) {
	house := named("house", func(p *v1alpha1.AccountabilityPolicy) {
		p.Spec.Deadlines.ActionDueWithinDays = ptr.To[int32](10)
		p.Spec.FollowUp = &v1alpha1.FollowUp{ContactWithinHours: 48}
		p.Spec.Review = &v1alpha1.ReviewRule{Cadence: v1alpha1.CadenceAuto}
		p.Spec.Escalation = []v1alpha1.EscalationStep{{AfterHours: 336, To: v1alpha1.EscalateSponsor}, {AfterHours: 72, To: v1alpha1.EscalateLead}}
	})
	e := ForProgram([]v1alpha1.AccountabilityPolicy{house}, program())
	if *e.ActionDueWithinDays != 10 || e.ActWithinDays != 60 || e.ConsecutiveWindows != 3 || e.ConfirmDays != 21 ||
		e.FollowUp.ContactWithinHours != 48 || e.Review.Cadence != v1alpha1.CadenceAuto || e.Recognition.Mode != v1alpha1.RecognitionNotify {
		t.Errorf("%+v", e)
	}
	if e.Escalation[0].AfterHours != 72 || house.Spec.Escalation[0].AfterHours != 336 {
		t.Errorf("%+v of %+v", e.Escalation, house.Spec.Escalation)
	}
	e.FollowUp.ContactWithinHours = 1
	if house.Spec.FollowUp.ContactWithinHours != 48 {
		t.Error("the rules share the policy's memory")
	}
}

func TestShortened(t *testing.T) {
	if got := shortened(strings.Split("a b c d e f g h i j k l", " ")); got != "a, b, c, d, e, f, g, h, i, j and more" {
		t.Error(got)
	}
}
