package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// snapshot is what the API server and the metrics say at one moment.
type snapshot struct {
	subjects []subject // the program, then its touchpoints in the order of the journey
	plans    []v1alpha1.ActionPlan
	series   []series
	location *time.Location // the program's
}

// subject is what can have objectives: a program or a touchpoint.
type subject struct {
	kind, name, displayName string
	stage                   v1alpha1.Stage // empty for a program
	owner                   string         // empty where nobody owns it
	objectives              []v1alpha1.Objective
	status                  []v1alpha1.ObjectiveStatus
	breaches                []v1alpha1.Breach
	opensPlans              bool // spec.onMissed says Create
}

// touchpoint is the subject's name as metrics and plans have it: empty for a program.
func (s subject) touchpoint() string {
	if s.kind == kindProgram {
		return ""
	}
	return s.name
}

// statusOf returns the verdict on an objective.
func (s subject) statusOf(objective string) (v1alpha1.ObjectiveStatus, bool) {
	for _, status := range s.status {
		if status.Name == objective {
			return status, true
		}
	}
	return v1alpha1.ObjectiveStatus{}, false
}

const kindProgram, kindTouchpoint, kindPlan = "SurveyProgram", "Touchpoint", "ActionPlan"

// look takes a snapshot.
func (d *demo) look(ctx context.Context, metrics string) (snapshot, error) {
	var programs v1alpha1.SurveyProgramList
	var touchpoints v1alpha1.TouchpointList
	var plans v1alpha1.ActionPlanList
	if err := d.list(ctx, &programs, &touchpoints, &plans); err != nil {
		return snapshot{}, err
	}
	all, err := scrape(ctx, metrics)
	if err != nil {
		return snapshot{}, err
	}
	seen := snapshot{plans: plans.Items, series: all, location: time.UTC}
	for i := range programs.Items {
		p := &programs.Items[i]
		if p.Name != program {
			continue
		}
		if seen.location, err = time.LoadLocation(p.Spec.TimeZone); err != nil {
			return snapshot{}, fmt.Errorf("finding the program's time zone: %w", err)
		}
		seen.subjects = append(seen.subjects, ofProgram(p))
		seen.subjects = append(seen.subjects, journey(p, touchpoints.Items)...)
	}
	return seen, nil
}

func ofProgram(p *v1alpha1.SurveyProgram) subject {
	return subject{
		kind: kindProgram, name: p.Name, displayName: p.Spec.DisplayName, owner: nameOf(p.Spec.OwnerRef),
		objectives: p.Spec.Objectives, status: p.Status.Objectives, breaches: p.Status.Breaches,
		opensPlans: opensPlans(p.Spec.OnMissed),
	}
}

// journey returns the touchpoints by stage, and within a stage in the order in which the survey asks their questions.
func journey(p *v1alpha1.SurveyProgram, touchpoints []v1alpha1.Touchpoint) []subject {
	stages := []v1alpha1.Stage{v1alpha1.StageBefore, v1alpha1.StageDuring, v1alpha1.StageAfter}
	order := func(t v1alpha1.Touchpoint) int {
		first := slices.IndexFunc(p.Spec.Survey.Questions, func(q v1alpha1.Question) bool {
			return slices.Contains(t.Spec.Questions, q.Name)
		})
		return slices.Index(stages, t.Spec.Stage)*1000 + first
	}
	sorted := slices.SortedStableFunc(slices.Values(touchpoints), func(a, b v1alpha1.Touchpoint) int { return order(a) - order(b) })
	subjects := make([]subject, 0, len(sorted))
	for i := range sorted {
		t := &sorted[i]
		subjects = append(subjects, subject{
			kind: kindTouchpoint, name: t.Name, displayName: t.Spec.DisplayName, stage: t.Spec.Stage, owner: nameOf(t.Spec.OwnerRef),
			objectives: t.Spec.Objectives, status: t.Status.Objectives, breaches: t.Status.Breaches,
			opensPlans: opensPlans(t.Spec.OnMissed),
		})
	}
	return subjects
}

func nameOf(ref *v1alpha1.NameRef) string {
	if ref == nil {
		return ""
	}
	return ref.Name
}

func opensPlans(rule *v1alpha1.OnMissed) bool {
	return rule != nil && rule.ActionPlan != nil && rule.ActionPlan.Mode == v1alpha1.PlanModeCreate
}

// plansFor returns the plans for an objective of a subject.
func (s snapshot) plansFor(about subject, objective string) []v1alpha1.ActionPlan {
	var found []v1alpha1.ActionPlan
	for _, plan := range s.plans {
		if plan.Spec.Objective == objective && nameOf(plan.Spec.TouchpointRef) == about.touchpoint() {
			found = append(found, plan)
		}
	}
	return found
}

// series is one line of the metrics.
type series struct {
	name   string
	labels map[string]string
	value  float64
}

// find returns the values of the series with these labels.
func (s snapshot) find(name string, labels map[string]string) []float64 {
	var values []float64
	for _, one := range s.series {
		if one.name == name && one.has(labels) {
			values = append(values, one.value)
		}
	}
	return values
}

func (s series) has(labels map[string]string) bool {
	for name, value := range labels {
		if s.labels[name] != value {
			return false
		}
	}
	return true
}

// scrape reads the metrics as Prometheus would.
func scrape(ctx context.Context, address string) (all []series, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading the metrics: %s answered %s", address, response.Status)
	}
	return parseMetrics(response.Body)
}

// parseMetrics reads the text format and keeps this project's gauges.
func parseMetrics(text io.Reader) ([]series, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return nil, fmt.Errorf("reading the metrics: %w", err)
	}
	var all []series
	for name, family := range families {
		if !strings.HasPrefix(name, "cx_") || family.GetType() != dto.MetricType_GAUGE {
			continue
		}
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			all = append(all, series{name: name, labels: labels, value: metric.GetGauge().GetValue()})
		}
	}
	return all, nil
}
