package exporter

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Cases is what is exported of the promise to contact customers, of one touchpoint or a program's own page.
type Cases struct {
	// Namespace, Program, Touchpoint ("" for the program's own page) and Team (never a person's) are its labels.
	Namespace, Program, Touchpoint, Team string
	// Open are not resolved, Overdue not contacted by the promised time. Kept of Due were contacted in time, over 90 days.
	Open, Overdue, Kept, Due int64
	// Lower and Upper are the ends of the interval of Kept/Due, from 0 to 1; without a meaning where Due is 0.
	Lower, Upper float64
	// OldestOpen is when the oldest open case was opened; zero, and without a series, where none is open.
	OldestOpen time.Time
}

func (c Cases) equal(d Cases) bool {
	same := c.OldestOpen.Equal(d.OldestOpen)
	c.OldestOpen = d.OldestOpen
	return same && c == d
}

// Stage is the stage of a program's life.
type Stage struct {
	// Namespace and Program are its labels.
	Namespace, Program string
	// Stage that it is in. An unknown one has no series.
	Stage v1alpha1.LifecycleStage
}

// Effect says whether a plan worked.
type Effect struct {
	// Namespace, Program, ActionPlan, Touchpoint ("" for a program's own objective), Objective and Team (never a person's)
	// are its labels.
	Namespace, Program, ActionPlan, Touchpoint, Objective, Team string
	// Verdict on the plan. An unknown one has no series.
	Verdict v1alpha1.EffectVerdict
	// Change of the score with its interval, in the metric's unit, if HasChange.
	Change, Lower, Upper float64
	HasChange            bool
}

// Load is how much a team has to do.
type Load struct {
	// Namespace and Team (never a person's) are its labels.
	Namespace, Team string
	// OpenPlans, OverduePlans of these, OpenActions and OverdueActions of these.
	OpenPlans, OverduePlans, OpenActions, OverdueActions int64
}

// Review is what is exported of one review.
type Review struct {
	// Namespace, Program, Review and Team (the program's owner, never a person's) are its labels.
	Namespace, Program, Review, Team string
	// Due is by when it is to be held, Held when it was. A zero time has no series.
	Due, Held time.Time
}

func (r Review) equal(s Review) bool {
	same := r.Due.Equal(s.Due) && r.Held.Equal(s.Held)
	r.Due, r.Held = s.Due, s.Held
	return same && r == s
}

// Notices are messages to one team about one object that were not delivered.
type Notices struct {
	// Namespace, Kind and Name of the object, and Team (never a person's) are its labels.
	Namespace, Kind, Name, Team string
	// Pending are to be sent, Dead were given up.
	Pending, Dead int64
}

var (
	stages = []v1alpha1.LifecycleStage{
		v1alpha1.LifecycleDesign, v1alpha1.LifecycleListen, v1alpha1.LifecycleUnderstand,
		v1alpha1.LifecycleTransform, v1alpha1.LifecycleRealize,
	}
	verdicts = []v1alpha1.EffectVerdict{
		v1alpha1.EffectTooEarly, v1alpha1.EffectImproved, v1alpha1.EffectNoEvidence, v1alpha1.EffectWorsened,
	}
)

func (w writer) accountability(s *Series) {
	for _, c := range s.Cases {
		w.cases(c)
	}
	for _, g := range s.Stages {
		w.stage(g)
	}
	for _, e := range s.Effects {
		w.effect(e)
	}
	for _, l := range s.Loads {
		w.load(l)
	}
	for _, r := range s.Reviews {
		w.review(r)
	}
	for _, n := range s.Notices {
		w.notices(n)
	}
}

func (w writer) cases(c Cases) {
	labels := pairs(surveyLabels, c.Namespace, c.Program, c.Touchpoint, c.Team)
	w.gauge(casesOpen, labels, float64(c.Open))
	w.gauge(casesOverdue, labels, float64(c.Overdue))
	w.instant(casesOldest, labels, c.OldestOpen)
	if c.Due > 0 {
		w.gauge(followUp, labels, float64(c.Kept)/float64(c.Due))
		w.gauge(followUpLower, labels, c.Lower)
		w.gauge(followUpUpper, labels, c.Upper)
	}
}

func (w writer) stage(s Stage) {
	states(w, programStage, stageLabel, pairs(endpointLabels, s.Namespace, s.Program), stages, s.Stage)
}

func (w writer) effect(e Effect) {
	labels := pairs(planLabels, e.Namespace, e.Program, e.ActionPlan, e.Touchpoint, e.Objective, e.Team)
	states(w, planEffect, verdictLabel, labels, verdicts, e.Verdict)
	if e.HasChange {
		w.gauge(planChange, labels, e.Change)
		w.gauge(planChangeLower, labels, e.Lower)
		w.gauge(planChangeUpper, labels, e.Upper)
	}
}

func (w writer) load(l Load) {
	labels := pairs(teamLabels, l.Namespace, l.Team)
	w.gauge(teamPlans, labels, float64(l.OpenPlans))
	w.gauge(teamPlansOverdue, labels, float64(l.OverduePlans))
	w.gauge(teamActions, labels, float64(l.OpenActions))
	w.gauge(teamActionsOverdue, labels, float64(l.OverdueActions))
}

func (w writer) review(r Review) {
	labels := pairs(reviewLabels, r.Namespace, r.Program, r.Review, r.Team)
	w.instant(reviewDue, labels, r.Due)
	w.instant(reviewHeld, labels, r.Held)
}

func (w writer) notices(n Notices) {
	labels := pairs(noticeLabels, n.Namespace, n.Kind, n.Name, n.Team)
	w.gauge(noticesPending, labels, float64(n.Pending))
	w.gauge(noticesDead, labels, float64(n.Dead))
}
