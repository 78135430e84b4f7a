package evaluate_test

import (
	"encoding/csv"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

var airportProgram = store.Key{Namespace: "sfo", Name: "passenger-experience"}

// airportBook holds San Francisco airport's own passenger survey of May 2017 (see hack/demo/data/README.md): every
// question as a touchpoint, boarding areas as units.
func airportBook(t *testing.T) *rollup.Book {
	t.Helper()
	f, err := os.Open("../../hack/demo/data/sfo-2017-counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	changes := store.Changes{Reset: true, Imports: map[store.Key]string{airportProgram: "may"}}
	for _, row := range rows[1:] {
		day, errDay := strconv.Atoi(row[0])
		n, errCount := strconv.ParseInt(row[4], 10, 64)
		if errDay != nil || errCount != nil {
			t.Fatalf("row %v", row)
		}
		noon := time.Date(2017, time.May, day, 19, 0, 0, 0, time.UTC)
		changes.Counts = append(changes.Counts, store.Count{
			Program: airportProgram, Touchpoint: row[2], Unit: row[1], Question: row[2], Revision: 1,
			Hour: store.HourOf(noon), Value: row[3], N: n,
		})
	}
	book := rollup.NewBook()
	book.Apply("sfo/responses", changes, time.Time{})
	return book
}

// The airport's figures come out of the whole core: counts, windows, scores, verdicts and breaches.
func TestAirport(t *testing.T) {
	book := airportBook(t)
	csat := score.Definition{Metric: score.CSAT, Scale: score.Scale{Min: 1, Max: 5}, Confidence: 0.95}
	nps := score.Definition{Metric: score.NPS, Scale: score.Scale{Min: 0, Max: 10}, Confidence: 0.95}
	tests := []struct {
		question            string
		definition          score.Definition
		target              float64
		score, lower, upper string
		responses           int64
		state               v1alpha1.ObjectiveState
		breaches            int
		programWide         bool
	}{
		{"security", csat, 75, "82.01", "80.43", "83.49", 2407, v1alpha1.StateMet, 0, false},
		{"food", csat, 65, "55.72", "53.73", "57.69", 2421, v1alpha1.StateMissed, 1, false},
		{"rental-cars", csat, 60, "67.59", "64.64", "70.41", 1006, v1alpha1.StateMet, 0, false},
		{"recommend", nps, 35, "39.84", "37.18", "42.41", 2746, v1alpha1.StateMet, 0, true},
	}
	loc, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.question, func(t *testing.T) {
			in := evaluate.Input{
				Now: time.Date(2017, time.June, 1, 17, 0, 0, 0, time.UTC),
				Objectives: []evaluate.Objective{{
					Name: "promise", Question: tt.question, Revision: 1, Definition: tt.definition, Target: tt.target, WindowDays: 90,
				}},
				Rules:      evaluate.Rules{MinimumResponses: 30, MinimumCell: 5, Location: loc},
				LastImport: book.LastImport(airportProgram),
				Count: func(o evaluate.Objective, from, to store.Hour) evaluate.Window {
					w := book.Window(rollup.Query{
						Program: airportProgram, Touchpoint: tt.question, ProgramWide: tt.programWide,
						Question: o.Question, Revision: o.Revision, From: from, To: to,
					})
					return evaluate.Window{Counts: w.Counts(), Ever: w.Ever, Earliest: w.Earliest, Any: w.Any}
				},
			}
			out, err := evaluate.Evaluate(in)
			if err != nil {
				t.Fatal(err)
			}
			o := out.Objectives[0]
			if o.Score != tt.score || o.Lower != tt.lower || o.Upper != tt.upper || o.Responses != tt.responses || o.State != tt.state {
				t.Errorf("%s: %s [%s, %s] of %d: %s", tt.question, o.Score, o.Lower, o.Upper, o.Responses, o.State)
			}
			if len(out.Breaches) != tt.breaches || len(out.Transitions) != tt.breaches {
				t.Errorf("breaches %+v", out.Breaches)
			}
		})
	}
}
