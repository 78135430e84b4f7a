package objectives

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/followup"
)

// SetConditions sets ObjectivesMet, FollowedUp and Accountable from the verdicts and the breaches.
func SetConditions(set conditions.Set, verdicts []v1alpha1.ObjectiveStatus, own, late []v1alpha1.Breach) {
	setObjectivesMet(set, verdicts, own)
	setFollowedUp(set, own)
	for _, t := range []v1alpha1.BreachType{v1alpha1.BreachPlanMissing, v1alpha1.BreachPlanUnacknowledged, v1alpha1.BreachPlanOverdue} {
		open := append(ofType(own, t), ofType(late, t)...)
		if len(open) > 0 {
			set.False(v1alpha1.ConditionAccountable, string(t), accusations[t])
			return
		}
	}
	set.True(v1alpha1.ConditionAccountable, v1alpha1.ReasonNothingDue, "no plan is missing, unacknowledged or overdue")
}

var accusations = map[v1alpha1.BreachType]string{
	v1alpha1.BreachPlanMissing:        "a missed objective has no plan",
	v1alpha1.BreachPlanUnacknowledged: "a plan was not acknowledged in time",
	v1alpha1.BreachPlanOverdue:        "a plan is past its due date",
}

func setFollowedUp(set conditions.Set, own []v1alpha1.Breach) {
	var texts []string
	for _, b := range ofType(own, v1alpha1.BreachFollowUpOverdue) {
		switch b.Item {
		case followup.ItemCases:
			texts = append(texts, "customers wait longer than promised to be contacted")
		case followup.ItemShare:
			texts = append(texts, "fewer customers than promised are contacted in time")
		}
	}
	if len(texts) == 0 {
		set.True(v1alpha1.ConditionFollowedUp, v1alpha1.ReasonPromisesKept, "no customer waits longer than promised to be contacted")
		return
	}
	set.False(v1alpha1.ConditionFollowedUp, string(v1alpha1.BreachFollowUpOverdue), strings.Join(texts, "; "))
}

// lowText goes with an objective that is consistently low. It is about the experience and what helps, never about a person.
const lowText = "missed for several windows in a row: it needs training and management's attention"

func setObjectivesMet(set conditions.Set, verdicts []v1alpha1.ObjectiveStatus, own []v1alpha1.Breach) {
	missed := map[string]bool{}
	for _, b := range ofType(own, v1alpha1.BreachObjectiveMissed) {
		missed[b.Objective] = true
	}
	var names []string
	met := 0
	for _, v := range verdicts {
		switch {
		case missed[v.Name] || v.State == v1alpha1.StateMissed:
			names = append(names, v.Name)
		case v.State == v1alpha1.StateMet:
			met++
		}
	}
	var low []string
	for _, b := range ofType(own, v1alpha1.BreachConsistentlyLow) {
		low = append(low, b.Objective)
	}
	switch {
	case len(low) > 0:
		set.False(v1alpha1.ConditionObjectivesMet, string(v1alpha1.BreachConsistentlyLow),
			"missed: "+strings.Join(names, ", ")+"; "+strings.Join(low, ", ")+" "+lowText)
	case len(names) > 0:
		set.False(v1alpha1.ConditionObjectivesMet, v1alpha1.ReasonObjectiveMissed, "missed: "+strings.Join(names, ", "))
	case len(verdicts) == 0:
		set.Unknown(v1alpha1.ConditionObjectivesMet, v1alpha1.ReasonNoObjectives, "there is nothing to judge")
	case met == len(verdicts):
		set.True(v1alpha1.ConditionObjectivesMet, v1alpha1.ReasonAllMet, "every objective is met")
	default:
		set.Unknown(v1alpha1.ConditionObjectivesMet, v1alpha1.ReasonUndecided, "no objective is missed, but not all are met")
	}
}

// Urgency says when a new list of verdicts must be written.
type Urgency int

// The urgencies.
const (
	// Nothing differs that is worth a write.
	Nothing Urgency = iota
	// Figures differ: score, bounds or numbers of answers. They are written at most every env.FigureInterval.
	Figures
	// AtOnce: a state, an objective or a judgement differs, or a score must no longer be shown.
	AtOnce
)

// Compare says how urgently new verdicts must replace old ones. A day that was judged must be on record even where nothing
// came of it: figures may move at a judging point, and judging the day again would let a single answer move them. A score
// that fell below the privacy floor must go at once.
func Compare(oldVerdicts, newVerdicts []v1alpha1.ObjectiveStatus, oldJudged, newJudged *v1alpha1.Judging) Urgency {
	if !equality.Semantic.DeepEqual(oldJudged, newJudged) {
		return AtOnce
	}
	if len(oldVerdicts) != len(newVerdicts) {
		return AtOnce
	}
	urgency := Nothing
	for i := range newVerdicts {
		o, n := oldVerdicts[i], newVerdicts[i]
		withheld := o.Score != "" && n.Score == ""
		if o.Name != n.Name || o.State != n.State || o.Target != n.Target || o.Definition != n.Definition || withheld {
			return AtOnce
		}
		if !equality.Semantic.DeepEqual(o, n) {
			urgency = Figures
		}
	}
	return urgency
}

// Label holds the labels that the series of a subject share.
type Label struct {
	Kind, Namespace, Name, Program, Touchpoint, Team string
}

// Series returns the metrics of a subject: figures as published, numbers of answers as they are now, breaches as the
// status holds them. Where answers are not anonymous, figures are those of now too; elsewhere a figure that is not on
// record yet must not be shown, since the rule of release counts from what the status holds.
func Series(l Label, s Subject, published, live []v1alpha1.ObjectiveStatus, breaches []v1alpha1.Breach) exporter.Series {
	return exporter.Series{Objectives: objectiveSeries(l, s, published, live), Breaches: BreachSeries(l, breaches)}
}

func objectiveSeries(l Label, s Subject, published, live []v1alpha1.ObjectiveStatus) []exporter.Objective {
	var series []exporter.Objective
	responses := map[string]int64{}
	for _, o := range live {
		responses[o.Name] = o.Responses
	}
	if s.Program.Spec.Privacy.Release == v1alpha1.ReleaseImmediate {
		published = live
	}
	for _, o := range published {
		item := exporter.Objective{
			Namespace: l.Namespace, Program: l.Program, Touchpoint: l.Touchpoint, Objective: o.Name, Team: l.Team,
			Metric: metricOf(s, o.Name), State: o.State, Responses: o.Responses, Target: targetOf(o),
		}
		if n, ok := responses[o.Name]; ok {
			item.Responses = n
		}
		if value, lower, upper, ok := evaluate.ParseFigures(o); ok {
			item.Figures = &exporter.Figures{Score: value, Lower: lower, Upper: upper, HasInterval: o.Lower != ""}
		}
		series = append(series, item)
	}
	return series
}

// BreachSeries returns the series of open breaches.
func BreachSeries(l Label, breaches []v1alpha1.Breach) []exporter.Breach {
	var series []exporter.Breach
	for _, b := range breaches {
		series = append(series, exporter.Breach{
			Namespace: l.Namespace, Type: string(b.Type), Kind: l.Kind, Name: l.Name, Objective: b.Objective,
			Item: b.Item, Program: l.Program, Team: l.Team, Since: b.Since.Time,
		})
	}
	return series
}

func metricOf(s Subject, objective string) string {
	for _, o := range s.Objectives {
		if o.Name == objective {
			return string(o.Metric)
		}
	}
	return ""
}

func targetOf(o v1alpha1.ObjectiveStatus) float64 {
	var target float64
	if _, err := fmt.Sscanf(o.Target, "%g", &target); err != nil {
		return 0
	}
	return target
}

// Merge brings the open breaches of a subject up to date. What the verdicts closed closes for their reason, and what they
// opened anew in the same pass, after the objective had changed, is an episode of its own.
func Merge(previous, wanted []v1alpha1.Breach, out evaluate.Output, now time.Time) ([]v1alpha1.Breach, []breach.Transition) {
	var closed []breach.Transition
	for _, t := range out.Transitions {
		if t.Opened {
			continue
		}
		closed = append(closed, t)
		previous = slices.DeleteFunc(slices.Clone(previous), func(b v1alpha1.Breach) bool {
			return b.Type == t.Breach.Type && b.Objective == t.Breach.Objective
		})
	}
	open, transitions := breach.Merge(previous, wanted, now)
	return open, append(closed, transitions...)
}
