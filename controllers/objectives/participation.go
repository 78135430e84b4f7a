package objectives

import (
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/participation"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

// Participate computes who began, finished and was invited, for a subject whose status holds the previous figures. While
// there is no program, or its counts cannot be read, they stay as they are.
func Participate(e *env.Env, s Subject, previous *v1alpha1.Participation, now time.Time) participation.Output {
	if s.Program.UID == "" || readability(e, s, now) != evaluate.Fresh {
		return participation.Output{Figures: previous}
	}
	in := participation.Input{
		Now: now, Previous: previous,
		MinimumCell: int64(s.Program.Spec.Privacy.MinimumCell),
		Confidence:  float64(s.rules().Evidence.ConfidencePercent) / 100,
		Count: func(question string, from, to store.Hour) participation.Window {
			w := e.Book.Window(s.query(e, question, 1, from, to))
			return participation.Window{Values: w.Values, Earliest: w.Earliest, Any: w.Any}
		},
	}
	for _, q := range s.Program.Spec.Survey.Questions {
		in.Questions = append(in.Questions, q.Name)
	}
	return participation.Evaluate(in)
}

// query asks for the answers of the subject to a question: for a program's own objectives, of every touchpoint.
func (s Subject) query(e *env.Env, question string, revision int32, from, to store.Hour) rollup.Query {
	return rollup.Query{
		Source: e.CountsOf(s.Program), Program: s.key(), Touchpoint: s.Touchpoint, ProgramWide: s.Touchpoint == "",
		Question: question, Revision: revision, From: from, To: to,
	}
}

// ParticipationSeries returns the metrics of a subject's figures of participation, nil where the status holds none.
func ParticipationSeries(l Label, published *v1alpha1.Participation) *exporter.Participation {
	if published == nil {
		return nil
	}
	return &exporter.Participation{
		Namespace: l.Namespace, Program: l.Program, Touchpoint: l.Touchpoint, Team: l.Team, Figures: *published,
	}
}
