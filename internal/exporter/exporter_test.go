package exporter

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var update = flag.Bool("update", false, "write testdata/metrics.golden anew")

const golden = "testdata/metrics.golden"

func day(d int) time.Time { return time.Date(2026, 11, d, 8, 0, 0, 0, time.UTC) }

// airport is a program in which everything that can be exported is: every state in use, and every type of breach. Its
// exposition is the golden file, from which the tests of the alert rules are fed.
func airport() map[Source]Series {
	source := func(kind, name string) Source { return Source{Kind: kind, Namespace: "sfo", Name: name} }
	objective := func(touchpoint, name, team string, state v1alpha1.ObjectiveState, target float64, n int64, f *Figures) Objective {
		metric := "CSAT"
		if name == "nps" {
			metric = "NPS"
		}
		return Objective{"sfo", "passenger-experience", touchpoint, name, metric, team, state, f, target, n}
	}
	breach := func(kind, name string, t v1alpha1.BreachType, objective, item, team string, since int) Breach {
		return Breach{"sfo", string(t), kind, name, objective, item, "passenger-experience", team, day(since)}
	}
	plan := func(name, touchpoint, objective, team string, state v1alpha1.WorkState, due time.Time) Plan {
		return Plan{
			Namespace: "sfo", Program: "passenger-experience", ActionPlan: name, Touchpoint: touchpoint, Objective: objective, Team: team,
			State: state, Due: due,
		}
	}
	clocked := func(p Plan) Plan {
		p.Opened, p.AcknowledgeBy, p.Acknowledged = day(14), day(16), day(15)
		return p
	}
	return map[Source]Series{
		source("SurveyProgram", "passenger-experience"): {
			Objectives: []Objective{objective("", "nps", "airport", v1alpha1.StateMet, 35, 2746, &Figures{39.84, 37.18, 42.41, true})},
			Breaches: []Breach{
				breach("SurveyProgram", "passenger-experience", v1alpha1.BreachNoActionTaken, "", "", "airport", 19),
				breach("SurveyProgram", "passenger-experience", v1alpha1.BreachSponsorMissing, "", "", "airport", 20),
				breach("SurveyProgram", "passenger-experience", v1alpha1.BreachSponsorSilent, "", "", "airport", 18),
			},
			Stages:        []Stage{{"sfo", "passenger-experience", v1alpha1.LifecycleTransform}},
			Notices:       []Notices{{"sfo", "SurveyProgram", "passenger-experience", "airport", 2, 1}},
			Participation: everything(),
			Page:          Page{"sfo", "passenger-experience", "", "airport", "https://feedback.example/s/sfo/passenger-experience"},
			Endpoint:      &Endpoint{"sfo", "passenger-experience", 3, 2, new(true)},
		},
		source("Touchpoint", "food"): {
			Objectives: []Objective{objective("food", "satisfaction", "concessions", v1alpha1.StateMissed, 65, 2421, &Figures{55.72, 53.74, 57.69, true})},
			Breaches: []Breach{
				breach("Touchpoint", "food", v1alpha1.BreachConsistentlyLow, "satisfaction", "", "concessions", 21),
				breach("Touchpoint", "food", v1alpha1.BreachFollowUpOverdue, "", "cases", "concessions", 20),
				breach("Touchpoint", "food", v1alpha1.BreachObjectiveMissed, "satisfaction", "", "concessions", 21),
			},
			Cases: []Cases{{"sfo", "passenger-experience", "food", "concessions", 4, 1, 18, 20, 0.699, 0.972, day(15)}},
			Participation: &Participation{"sfo", "passenger-experience", "food", "concessions", v1alpha1.Participation{
				Suspect: []v1alpha1.SuspectResponses{{Check: "proof", Responses: 1}},
			}},
		},
		source("Touchpoint", "shops"): {
			Objectives: []Objective{objective("shops", "satisfaction", "concessions", v1alpha1.StateAtRisk, 62.5, 31, &Figures{Score: 60})},
			Breaches:   []Breach{breach("Touchpoint", "shops", v1alpha1.BreachPlanMissing, "satisfaction", "", "concessions", 21)},
			Cases:      []Cases{{Namespace: "sfo", Program: "passenger-experience", Touchpoint: "shops", Team: "concessions"}},
		},
		source("Touchpoint", "security"): {
			Objectives: []Objective{objective("security", "satisfaction", "security", v1alpha1.StateStale, 75, 2407, &Figures{82.01, 80.43, 83.49, true})},
		},
		source("Touchpoint", "rental-cars"): {
			Objectives: []Objective{objective("rental-cars", "satisfaction", "airport", v1alpha1.StateInsufficientData, 60, 4, nil)},
			Breaches:   []Breach{breach("Touchpoint", "rental-cars", v1alpha1.BreachOwnerMissing, "", "", "airport", 20)},
		},
		source("Touchpoint", "baggage"): {
			Objectives: []Objective{objective("baggage", "satisfaction", "airport", "", 60, 0, nil)},
			Breaches: []Breach{
				breach("Touchpoint", "baggage", v1alpha1.BreachHandoffUncovered, "", "rental-cars", "airport", 20),
				breach("Touchpoint", "baggage", v1alpha1.BreachUnmeasured, "", "", "airport", 20),
			},
		},
		source("ActionPlan", "better-food"): {
			Plans: []Plan{clocked(plan("better-food", "food", "satisfaction", "concessions", v1alpha1.WorkInProgress, day(21)))},
			Breaches: []Breach{
				breach("ActionPlan", "better-food", v1alpha1.BreachActionOverdue, "satisfaction", "late-hours", "concessions", 15),
				breach("ActionPlan", "better-food", v1alpha1.BreachPlanOverdue, "satisfaction", "", "concessions", 21),
				breach("ActionPlan", "better-food", v1alpha1.BreachPlanUnacknowledged, "satisfaction", "", "concessions", 20),
			},
			Effects: []Effect{{Namespace: "sfo", Program: "passenger-experience", ActionPlan: "better-food", Touchpoint: "food", Objective: "satisfaction", Team: "concessions", Verdict: v1alpha1.EffectTooEarly}},
		},
		source("ActionPlan", "nps-plan"): {
			Plans:   []Plan{plan("nps-plan", "", "nps", "airport", "", time.Time{})},
			Effects: []Effect{{"sfo", "passenger-experience", "nps-plan", "", "nps", "airport", v1alpha1.EffectImproved, 6.1, 2.2, 10, true}},
		},
		source("Review", "passenger-experience-2026-w46"): {
			Reviews:  []Review{{"sfo", "passenger-experience", "passenger-experience-2026-w46", "airport", day(20), time.Time{}}},
			Breaches: []Breach{breach("Review", "passenger-experience-2026-w46", v1alpha1.BreachReviewMissed, "", "", "airport", 20)},
		},
		source("Review", "passenger-experience-2026-w45"): {
			Reviews: []Review{{"sfo", "passenger-experience", "passenger-experience-2026-w45", "airport", day(13), day(11)}},
		},
		source("Team", "concessions"): {Loads: []Load{{"sfo", "concessions", 2, 1, 3, 1}}},
	}
}

func exporterOf(all map[Source]Series) *Exporter {
	e := New()
	for src, s := range all {
		e.Set(src, s)
	}
	return e
}

// scrape is the exposition as Prometheus would read it.
func scrape(t testing.TB, e *Exporter) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(e); err != nil {
		t.Fatal(err)
	}
	recorder := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if recorder.Code != http.StatusOK {
		t.Fatalf("status %d: %s", recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

func TestExposition(t *testing.T) {
	got := scrape(t, exporterOf(airport()))
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the exposition differs from %s (regenerate with: go test ./internal/exporter -update):\n%s", golden, got)
	}
}

func TestExpositionIsWellFormed(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(exporterOf(airport()))
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// The names and labels that dashboards and rules rely on, as the documentation promises them.
func TestNamesAndLabels(t *testing.T) {
	objective := "namespace program touchpoint objective metric team"
	breach := "namespace type kind name objective item program team"
	plan := "namespace program action_plan touchpoint objective team"
	survey := "namespace program touchpoint team"
	want := map[string]string{
		"cx_objective_score":                               objective,
		"cx_objective_score_lower":                         objective,
		"cx_objective_score_upper":                         objective,
		"cx_objective_target":                              objective,
		"cx_objective_responses":                           objective,
		"cx_objective_state":                               objective + " state",
		"cx_action_plan_state":                             plan + " state",
		"cx_action_plan_due_timestamp_seconds":             plan,
		"cx_action_plan_opened_timestamp_seconds":          plan,
		"cx_action_plan_acknowledge_by_timestamp_seconds":  plan,
		"cx_action_plan_acknowledged_timestamp_seconds":    plan,
		"cx_survey_page_info":                              survey + " url",
		"cx_accountability_breach":                         breach,
		"cx_accountability_breach_start_timestamp_seconds": breach,
		"cx_survey_visits_started":                         survey,
		"cx_survey_visits_completed":                       survey,
		"cx_survey_completion_ratio":                       survey,
		"cx_survey_completion_ratio_lower":                 survey,
		"cx_survey_completion_ratio_upper":                 survey,
		"cx_survey_visits_unfinished":                      survey + " question",
		"cx_survey_duration_seconds":                       survey + " percentile",
		"cx_survey_invitations":                            survey,
		"cx_survey_invitations_answered":                   survey,
		"cx_survey_response_rate_ratio":                    survey,
		"cx_survey_response_rate_ratio_lower":              survey,
		"cx_survey_response_rate_ratio_upper":              survey,
		"cx_survey_invitations_skipped":                    survey + " scope reason",
		"cx_survey_responses_suspect":                      survey + " check",
		"cx_endpoint_replicas":                             "namespace program",
		"cx_endpoint_ready_replicas":                       "namespace program",
		"cx_endpoint_readable":                             "namespace program",
		"cx_cases_open":                                    survey,
		"cx_cases_overdue":                                 survey,
		"cx_cases_oldest_open_timestamp_seconds":           survey,
		"cx_follow_up_kept_ratio":                          survey,
		"cx_follow_up_kept_ratio_lower":                    survey,
		"cx_follow_up_kept_ratio_upper":                    survey,
		"cx_program_stage":                                 "namespace program stage",
		"cx_action_plan_effect":                            plan + " verdict",
		"cx_action_plan_change":                            plan,
		"cx_action_plan_change_lower":                      plan,
		"cx_action_plan_change_upper":                      plan,
		"cx_team_open_plans":                               "namespace team",
		"cx_team_overdue_plans":                            "namespace team",
		"cx_team_open_actions":                             "namespace team",
		"cx_team_overdue_actions":                          "namespace team",
		"cx_review_due_timestamp_seconds":                  "namespace program review team",
		"cx_review_held_timestamp_seconds":                 "namespace program review team",
		"cx_notifications_pending":                         "namespace kind name team",
		"cx_notifications_dead":                            "namespace kind name team",
	}
	for _, m := range Metrics() {
		if got := strings.Join(m.Labels, " "); got != want[m.Name] {
			t.Errorf("%s has labels %q, want %q", m.Name, got, want[m.Name])
		}
		delete(want, m.Name)
	}
	if len(want) > 0 {
		t.Errorf("not declared: %v", want)
	}
}

// lines are the series of one metric with a piece in their labels.
func lines(exposition, metric, piece string) []string {
	var found []string
	for line := range strings.Lines(exposition) {
		if strings.HasPrefix(line, metric+"{") && strings.Contains(line, piece) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

func TestExactlyOneStateIsSet(t *testing.T) {
	for _, state := range []v1alpha1.ObjectiveState{"InsufficientData", "Met", "Missed", "AtRisk", "OnTrack", "Stale"} {
		e := New()
		e.Set(Source{Name: "x"}, Series{Objectives: []Objective{{Objective: "o", State: state}}})
		checkOneState(t, lines(scrape(t, e), "cx_objective_state", ""), string(state), 6)
	}
	for _, state := range []v1alpha1.WorkState{"NotStarted", "OnHold", "InProgress", "Complete", "Cancelled"} {
		e := New()
		e.Set(Source{Name: "x"}, Series{Plans: []Plan{{ActionPlan: "p", State: state}}})
		checkOneState(t, lines(scrape(t, e), "cx_action_plan_state", ""), string(state), 5)
	}
}

func checkOneState(t *testing.T, series []string, state string, states int) {
	t.Helper()
	set := slices.DeleteFunc(slices.Clone(series), func(line string) bool { return !strings.HasSuffix(line, " 1") })
	if len(series) != states || len(set) != 1 || !strings.Contains(set[0], fmt.Sprintf("state=%q", state)) {
		t.Errorf("state %s: %d series, set are %v", state, len(series), set)
	}
}

func TestMissingFiguresHaveNoSeries(t *testing.T) {
	exposition := scrape(t, exporterOf(airport()))
	for _, c := range []struct {
		touchpoint           string
		score, bounds, state int
	}{
		{"food", 1, 1, 6}, {"shops", 1, 0, 6}, {"rental-cars", 0, 0, 6}, {"baggage", 0, 0, 0},
	} {
		piece := fmt.Sprintf("touchpoint=%q", c.touchpoint)
		for metric, want := range map[string]int{
			"cx_objective_score": c.score, "cx_objective_score_lower": c.bounds, "cx_objective_score_upper": c.bounds,
			"cx_objective_target": 1, "cx_objective_responses": 1, "cx_objective_state": c.state,
		} {
			if got := lines(exposition, metric, piece); len(got) != want {
				t.Errorf("%s of %s: %v, want %d series", metric, c.touchpoint, got, want)
			}
		}
	}
	if got := lines(exposition, "cx_action_plan_due_timestamp_seconds", `action_plan="nps-plan"`); len(got) != 0 {
		t.Errorf("a due time without a due date: %v", got)
	}
}

func TestSetReplacesAndDeleteRemoves(t *testing.T) {
	src := Source{Kind: "Touchpoint", Namespace: "sfo", Name: "food"}
	food := airport()[src]
	e := exporterOf(airport())
	food.Breaches = nil
	e.Set(src, food)
	exposition := scrape(t, e)
	if got := lines(exposition, "cx_accountability_breach", `type="ObjectiveMissed"`); len(got) != 0 {
		t.Errorf("after the breach closed: %v", got)
	}
	if got := lines(exposition, "cx_objective_score", `touchpoint="food"`); len(got) != 1 {
		t.Errorf("the score: %v", got)
	}
	e.Delete(src)
	e.Delete(src)
	if got := lines(scrape(t, e), "cx_objective_score", `touchpoint="food"`); len(got) != 0 {
		t.Errorf("after Delete: %v", got)
	}
	for other := range airport() {
		e.Set(other, Series{})
	}
	if got := scrape(t, e); got != "" || len(e.entries) != 0 {
		t.Errorf("%d sources left: %s", len(e.entries), got)
	}
}

func TestEqualSeriesChangeNothing(t *testing.T) {
	src := Source{Kind: "Touchpoint", Namespace: "sfo", Name: "food"}
	e := exporterOf(airport())
	before := e.entries[src].series
	e.Set(src, airport()[src])
	if e.entries[src].series != before {
		t.Error("equal series were stored anew")
	}
	if allocated := testing.AllocsPerRun(100, func() { e.Set(src, *before) }); allocated != 0 {
		t.Errorf("setting equal series allocates %v times", allocated)
	}
}

func TestEveryDifferenceIsSeen(t *testing.T) {
	series := func() Series {
		return Series{
			Objectives: []Objective{{Objective: "o", Figures: &Figures{Score: 1}}},
			Breaches:   []Breach{{Name: "b", Since: day(1)}},
			Plans:      []Plan{{ActionPlan: "p", Due: day(1), Opened: day(2), AcknowledgeBy: day(3), Acknowledged: day(4)}},
			Page:       Page{URL: "https://feedback.example"},

			Participation: everything(),
			Endpoint:      &Endpoint{Replicas: 2, Readable: new(false)},
		}
	}
	same := series()
	same.Breaches[0].Since = day(1).In(time.FixedZone("", 3600))
	same.Plans[0].Due = day(1).In(time.FixedZone("", 3600))
	same.Participation.Figures.WindowEnd = anotherEnd
	if !series().equal(same) {
		t.Error("the same instant in another zone, or the end of a window, is taken for a difference")
	}
	for name, change := range map[string]func(*Series){
		"team":       func(s *Series) { s.Objectives[0].Team = "x" },
		"state":      func(s *Series) { s.Objectives[0].State = "Met" },
		"responses":  func(s *Series) { s.Objectives[0].Responses++ },
		"score":      func(s *Series) { s.Objectives[0].Figures.Score = 2 },
		"no figures": func(s *Series) { s.Objectives[0].Figures = nil },
		"since":      func(s *Series) { s.Breaches[0].Since = day(2) },
		"item":       func(s *Series) { s.Breaches[0].Item = "x" },
		"due":        func(s *Series) { s.Plans[0].Due = day(2) },
		"opened":     func(s *Series) { s.Plans[0].Opened = day(5) },
		"in time":    func(s *Series) { s.Plans[0].AcknowledgeBy = day(5) },
		"taken over": func(s *Series) { s.Plans[0].Acknowledged = day(5) },
		"page":       func(s *Series) { s.Page.URL = "" },
		"plan state": func(s *Series) { s.Plans[0].State = "Complete" },
		"fewer":      func(s *Series) { s.Objectives = nil },
		"more":       func(s *Series) { s.Plans = append(s.Plans, Plan{}) },
		"started":    func(s *Series) { *s.Participation.Figures.Started++ },
		"withheld":   func(s *Series) { s.Participation.Figures.Started = nil },
		"drop-off":   func(s *Series) { s.Participation.Figures.DropOff[0].Unfinished++ },
		"touchpoint": func(s *Series) { s.Participation.Touchpoint = "x" },
		"nobody":     func(s *Series) { s.Participation = nil },
		"replicas":   func(s *Series) { s.Endpoint.Replicas++ },
		"ready":      func(s *Series) { s.Endpoint.Ready++ },
		"readable":   func(s *Series) { *s.Endpoint.Readable = true },
		"unread":     func(s *Series) { s.Endpoint.Readable = nil },
		"no pods":    func(s *Series) { s.Endpoint = nil },
	} {
		changed := series()
		change(&changed)
		if series().equal(changed) || changed.equal(series()) {
			t.Errorf("%s: the difference is not seen", name)
		}
	}
}

func TestCallerKeepsItsSeries(t *testing.T) {
	src := Source{Kind: "Touchpoint", Namespace: "sfo", Name: "food"}
	mine := airport()[src]
	mine.Participation = everything()
	e := New()
	e.Set(src, mine)
	before := scrape(t, e)
	*mine.Participation.Figures.Started = 99
	mine.Participation.Figures.DropOff[0].Question = "other"
	mine.Participation.Team = "other"
	mine.Objectives[0].Figures.Score = 99
	mine.Objectives[0].Team = "other"
	mine.Breaches[0].Type = "other"
	if got := scrape(t, e); got != before {
		t.Errorf("changed from outside:\n%s", got)
	}
}

// Setting, deleting and scraping at the same time: no race, and every scrape is well formed.
func TestConcurrentUse(t *testing.T) {
	e := exporterOf(airport())
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(e)
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for round := range 200 {
				src := Source{Kind: "Touchpoint", Namespace: "other", Name: fmt.Sprintf("t%d", round%7)}
				s := Series{Objectives: []Objective{{
					Namespace: "other", Touchpoint: src.Name, State: v1alpha1.StateMet,
					Figures: &Figures{Score: float64(worker*1000 + round)}, Responses: int64(round),
				}}}
				if e.Set(src, s); round%3 == 0 {
					e.Delete(src)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			for range 50 {
				if _, err := registry.Gather(); err != nil {
					t.Errorf("scrape: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
}
