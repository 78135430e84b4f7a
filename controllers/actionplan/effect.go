package actionplan

import (
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/effect"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// measure says what became of the plan's objective.
func (r *Reconciler) measure(s scope, p *v1alpha1.ActionPlan, now time.Time) effect.Output {
	in := effect.Input{
		Now: now, State: p.Spec.State, Rule: p.Spec.Effect, Expected: p.Spec.Expected, Business: p.Spec.Business,
		Measure: s.measure(), Previous: p.Status.Effect,
	}
	if p.Status.StartedTime != nil {
		in.Started = p.Status.StartedTime.Time
	}
	if p.Status.StateSince != nil {
		in.Completed = p.Status.StateSince.Time
	}
	for i := range s.others {
		if span, ok := effect.Activity(&s.others[i]); ok {
			in.Others = append(in.Others, span)
		}
		if e := s.others[i].Status.Effect; e != nil && e.Baseline != nil {
			in.Ends = append(in.Ends, e.Baseline.To.Time)
		}
	}
	if in.Measure == nil {
		return effect.Evaluate(in)
	}
	in.Rules = effect.Rules{
		MinimumResponses: int64(s.rules.Evidence.MinimumResponses), MinimumCell: int64(s.of.Spec.Privacy.MinimumCell),
		Release: s.of.Spec.Privacy.Release, Location: s.location,
	}
	in.ReadThrough, _ = r.Book.ReadAt(r.CountsOf(s.of))
	in.Count = func(m effect.Measure, from, to store.Hour) score.Counts {
		return r.Book.Window(rollup.Query{
			Source: r.CountsOf(s.of), Program: env.KeyOf(s.of), Touchpoint: s.touchpoint, ProgramWide: s.touchpoint == "",
			Question: m.Question, Revision: m.Revision, From: from, To: to,
		}).Counts()
	}
	return effect.Evaluate(in)
}

// measure is what the plan's objective measures; nil where that is not known.
func (s scope) measure() *effect.Measure {
	if s.of == nil || s.location == nil || s.measured == nil {
		return nil
	}
	for _, q := range s.of.Spec.Survey.Questions {
		if q.Name != s.measured.Question {
			continue
		}
		definition, err := survey.Definition(*s.measured, q, s.rules.Evidence)
		if err != nil { // the conditions of the target say so
			return nil
		}
		return &effect.Measure{Question: q.Name, Revision: q.Revision, Definition: definition, WindowDays: s.measured.WindowDays}
	}
	return nil
}

// effectSeries are the series of a plan that began.
func effectSeries(s scope, p *v1alpha1.ActionPlan) []exporter.Effect {
	e := p.Status.Effect
	if e == nil {
		return nil
	}
	item := exporter.Effect{
		Namespace: p.Namespace, Program: s.program, ActionPlan: p.Name, Touchpoint: s.touchpoint, Objective: p.Spec.Objective,
		Team: s.team, Verdict: e.Verdict,
	}
	change, err := strconv.ParseFloat(e.Change, 64)
	lower, err2 := strconv.ParseFloat(e.ChangeLower, 64)
	upper, err3 := strconv.ParseFloat(e.ChangeUpper, 64)
	if err == nil && err2 == nil && err3 == nil {
		item.Change, item.Lower, item.Upper, item.HasChange = change, lower, upper, true
	}
	return []exporter.Effect{item}
}
