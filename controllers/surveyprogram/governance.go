package surveyprogram

import (
	"context"
	"fmt"
	"slices"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/followup"
	"github.com/cx-operator/cx-operator/internal/governance"
	"github.com/cx-operator/cx-operator/internal/review"
)

// governed is how a program is run: what is derived of it, and what keeps its promises to customers and its sponsor.
type governed struct {
	governance.Output
	cases      followup.Output
	attendance *v1alpha1.SponsorAttendance
	silence    review.Silence
}

// govern derives how the program is run. Of the program's status it takes the objectives and breaches as judged in this pass.
func (r *Reconciler) govern(ctx context.Context, s *scope, judged *v1alpha1.SurveyProgram, now time.Time) (governed, error) {
	reviews := &v1alpha1.ReviewList{}
	if err := r.Client.List(ctx, reviews, client.InNamespace(judged.Namespace), client.MatchingFields{env.IndexProgram: judged.Name}); err != nil {
		return governed{}, fmt.Errorf("list reviews: %w", err)
	}
	plans, err := r.plansOf(ctx, s)
	if err != nil {
		return governed{}, err
	}
	held := withoutDeleted(reviews.Items)
	rules := s.subject.Effective
	g := governed{
		cases:      objectives.Cases(r.Env, s.subject, s.program.Status.Cases, now),
		attendance: review.Attendance(judged, s.teams, held, now),
		silence:    review.SponsorSilent(judged, s.teams, held, rules.Review, now),
	}
	g.Output = governance.Derive(governance.Situation{
		Now: now, Program: judged, Touchpoints: s.touchpoints, Teams: s.teams, Plans: plans, Reviews: held,
		MinimumResponses: int64(rules.Evidence.MinimumResponses),
		Governed: governance.Condition{
			Type: v1alpha1.ConditionGoverned, Status: rules.Governed.Status, Reason: rules.Governed.Reason, Message: rules.Governed.Message,
		},
		ActWithinDays: rules.ActWithinDays, GovernedSince: s.governedSince, ReviewsAsked: rules.Review != nil, SponsorSilent: g.silence.Silent,
		Answered: r.answered(s),
	})
	if g.Stage == "" {
		g.Stage = s.program.Status.Stage // not known until the counts are read
	}
	return g, nil
}

// answered says whether an answer ever came; nil while nothing tells, since the counts were not read yet.
func (r *Reconciler) answered(s *scope) *bool {
	source := r.CountsOf(s.program)
	yes := r.Book.Answered(source, env.KeyOf(s.program)) || slices.ContainsFunc(s.program.Status.Objectives, hasAnswers) ||
		slices.ContainsFunc(s.touchpoints, func(tp v1alpha1.Touchpoint) bool { return slices.ContainsFunc(tp.Status.Objectives, hasAnswers) })
	if _, read := r.Book.ReadAt(source); !yes && !read {
		return nil
	}
	return &yes
}

func hasAnswers(o v1alpha1.ObjectiveStatus) bool { return o.Responses > 0 || o.ReleasedAnswers > 0 }

// plansOf lists the plans for the program and for its touchpoints.
func (r *Reconciler) plansOf(ctx context.Context, s *scope) ([]v1alpha1.ActionPlan, error) {
	lookups := []client.MatchingFields{{env.IndexProgram: s.program.Name}}
	for i := range s.touchpoints {
		lookups = append(lookups, client.MatchingFields{env.IndexTouchpoint: s.touchpoints[i].Name})
	}
	var all []v1alpha1.ActionPlan
	for _, by := range lookups {
		list := &v1alpha1.ActionPlanList{}
		if err := r.Client.List(ctx, list, client.InNamespace(s.program.Namespace), by); err != nil {
			return nil, fmt.Errorf("list plans: %w", err)
		}
		all = append(all, withoutDeleted(list.Items)...)
	}
	return all, nil
}

// write puts what was derived into the status, and returns the breaches that stand.
func (g governed) write(status *v1alpha1.SurveyProgramStatus) []v1alpha1.Breach {
	status.Stage, status.Cases, status.SponsorAttendance = g.Stage, g.cases.Figures, g.attendance
	breaches := append(g.Breaches, g.cases.Breaches...)
	if g.silence.Silent {
		breaches = append(breaches, v1alpha1.Breach{Type: v1alpha1.BreachSponsorSilent, Since: breach.Since(g.silence.Since)})
	}
	return breaches
}

func (g governed) setConditions(set conditions.Set) {
	for _, c := range g.Conditions {
		set.Is(c.Type, c.Status, c.Reason, c.Message)
	}
}

// deadlines are when the time alone changes something.
func (g governed) deadlines() []time.Time { return []time.Time{g.Next, g.cases.Next, g.silence.Next} }

// createdAt is when a policy was created; zero where there is none of that name.
func createdAt(policies []v1alpha1.AccountabilityPolicy, name string) time.Time {
	for i := range policies {
		if policies[i].Name == name {
			return policies[i].CreationTimestamp.Time
		}
	}
	return time.Time{}
}

// withoutDeleted leaves out what is being deleted.
func withoutDeleted[T any, P interface {
	*T
	client.Object
}](items []T) []T {
	return slices.DeleteFunc(items, func(o T) bool { return !P(&o).GetDeletionTimestamp().IsZero() })
}
