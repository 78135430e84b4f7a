package evaluate_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// BenchmarkEvaluate judges one objective on a 90-day window with answers of every value in every hour, from 10 thousand
// to 100 million of them: the cost is that of the hours.
func BenchmarkEvaluate(b *testing.B) {
	now := time.Date(2026, time.November, 10, 12, 30, 0, 0, time.UTC)
	program := store.Key{Namespace: "bench", Name: "program"}
	for _, answers := range []int64{10_000, 1_000_000, 100_000_000} {
		b.Run(strconv.FormatInt(answers, 10), func(b *testing.B) {
			const hours = 90 * 24
			changes := store.Changes{Reset: true}
			for h := range hours {
				for v := 1; v <= 5; v++ {
					changes.Counts = append(changes.Counts, store.Count{
						Program: program, Touchpoint: "food", Question: "food", Revision: 1,
						Hour: evaluate.WindowEnd(now) - hours + store.Hour(h), Value: strconv.Itoa(v), N: max(answers/hours/5, 1),
					})
				}
			}
			book := rollup.NewBook()
			book.Apply("bench/store", changes, now)
			in := evaluate.Input{
				Now: now, Rules: evaluate.Rules{MinimumResponses: 30, MinimumCell: 5, Location: time.UTC},
				Objectives: []evaluate.Objective{{
					Name: "satisfaction", Question: "food", Revision: 1, Target: 65, WindowDays: 90,
					Definition: score.Definition{Metric: score.CSAT, Scale: score.Scale{Min: 1, Max: 5}, Confidence: 0.95},
				}},
				Count: func(o evaluate.Objective, from, to store.Hour) evaluate.Window {
					w := book.Window(rollup.Query{Program: program, Touchpoint: "food", Question: o.Question, Revision: o.Revision, From: from, To: to})
					return evaluate.Window{Counts: w.Counts(), Ever: w.Ever, Earliest: w.Earliest, Any: w.Any}
				},
			}
			out, err := evaluate.Evaluate(in)
			if err != nil {
				b.Fatal(err)
			}
			in.Previous = evaluate.Previous{Objectives: out.Objectives, Breaches: out.Breaches, Judged: out.Judged}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := evaluate.Evaluate(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
