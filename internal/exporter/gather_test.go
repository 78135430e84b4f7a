package exporter

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// desk is one of many touchpoints, of programs, teams and states in no order.
func desk(i int) (Source, Series) {
	name, program, team := fmt.Sprintf("touchpoint-%d", i), fmt.Sprintf("program-%d", i/5), fmt.Sprintf("team-%d", i*7%11)
	return Source{"Touchpoint", "sfo", name}, Series{
		Objectives: []Objective{{
			"sfo", program, name, "satisfaction", "CSAT", team, objectiveStates[i%len(objectiveStates)], &Figures{82.01, 80.43, 83.49, i%3 > 0}, 75, int64(i),
		}},
		Page: Page{"sfo", program, name, team, "https://feedback.example/s/" + name},
	}
}

// exposed is what a handler answers to a query.
func exposed(t *testing.T, h http.Handler, query string) string {
	t.Helper()
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics"+query, http.NoBody))
	body, err := io.ReadAll(answer.Result().Body)
	if err != nil || answer.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", answer.Code, err, body)
	}
	return string(body)
}

// TestHandlerAnswersLikeARegistry holds what is gathered here to what the client library's registry makes of the same series, which it
// sorts and checks.
func TestHandlerAnswersLikeARegistry(t *testing.T) {
	const objects = 500
	e := New()
	for src, s := range airport() {
		e.Set(src, s)
	}
	for i := range objects {
		e.Set(desk(i))
	}
	other := prometheus.NewGauge(prometheus.GaugeOpts{Name: "cx_other", Help: "Of somebody else."})
	registry, others := prometheus.NewPedanticRegistry(), prometheus.NewRegistry()
	registry.MustRegister(e, other)
	others.MustRegister(other)
	want, got := promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), e.Handler(others)
	for _, query := range []string{
		"", "?name[]=cx_objective_responses", "?name[]=cx_objective_state", "?name[]=cx_survey_page_info&name[]=cx_other", "?name[]=none",
		"?name[]=cx_accountability_breach&name[]=cx_objective_score",
	} {
		if want, got := exposed(t, want, query), exposed(t, got, query); got != want {
			t.Errorf("%q: %s", query, firstDifference(got, want))
		}
	}
}

func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return "got  " + a[i] + "\nwant " + b[i]
		}
	}
	return "one is longer"
}

func BenchmarkScrape(b *testing.B) {
	e := New()
	for i := range 10_000 {
		e.Set(desk(i))
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(e)
	for name, h := range map[string]http.Handler{
		"registry": promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), "handler": e.Handler(prometheus.NewRegistry()),
	} {
		for what, query := range map[string]string{"all": "", "one": "?name[]=cx_objective_responses"} {
			b.Run(name+"/"+what, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics"+query, http.NoBody))
				}
			})
		}
	}
}
