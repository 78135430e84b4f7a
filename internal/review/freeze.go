package review

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// Bounds of what is frozen.
const (
	maxObjectives = 200
	maxBreaches   = 200
	maxPlans      = 200
	maxThemes     = 20
)

// Objective is one objective with the answers of the period and of the one before.
type Objective struct {
	// Touchpoint of the objective; "" for the program's own, which counts every answer to its question.
	Touchpoint string
	// Name of the objective.
	Name string
	// Question and Revision that are counted.
	Question string
	Revision int32
	// Definition of the metric.
	Definition score.Definition
	// Target as the spec has it.
	Target string
	// State of the objective over its own window.
	State v1alpha1.ObjectiveState
	// Current and Previous are the counts of the two periods. They share no answer.
	Current, Previous score.Counts
}

// Input of Freeze.
type Input struct {
	// Now is when the figures are frozen.
	Now time.Time
	// Period that is reviewed.
	Period v1alpha1.Period
	// MinimumCell is how many answers a figure needs to be shown at all, at least 1.
	MinimumCell int64
	// Objectives of the program and its touchpoints, in any order.
	Objectives []Objective
	// Earlier are the figures that the review of exactly the period before has frozen; nil where there are none.
	Earlier *v1alpha1.ReviewFigures
	// Themes of comments, the most frequent first, or why there are none.
	Themes            []v1alpha1.Theme
	ThemesUnavailable string
	// Breaches and Plans of the program, in any order.
	Breaches []v1alpha1.ReviewedBreach
	Plans    []v1alpha1.ReviewedPlan
	// Sponsor attendance; nil where nobody is expected.
	Sponsor *v1alpha1.SponsorAttendance
}

// Freeze computes the figures of a period. It changes nothing it was given. An objective whose counts do not fit its
// definition stays without figures; the error joins what is wrong with each, and the figures hold for all others. A period
// that is none gives no figures at all.
func Freeze(in Input) (*v1alpha1.ReviewFigures, error) {
	previous, err := Previous(in.Period)
	if err != nil {
		return nil, err
	}
	cell := max(in.MinimumCell, 1)
	f := &v1alpha1.ReviewFigures{
		FrozenTime: metav1.NewTime(in.Now.UTC().Truncate(time.Second)), Use: v1alpha1.CoachingText, Previous: previous,
		ThemesUnavailable: in.ThemesUnavailable, Sponsor: in.Sponsor.DeepCopy(),
	}
	objectives := slices.Clone(in.Objectives)
	slices.SortFunc(objectives, func(a, b Objective) int {
		return cmp.Or(cmp.Compare(a.Touchpoint, b.Touchpoint), cmp.Compare(a.Name, b.Name))
	})
	hiddenNow := hidden(objectives, cell, func(o *Objective) score.Counts { return o.Current })
	hiddenBefore := hidden(objectives, cell, func(o *Objective) score.Counts { return o.Previous })
	var errs []error
	for i := range objectives {
		o := &objectives[i]
		r, err := figuresOf(o, !hiddenNow[i], !hiddenBefore[i] && fitsEarlier(o, in.Earlier, cell))
		if err != nil {
			errs = append(errs, fmt.Errorf("objective %q of touchpoint %q: %w", o.Name, o.Touchpoint, err))
		}
		f.Objectives = append(f.Objectives, r)
	}
	f.Objectives = first(f.Objectives, maxObjectives)
	f.Themes = first(slices.Clone(in.Themes), maxThemes)
	f.Breaches = first(sortedBreaches(in.Breaches), maxBreaches)
	f.Plans = first(sortedPlans(in.Plans), maxPlans)
	return f, errors.Join(errs...)
}

// figuresOf computes what may be shown of one objective.
func figuresOf(o *Objective, shown, changeShown bool) (v1alpha1.ReviewedObjective, error) {
	r := v1alpha1.ReviewedObjective{
		Touchpoint: o.Touchpoint, Objective: o.Name, Metric: v1alpha1.Metric(o.Definition.Metric), Target: o.Target, State: o.State,
		Responses: total(o.Current), PreviousResponses: total(o.Previous),
	}
	if !shown {
		return r, nil
	}
	now, err := score.Compute(o.Definition, o.Current)
	if err != nil {
		return r, err
	}
	r.Score = score.FormatDecimal(now.Value)
	if now.HasInterval {
		r.Lower, r.Upper = score.FormatDecimal(now.Lower), score.FormatDecimal(now.Upper)
	}
	if !changeShown {
		return r, nil
	}
	change, err := score.Compare(o.Definition, o.Previous, o.Current)
	if err != nil || !change.HasValue {
		return r, err
	}
	r.Change = score.FormatDecimal(change.Delta)
	r.ChangeLower, r.ChangeUpper = score.FormatDecimal(change.Lower), score.FormatDecimal(change.Upper)
	r.Significant = change.Lower > 0 || change.Upper < 0
	return r, nil
}

func total(c score.Counts) int64 {
	var n int64
	for _, k := range c {
		n += k
	}
	return n
}

func first[T any](all []T, most int) []T { return all[:min(len(all), most)] }

func sortedBreaches(all []v1alpha1.ReviewedBreach) []v1alpha1.ReviewedBreach {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b v1alpha1.ReviewedBreach) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type),
			cmp.Compare(a.Objective, b.Objective), cmp.Compare(a.Item, b.Item), a.Since.Compare(b.Since.Time))
	})
	return all
}

func sortedPlans(all []v1alpha1.ReviewedPlan) []v1alpha1.ReviewedPlan {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b v1alpha1.ReviewedPlan) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
