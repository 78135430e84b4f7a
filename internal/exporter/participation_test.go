package exporter

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var anotherEnd = metav1.NewTime(day(22))

func number(n int64) *int64 { return &n }

// everything is a figure of each kind, for the whole program.
func everything() *Participation {
	return &Participation{"sfo", "passenger-experience", "", "airport", v1alpha1.Participation{
		WindowDays: 30, WindowEnd: metav1.NewTime(day(21)),
		Started: number(2421), Completed: number(2200), Completion: &v1alpha1.Share{Percent: "90.87", Lower: "89.66", Upper: "91.95"},
		MedianSeconds: number(55), P90Seconds: number(180),
		DropOff: []v1alpha1.DropOff{{Question: "recommend", Unfinished: 200}, {Unfinished: 21}},
		Invited: number(3000), Answered: number(600), ResponseRate: &v1alpha1.Share{Percent: "20.00", Lower: "18.61", Upper: "21.47"},
		Skipped: []v1alpha1.SkippedInvitations{
			{Scope: "program", Reason: "invited", Invitations: 40}, {Scope: "namespace", Reason: "answered", Invitations: 7},
		},
		Suspect: []v1alpha1.SuspectResponses{{Check: "honeypot", Responses: 12}, {Check: "time", Responses: 30}},
	}}
}

// What may not be shown has no series, and what is zero has one.
func TestWithheldParticipationHasNoSeries(t *testing.T) {
	e := New()
	e.Set(Source{Name: "x"}, Series{Participation: &Participation{Figures: v1alpha1.Participation{
		Started: number(7), Completed: number(0), Completion: &v1alpha1.Share{Percent: "0.00", Lower: "0.00", Upper: "35.43"},
	}}})
	var got []string
	for line := range strings.Lines(scrape(t, e)) {
		if !strings.HasPrefix(line, "#") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	const labels = `{namespace="",program="",team="",touchpoint=""} `
	want := []string{
		"cx_survey_completion_ratio" + labels + "0", "cx_survey_completion_ratio_lower" + labels + "0",
		"cx_survey_completion_ratio_upper" + labels + "0.3543", "cx_survey_visits_completed" + labels + "0", "cx_survey_visits_started" + labels + "7",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
