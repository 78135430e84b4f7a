package notify

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/escalation"
)

// Transition is something that happened to a resource and that people are told of. Its fields are those of a Notice.
type Transition struct {
	Class           v1alpha1.NoticeClass
	Transition      v1alpha1.NoticeTransition
	Breach          v1alpha1.BreachType
	Objective, Item string
	// Reason as in the event.
	Reason string
	// To is empty for the owner's team.
	To v1alpha1.EscalationTarget
	// Step of an escalation, from 1; 0 for none.
	Step int32
	// Time of the transition; seconds count.
	Time time.Time
}

// FromBreaches returns what is told of breaches that opened or closed at now.
func FromBreaches(ts []breach.Transition, now time.Time) []Transition {
	var out []Transition
	for _, t := range ts {
		told := ofBreach(t.Breach, v1alpha1.NoticeClosed, now)
		if t.Opened {
			told.Transition = v1alpha1.NoticeOpened
		}
		told.Reason = t.Reason
		out = append(out, told)
	}
	return out
}

// FromEscalation returns what is told of steps that were taken at now.
func FromEscalation(ts []escalation.Taken, now time.Time) []Transition {
	var out []Transition
	for _, t := range ts {
		told := ofBreach(t.Breach, v1alpha1.NoticeEscalated, now)
		told.Reason, told.To, told.Step = string(t.Breach.Type), t.To, t.Step
		out = append(out, told)
	}
	return out
}

func ofBreach(b v1alpha1.Breach, transition v1alpha1.NoticeTransition, now time.Time) Transition {
	return Transition{
		Class: v1alpha1.NoticeBreach, Transition: transition, Breach: b.Type, Objective: b.Objective, Item: b.Item, Time: now,
	}
}
