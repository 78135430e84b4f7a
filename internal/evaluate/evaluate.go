// Package evaluate judges objectives: from counts, rules, the previous status and the time it computes the next status,
// the breaches that opened and closed, and when to look again. It is pure and deterministic: all it remembers is in the
// status, so that a restart at any moment neither forgets nor repeats anything.
//
// An evaluation is a chain: is something to be judged (judging.go); count (reading.go); may the figures move, and are
// there enough answers to show any (release.go); what is the verdict (verdict.go); what opens and closes (breaches.go);
// when to look again (next.go).
package evaluate

import (
	"errors"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Rules are the program's rules of evidence and privacy.
type Rules struct {
	// MinimumResponses is how many answers a verdict needs, MinimumCell how many a figure needs to be shown at all.
	MinimumResponses, MinimumCell int64
	// Release says when published figures may move.
	Release v1alpha1.ReleaseMode
	// Judging says when a breach may open.
	Judging v1alpha1.JudgingMode
	// ConfirmDays is for how many days before a judging point the objective must have stood Missed at the same hour; 0 for none.
	ConfirmDays int32
	// ConsecutiveWindows is after how many disjoint windows in a row that are Missed an objective is consistently low; below 1
	// is never.
	ConsecutiveWindows int32
	// Location is the program's time zone; nil is UTC.
	Location *time.Location
}

// Window is what was answered in a window.
type Window struct {
	// Counts by value.
	Counts score.Counts
	// Ever is the number of answers to that question and revision, whenever they were given.
	Ever int64
	// Earliest is the first hour in the window with an answer, if Any.
	Earliest store.Hour
	Any      bool
}

// CountFunc counts the answers to an objective's question in the hours [from, to).
type CountFunc func(o Objective, from, to store.Hour) Window

// Readability says how current the counts are.
type Readability int

// How current counts can be.
const (
	// Fresh means that the counts are current.
	Fresh Readability = iota
	// Unread means that nothing was read yet since the start, but not for so long that it is stale.
	Unread
	// Stale means that the counts could not be read for the last few ticks.
	Stale
)

// Previous is the status that the last evaluation led to, as it was stored.
type Previous struct {
	Objectives []v1alpha1.ObjectiveStatus
	// Breaches may hold breaches of any type; those that are neither ObjectiveMissed nor ConsistentlyLow are
	// ignored.
	Breaches []v1alpha1.Breach
	Judged   *v1alpha1.Judging
}

// Input of an evaluation.
type Input struct {
	Now         time.Time
	Objectives  []Objective
	Rules       Rules
	Count       CountFunc
	Readability Readability
	// LastImport is the identity of the last finished import of the program; "" if there was none.
	LastImport string
	Previous   Previous
}

// Output of an evaluation.
type Output struct {
	// Objectives in the order of the input.
	Objectives []v1alpha1.ObjectiveStatus
	// Breaches are the open ones of type ObjectiveMissed, by objective.
	Breaches []v1alpha1.Breach
	// Low are the open ones of type ConsistentlyLow, by objective.
	Low []v1alpha1.Breach
	// Judged is how far was judged; nil before the first evaluation with counts.
	Judged *v1alpha1.Judging
	// Transitions are the breaches that closed and opened.
	Transitions []breach.Transition
	// Released is true when a published figure moved.
	Released bool
	// Next is when to evaluate again if nothing changes before; zero: never.
	Next time.Time
}

// Evaluate judges the objectives. It changes nothing it was given, and with its own output as the previous status at the
// same time it changes nothing more.
//
// The error joins an *ObjectiveError for each objective that cannot be judged (its definition, its target or its counts are
// not valid); such a one stays as it was, and the output holds for all others.
func Evaluate(in Input) (Output, error) {
	switch in.Readability {
	case Unread:
		return unread(in), nil
	case Stale:
		return stale(in), nil
	}
	in.Rules = in.Rules.normal()
	point := pointOf(in)
	out := Output{Judged: point.judged}
	var errs []error
	judged := make([]judgement, 0, len(in.Objectives))
	for _, o := range in.Objectives {
		previous := find(in.Previous.Objectives, o.Name)
		j, err := judge(in, point, o, previous)
		if err != nil {
			errs = append(errs, err)
			j = judgement{objective: o, failed: true}
			if previous != nil {
				out.Objectives = append(out.Objectives, *previous.DeepCopy())
			}
		} else {
			out.Objectives = append(out.Objectives, j.status)
			out.Released = out.Released || j.moved
		}
		judged = append(judged, j)
	}
	out.Breaches, out.Transitions = settle(in, point, judged)
	low, transitions := settleLow(in, point, judged, out.Breaches, out.Transitions)
	out.Low, out.Transitions = low, append(out.Transitions, transitions...)
	out.Next = next(in, judged, out.Breaches)
	return out, errors.Join(errs...)
}

// judgement is what an evaluation finds on one objective.
type judgement struct {
	objective Objective
	status    v1alpha1.ObjectiveStatus
	// failed means that it could not be judged; nothing else is set then.
	failed bool
	// changed means that the definition or the target is not that of the previous status.
	changed bool
	// missed means that the verdict at this judging point is Missed.
	missed bool
	// confirmed means that the state, judged continuously, is Missed and stood so for as long as the rules ask.
	confirmed bool
	// moved means that a published figure moved.
	moved bool
	live  reading
}

// judge takes one objective through the chain.
func judge(in Input, point point, o Objective, previous *v1alpha1.ObjectiveStatus) (judgement, error) {
	j := judgement{objective: o}
	var err error
	if j.live, err = read(in, o, WindowEnd(in.Now)); err != nil {
		return judgement{}, err
	}
	if j.missed, err = missedAt(in, point, o, j.live); err != nil {
		return judgement{}, err
	}
	s, same := carry(o, previous)
	j.changed = !same || !sameTarget(o, previous)
	released := mayRelease(in.Rules, point, s, j.live)
	if released {
		publish(&s, j.live)
	}
	s.Responses = j.live.result.N
	withhold(in.Rules, &s)
	s.State = stateOf(in.Rules, o, s, j, released, previous)
	s.StateSince = since(in.Now, s.State, previous)
	j.status, j.moved = s, figuresMoved(s, previous)
	if in.Rules.Judging == v1alpha1.JudgingContinuous && s.State == v1alpha1.StateMissed {
		j.confirmed, err = stoodMissed(in, o, WindowEnd(in.Now))
	}
	return j, err
}

// unread returns the previous status as it is: nothing is known yet.
func unread(in Input) Output {
	out := Output{Judged: in.Previous.Judged.DeepCopy(), Breaches: missedBreaches(in.Previous.Breaches), Low: lowBreaches(in.Previous.Breaches)}
	for i := range in.Previous.Objectives {
		out.Objectives = append(out.Objectives, *in.Previous.Objectives[i].DeepCopy())
	}
	return out
}

// stale keeps figures, breaches and how far was judged, and says that they are history.
func stale(in Input) Output {
	out := Output{Judged: in.Previous.Judged.DeepCopy(), Breaches: missedBreaches(in.Previous.Breaches), Low: lowBreaches(in.Previous.Breaches)}
	for _, o := range in.Objectives {
		previous := find(in.Previous.Objectives, o.Name)
		s := v1alpha1.ObjectiveStatus{Name: o.Name, Target: o.targetText(), Definition: o.Digest()}
		if previous != nil {
			// With the definition and target that were judged, so that a change is still seen when counts are back.
			s = *previous.DeepCopy()
		}
		s.State = v1alpha1.StateStale
		s.StateSince = since(in.Now, s.State, previous)
		out.Objectives = append(out.Objectives, s)
	}
	return out
}

func find(objectives []v1alpha1.ObjectiveStatus, name string) *v1alpha1.ObjectiveStatus {
	for i := range objectives {
		if objectives[i].Name == name {
			return &objectives[i]
		}
	}
	return nil
}

// normal fills in what the API's defaults and bounds guarantee, with the stricter choice where something is unknown.
func (r Rules) normal() Rules {
	r.MinimumCell = max(r.MinimumCell, 1)
	r.MinimumResponses = max(r.MinimumResponses, r.MinimumCell)
	if r.Location == nil {
		r.Location = time.UTC
	}
	return r
}
