package review

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/review"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// gather reads all that is frozen, but for the themes.
func (r *Reconciler) gather(ctx context.Context, s *scope, v *v1alpha1.Review, from, to, now time.Time) (review.Input, error) {
	in := review.Input{Now: now, Period: v.Spec.Period, MinimumCell: int64(s.program.Spec.Privacy.MinimumCell)}
	previous, err := review.Previous(v.Spec.Period)
	if err != nil {
		return in, err
	}
	before, _, err := review.Bounds(previous, s.location)
	if err != nil {
		return in, err
	}
	touchpoints := &v1alpha1.TouchpointList{}
	if err := r.Client.List(ctx, touchpoints, client.InNamespace(v.Namespace), client.MatchingFields{env.IndexProgram: s.program.Name}); err != nil {
		return in, fmt.Errorf("list touchpoints: %w", err)
	}
	c := counter{Reconciler: r, program: s.program, before: hourAfter(before), from: hourAfter(from), to: hourAfter(to)}
	in.Objectives = c.objectives("", s.program.Spec.Objectives, s.program.Status.Objectives, s.rules.Evidence)
	in.Breaches = reviewed("SurveyProgram", s.program.Name, s.program.Status.Breaches)
	for i := range touchpoints.Items {
		tp := &touchpoints.Items[i]
		evidence := policy.ForTouchpoint(s.policies, s.program, tp).Evidence
		in.Objectives = append(in.Objectives, c.objectives(tp.Name, tp.Spec.Objectives, tp.Status.Objectives, evidence)...)
		in.Breaches = append(in.Breaches, reviewed("Touchpoint", tp.Name, tp.Status.Breaches)...)
	}
	plans, err := r.plans(ctx, s.program, touchpoints.Items)
	if err != nil {
		return in, err
	}
	for i := range plans {
		in.Breaches = append(in.Breaches, reviewed("ActionPlan", plans[i].Name, plans[i].Status.Breaches)...)
		if plan, matters := reviewedPlan(&plans[i], from, to); matters {
			in.Plans = append(in.Plans, plan)
		}
	}
	s.remember(&in, v, previous, now)
	return in, nil
}

// remember adds what other reviews say.
func (s *scope) remember(in *review.Input, v *v1alpha1.Review, previous v1alpha1.Period, now time.Time) {
	var earlier []v1alpha1.Review
	for i := range s.reviews {
		other := &s.reviews[i]
		if other.Name == v.Name {
			continue
		}
		in.Breaches = append(in.Breaches, reviewed("Review", other.Name, other.Status.Breaches)...)
		if other.Spec.Period == previous && in.Earlier == nil {
			in.Earlier = other.Status.Figures
		}
		if other.Spec.Period.To < v.Spec.Period.To {
			earlier = append(earlier, *other)
		}
	}
	in.Sponsor = review.Attendance(s.program, s.teams, earlier, now)
}

// counter counts the answers of the two periods. Hours belong to the period in which they begin.
type counter struct {
	*Reconciler
	program          *v1alpha1.SurveyProgram
	before, from, to store.Hour
}

// objectives returns what is counted of a touchpoint, "" for the program itself. An objective that does not fit its question is
// left out: the conditions of its resource say why.
func (c counter) objectives(touchpoint string, specs []v1alpha1.Objective, verdicts []v1alpha1.ObjectiveStatus, evidence v1alpha1.Evidence) []review.Objective {
	var all []review.Objective
	for _, spec := range specs {
		i := slices.IndexFunc(c.program.Spec.Survey.Questions, func(q v1alpha1.Question) bool { return q.Name == spec.Question })
		if i < 0 {
			continue
		}
		q := c.program.Spec.Survey.Questions[i]
		definition, err := survey.Definition(spec, q, evidence)
		if err != nil {
			continue
		}
		o := review.Objective{
			Touchpoint: touchpoint, Name: spec.Name, Question: q.Name, Revision: q.Revision, Definition: definition, Target: spec.Target.String(),
		}
		for _, verdict := range verdicts {
			if verdict.Name == spec.Name {
				o.State = verdict.State
			}
		}
		query := rollup.Query{
			Source: c.CountsOf(c.program), Program: env.KeyOf(c.program), Touchpoint: touchpoint, ProgramWide: touchpoint == "",
			Question: q.Name, Revision: q.Revision, From: c.from, To: c.to,
		}
		o.Current = c.Book.Window(query).Counts()
		query.From, query.To = c.before, c.from
		o.Previous = c.Book.Window(query).Counts()
		all = append(all, o)
	}
	return all
}

// hourAfter is the first hour that begins at or after an instant: places whose days begin at half past have none that is theirs
// alone.
func hourAfter(t time.Time) store.Hour {
	h := store.HourOf(t)
	if h.Time().Before(t) {
		h++
	}
	return h
}

func reviewed(kind, name string, breaches []v1alpha1.Breach) []v1alpha1.ReviewedBreach {
	var all []v1alpha1.ReviewedBreach
	for _, b := range breaches {
		all = append(all, v1alpha1.ReviewedBreach{Kind: kind, Name: name, Type: b.Type, Objective: b.Objective, Item: b.Item, Since: b.Since})
	}
	return all
}

// plans of the program and its touchpoints.
func (r *Reconciler) plans(ctx context.Context, p *v1alpha1.SurveyProgram, touchpoints []v1alpha1.Touchpoint) ([]v1alpha1.ActionPlan, error) {
	list := &v1alpha1.ActionPlanList{}
	if err := r.Client.List(ctx, list, client.InNamespace(p.Namespace)); err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	own := map[string]bool{}
	for i := range touchpoints {
		own[touchpoints[i].Name] = true
	}
	var all []v1alpha1.ActionPlan
	for i := range list.Items {
		spec := &list.Items[i].Spec
		if spec.ProgramRef != nil && spec.ProgramRef.Name == p.Name || spec.TouchpointRef != nil && own[spec.TouchpointRef.Name] {
			all = append(all, list.Items[i])
		}
	}
	return all, nil
}

// reviewedPlan returns a plan as it stands, and whether it matters to a period: it is open, or was ended or judged in the period.
func reviewedPlan(p *v1alpha1.ActionPlan, from, to time.Time) (v1alpha1.ReviewedPlan, bool) {
	r := v1alpha1.ReviewedPlan{Name: p.Name, Objective: p.Spec.Objective, State: p.Spec.State, DueDate: p.Spec.DueDate}
	if p.Spec.TouchpointRef != nil {
		r.Touchpoint = p.Spec.TouchpointRef.Name
	}
	matters := p.Spec.State.Open() || within(p.Status.StateSince, from, to)
	if e := p.Status.Effect; e != nil {
		r.Effect, r.Change = e.Verdict, e.Change
		matters = matters || within(e.JudgedTime, from, to)
	}
	return r, matters
}

func within(t *metav1.Time, from, to time.Time) bool {
	return t != nil && !t.Time.Before(from) && t.Time.Before(to)
}
