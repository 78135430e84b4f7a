package effect

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

// begin is when the plans of these tests begin, at the turn of a day in UTC.
var begin = time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// answers are counts by hour.
type answers map[store.Hour]score.Counts

// give adds answers in the hour of t.
func (a answers) give(t time.Time, counts score.Counts) {
	h := store.HourOf(t)
	if a[h] == nil {
		a[h] = score.Counts{}
	}
	for v, n := range counts {
		a[h][v] += n
	}
}

func (a answers) count(_ Measure, from, to store.Hour) score.Counts {
	sum := score.Counts{}
	for h, counts := range a {
		if h >= from && h < to {
			for v, n := range counts {
				sum[v] += n
			}
		}
	}
	return sum
}

func nps(promoters, passives, detractors int64) score.Counts {
	return score.Counts{10: promoters, 8: passives, 3: detractors}
}

func measureOf(m score.Metric, s score.Scale) *Measure {
	return &Measure{Question: "q", Revision: 1, Definition: score.Definition{Metric: m, Scale: s, Confidence: 0.95}, WindowDays: 30}
}

func npsMeasure() *Measure { return measureOf(score.NPS, score.Scale{Min: 0, Max: 10}) }

func csatMeasure() *Measure { return measureOf(score.CSAT, score.Scale{Min: 1, Max: 5}) }

// story is a plan that began at begin, was completed ten days later, and has a window of 30 days and a washout of 7: its
// outcome is from day 17 to day 47.
func story(m *Measure, before, after score.Counts) (Input, answers) {
	a := answers{}
	a.give(begin.Add(-5*day), before)
	a.give(begin.Add(20*day), after)
	return Input{
		Now: begin.Add(47 * day), State: v1alpha1.WorkComplete, Started: begin, Completed: begin.Add(10 * day),
		Measure: m, Rules: Rules{MinimumResponses: 30, MinimumCell: 5}, Count: a.count, ReadThrough: begin.Add(47 * day),
	}, a
}

// told judges a story from beginning to end, through the status.
func told(m *Measure, before, after score.Counts, change ...func(*Input)) *v1alpha1.Effect {
	in, _ := story(m, before, after)
	for _, c := range change {
		c(&in)
	}
	return Evaluate(in).Effect
}

func number(t testing.TB, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// airport returns the answers to one question of San Francisco airport's survey of May 2017, by hour.
func airport(t testing.TB, question string) answers {
	t.Helper()
	file, err := os.Open("../../hack/demo/data/sfo-2017-counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	a := answers{}
	for _, r := range rows[1:] {
		if r[2] == question {
			at := time.Date(2017, time.May, number(t, r[0]), 12, 0, 0, 0, time.UTC)
			a.give(at, score.Counts{number(t, r[3]): int64(number(t, r[4]))})
		}
	}
	return a
}
