// Package objectives judges the objectives of a program or touchpoint: it reads the counts, calls the pure cores, opens
// plans, and says what belongs into the status and the metrics. Both kinds share it, so that they cannot differ.
package objectives

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Subject is a program or touchpoint whose objectives are judged.
type Subject struct {
	// Object is the resource itself, as the cache has it.
	Object client.Object
	// Program that the answers belong to; the resource itself for a program's own objectives.
	Program *v1alpha1.SurveyProgram
	// Touchpoint is its name; empty for a program's own objectives, which count every answer to their question.
	Touchpoint string
	// DisplayName of the resource.
	DisplayName string
	// Objectives, OnMissed and OwnerRef of its spec.
	Objectives []v1alpha1.Objective
	OnMissed   *v1alpha1.OnMissed
	OwnerRef   *v1alpha1.NameRef
	// Effective is the rules that apply: those of its policy and what its spec states.
	Effective policy.Effective
	// Previous is what its status holds.
	Previous evaluate.Previous
	// Frozen leaves every verdict as it is, since the spec cannot be judged now.
	Frozen bool
}

// key returns the key of the subject's program.
func (s Subject) key() store.Key {
	return store.Key{Namespace: s.Program.Namespace, Name: s.Program.Name}
}

// Judge evaluates the subject's objectives at a time. What cannot be judged now is left as it is; the problems say why.
func Judge(e *env.Env, s Subject, now time.Time) (evaluate.Output, []survey.Problem, error) {
	in := evaluate.Input{
		Now: now, Previous: s.Previous, Readability: evaluate.Unread,
		Count: func(o evaluate.Objective, from, to store.Hour) evaluate.Window { return count(e, s, o, from, to) },
	}
	if !s.Frozen {
		in.Readability = readability(e, s, now)
		in.LastImport = e.Book.LastImport(s.key())
		if err := specify(&in, s); err != nil {
			return evaluate.Output{}, nil, err
		}
	}
	out, err := evaluate.Evaluate(in)
	if in.Readability == evaluate.Unread && !s.Frozen {
		out.Next = earlier(out.Next, unreadSince(e, s).Add(e.StaleAfter))
	}
	return out, unjudged(err), nil
}

// unjudged words the errors of objectives that cannot be judged. The spec was checked before, so it is their counts: a
// question that was removed and came back with another scale, under the revision that it had.
func unjudged(err error) []survey.Problem {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var problems []survey.Problem
	for _, one := range joined.Unwrap() {
		var failed *evaluate.ObjectiveError
		if !errors.As(one, &failed) {
			continue
		}
		problems = append(problems, survey.Problem{
			Reason: v1alpha1.ReasonObjectiveInvalid, Field: "spec.objectives",
			Message: fmt.Sprintf("objective %q cannot be judged: its question has answers that are off its scale under the same revision; raise the question's revision",
				failed.Objective),
		})
	}
	return problems
}

// specify fills in what the spec says.
func specify(in *evaluate.Input, s Subject) error {
	location, err := zone(s.Program.Spec.TimeZone)
	if err != nil {
		return err
	}
	rules := s.rules()
	in.Rules = evaluate.Rules{
		MinimumResponses:   int64(rules.Evidence.MinimumResponses),
		MinimumCell:        int64(s.Program.Spec.Privacy.MinimumCell),
		Release:            s.Program.Spec.Privacy.Release,
		Judging:            rules.Evidence.Judging,
		ConfirmDays:        rules.ConfirmDays,
		ConsecutiveWindows: rules.ConsecutiveWindows,
		Location:           location,
	}
	for _, o := range s.Objectives {
		objective, err := resolve(o, s.Program, rules.Evidence)
		if err != nil {
			return fmt.Errorf("objective %s: %w", o.Name, err)
		}
		in.Objectives = append(in.Objectives, objective)
	}
	return nil
}

func resolve(o v1alpha1.Objective, program *v1alpha1.SurveyProgram, evidence v1alpha1.Evidence) (evaluate.Objective, error) {
	for _, q := range program.Spec.Survey.Questions {
		if q.Name != o.Question {
			continue
		}
		definition, err := survey.Definition(o, q, evidence)
		if err != nil {
			return evaluate.Objective{}, err
		}
		target, err := v1alpha1.ParseDecimal(o.Target)
		if err != nil {
			return evaluate.Objective{}, err
		}
		return evaluate.Objective{
			Name: o.Name, Question: o.Question, Revision: q.Revision, Definition: definition,
			Target: target, TargetText: o.Target.String(), WindowDays: o.WindowDays,
		}, nil
	}
	return evaluate.Objective{}, fmt.Errorf("the program has no question %q", o.Question)
}

// readability says whether the counts of what serves the program are current.
func readability(e *env.Env, s Subject, now time.Time) evaluate.Readability {
	at, ok := e.Book.ReadAt(e.CountsOf(s.Program))
	if !ok {
		at = unreadSince(e, s)
	}
	switch {
	case now.Sub(at) > e.StaleAfter:
		return evaluate.Stale
	case !ok:
		return evaluate.Unread
	default:
		return evaluate.Fresh
	}
}

// unreadSince is since when counts that were never read could have been: a new program's endpoint must start first.
func unreadSince(e *env.Env, s Subject) time.Time {
	started := e.ActingSince()
	if created := s.Program.CreationTimestamp.Time; created.After(started) {
		return created
	}
	return started
}

func count(e *env.Env, s Subject, o evaluate.Objective, from, to store.Hour) evaluate.Window {
	w := e.Book.Window(s.query(e, o.Question, o.Revision, from, to))
	return evaluate.Window{Counts: w.Counts(), Ever: w.Ever, Earliest: w.Earliest, Any: w.Any}
}

// plansOf lists the plans for the subject, of any objective.
func plansOf(ctx context.Context, e *env.Env, s Subject) ([]v1alpha1.ActionPlan, error) {
	by := client.MatchingFields{env.IndexProgram: s.Program.Name}
	if s.Touchpoint != "" {
		by = client.MatchingFields{env.IndexTouchpoint: s.Touchpoint}
	}
	list := &v1alpha1.ActionPlanList{}
	if err := e.Client.List(ctx, list, client.InNamespace(s.Program.Namespace), by); err != nil {
		return nil, fmt.Errorf("list plans: %w", err)
	}
	return list.Items, nil
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
