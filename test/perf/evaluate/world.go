package main

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/evaluate"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/policy"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	namespace  = "bench"
	storeName  = "answers"
	windowDays = 90
	// windowHours is the window of every objective.
	windowHours = windowDays * 24
	satisfied   = "overall"   // a CSAT question, on the scale 1 to 5
	recommend   = "recommend" // an NPS question, on the scale 0 to 10
)

// source is the name under which the book knows the store.
var source = store.Key{Namespace: namespace, Name: storeName}.String()

// world is what a controller judges with, but for an API server.
type world struct {
	env *env.Env
	now time.Time
}

func newWorld() *world {
	// In the middle of a day and an hour, so that no day ends while it is measured.
	w := &world{now: time.Date(2026, time.November, 10, 12, 30, 0, 0, time.UTC)}
	w.env = &env.Env{
		Clock: func() time.Time { return w.now }, Book: rollup.NewBook(), Exporter: exporter.New(), StaleAfter: time.Minute,
	}
	return w
}

// first is the first hour of the window.
func (w *world) first() store.Hour { return evaluate.WindowEnd(w.now) - windowHours }

// program is a program as the API server would have it, with its defaults.
func program(name string) *v1alpha1.SurveyProgram {
	return &v1alpha1.SurveyProgram{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name)},
		Spec: v1alpha1.SurveyProgramSpec{
			DisplayName: "Bench", Purpose: "To be measured.", StoreRef: v1alpha1.NameRef{Name: storeName}, TimeZone: "Europe/Berlin",
			Survey: v1alpha1.Survey{
				DefaultLanguage: "en", Title: v1alpha1.LocalizedText{"en": "Bench"},
				Questions: []v1alpha1.Question{
					{Name: satisfied, Revision: 1, Type: v1alpha1.QuestionCSAT, Text: v1alpha1.LocalizedText{"en": "How was it?"}},
					{Name: recommend, Revision: 1, Type: v1alpha1.QuestionNPS, Text: v1alpha1.LocalizedText{"en": "Would you recommend it?"}},
				},
			},
			Endpoint: v1alpha1.Endpoint{Mode: v1alpha1.EndpointEmbedded},
			Evidence: v1alpha1.Evidence{MinimumResponses: 30, ConfidencePercent: 95, Judging: v1alpha1.JudgingDaily},
			Privacy:  v1alpha1.Privacy{MinimumCell: 5, Release: v1alpha1.ReleaseImmediate},
		},
	}
}

// touchpoint is one of a program's, with two objectives.
func touchpoint(p *v1alpha1.SurveyProgram, name string) *v1alpha1.Touchpoint {
	return &v1alpha1.Touchpoint{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(name)},
		Spec: v1alpha1.TouchpointSpec{
			ProgramRef: v1alpha1.NameRef{Name: p.Name}, DisplayName: "Desk", Stage: v1alpha1.StageDuring, Importance: v1alpha1.ImportanceStandard,
			Objectives: []v1alpha1.Objective{
				{Name: "satisfaction", Question: satisfied, Metric: v1alpha1.MetricCSAT, Target: intstr.FromInt32(60), WindowDays: windowDays},
				{Name: "recommendation", Question: recommend, Metric: v1alpha1.MetricNPS, Target: intstr.FromInt32(0), WindowDays: windowDays},
			},
		},
	}
}

// subject is a touchpoint as its controller judges it.
type subject struct {
	objectives.Subject
	touchpoint *v1alpha1.Touchpoint
}

func newSubject(p *v1alpha1.SurveyProgram, t *v1alpha1.Touchpoint) *subject {
	return &subject{touchpoint: t, Subject: objectives.Subject{
		Object: t, Program: p, Touchpoint: t.Name, DisplayName: t.Spec.DisplayName, Objectives: t.Spec.Objectives,
		Effective: policy.ForTouchpoint(nil, p, t),
	}}
}

// judge judges the subject as its controller does, and has its verdicts for the next time.
func (w *world) judge(s *subject) (evaluate.Output, error) {
	out, problems, err := objectives.Judge(w.env, s.Subject, w.now)
	if err != nil || len(problems) > 0 {
		return out, fmt.Errorf("touchpoint %s cannot be judged: %v %w", s.Touchpoint, problems, err)
	}
	return out, nil
}

// settle makes what was judged the subject's status.
func (s *subject) settle(out evaluate.Output) {
	s.touchpoint.Status.Objectives, s.touchpoint.Status.Judged, s.touchpoint.Status.Breaches = out.Objectives, out.Judged, out.Breaches
	s.Previous = evaluate.Previous{Objectives: out.Objectives, Judged: out.Judged, Breaches: out.Breaches}
}
