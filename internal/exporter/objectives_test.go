package exporter_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exporter"
)

// New counts replace the objectives of a source that is shown, and nothing else of it; one that is not shown stays away.
func TestSetObjectives(t *testing.T) {
	e := exporter.New()
	src := exporter.Source{Kind: "Touchpoint", Namespace: "air", Name: "desk"}
	objectives := func(responses int64, score float64) []exporter.Objective {
		return []exporter.Objective{{
			Namespace: "air", Program: "visits", Touchpoint: "desk", Objective: "easy", Metric: "CSAT", State: v1alpha1.StateMet,
			Responses: responses, Figures: &exporter.Figures{Score: score},
		}}
	}
	e.SetObjectives(src, objectives(1, 10))
	if n := testutil.CollectAndCount(e); n != 0 {
		t.Fatalf("%d series of an object that no pass has shown", n)
	}
	page := exporter.Page{Namespace: "air", Program: "visits", Touchpoint: "desk", URL: "http://survey.test"}
	e.Set(src, exporter.Series{Objectives: objectives(1, 10), Page: page})
	fresh := objectives(2, 20)
	e.SetObjectives(src, fresh)
	fresh[0].Figures.Score, fresh[0].Responses = 99, 99 // it is the caller's again
	help := ""
	for _, m := range exporter.Metrics() {
		if m.Name == "cx_objective_score" {
			help = m.Help
		}
	}
	want := `
# HELP cx_objective_responses Answers to the objective's question in its window now.
# TYPE cx_objective_responses gauge
cx_objective_responses{metric="CSAT",namespace="air",objective="easy",program="visits",team="",touchpoint="desk"} 2
# HELP cx_objective_score ` + help + `
# TYPE cx_objective_score gauge
cx_objective_score{metric="CSAT",namespace="air",objective="easy",program="visits",team="",touchpoint="desk"} 20
`
	if err := testutil.CollectAndCompare(e, strings.NewReader(want), "cx_objective_responses", "cx_objective_score"); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(e, "cx_survey_page_info"); n != 1 {
		t.Errorf("%d series of its page, want 1", n)
	}
}
