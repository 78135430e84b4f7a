package objectives

import (
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/followup"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Cases computes how the promise to customers is kept at a subject; of a program, on its own page alone. While there is no
// program, or its counts cannot be read, figures and breaches stay as they are.
func Cases(e *env.Env, s Subject, previous *v1alpha1.CaseFigures, now time.Time) followup.Output {
	if s.Program.UID == "" || readability(e, s, now) != evaluate.Fresh {
		return followup.Output{Figures: previous, Breaches: ofType(s.Previous.Breaches, v1alpha1.BreachFollowUpOverdue)}
	}
	rules := s.rules()
	return followup.Evaluate(followup.Input{
		Now: now, Promise: rules.FollowUp, Confidence: float64(rules.Evidence.ConfidencePercent) / 100,
		Count: func(question string, from, to store.Hour) followup.Tally {
			w := e.Book.Window(rollup.Query{
				Source: e.CountsOf(s.Program), Program: s.key(), Touchpoint: s.Touchpoint, Question: question, Revision: 1, From: from, To: to,
			})
			t := followup.Tally{Earliest: w.Earliest}
			for _, n := range w.Values {
				t.N += n
			}
			return t
		},
	})
}

// CaseSeries returns the metrics of a subject's cases, none where the status holds no figures.
func CaseSeries(l Label, f *v1alpha1.CaseFigures) []exporter.Cases {
	if f == nil {
		return nil
	}
	item := exporter.Cases{
		Namespace: l.Namespace, Program: l.Program, Touchpoint: l.Touchpoint, Team: l.Team,
		Open: f.Open, Overdue: f.Overdue, Kept: f.Kept, Due: f.Due, Lower: shareOf(f.ShareLower), Upper: shareOf(f.ShareUpper),
	}
	if f.OldestOpenTime != nil {
		item.OldestOpen = f.OldestOpenTime.Time
	}
	return []exporter.Cases{item}
}

// shareOf is a percentage of the status from 0 to 1; 0 where there is none.
func shareOf(percent string) float64 {
	v, err := strconv.ParseFloat(percent, 64)
	if err != nil {
		return 0
	}
	return v / 100
}
