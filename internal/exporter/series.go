package exporter

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Source is the object that series are about.
type Source struct {
	// Kind, Namespace and Name of the object.
	Kind, Namespace, Name string
}

// Objective is what is exported of one objective.
type Objective struct {
	// Namespace, Program, Touchpoint ("" for a program's own objective), name of the Objective, Metric and Team (never a
	// person's) are its labels.
	Namespace, Program, Touchpoint, Objective, Metric, Team string
	// State is the verdict. An unknown one, as before the first verdict, has no series.
	State v1alpha1.ObjectiveState
	// Figures are the published ones, nil below the privacy floor.
	Figures *Figures
	// Target in the metric's unit.
	Target float64
	// Responses in the window now, 0 or more.
	Responses int64
}

// Figures are a score and its interval, in the metric's unit.
type Figures struct {
	Score, Lower, Upper float64
	// HasInterval is false where there is a score without Lower and Upper.
	HasInterval bool
}

// Breach is what is exported of one open breach.
type Breach struct {
	// Namespace, Type, Kind and Name of the object, Objective and Item within it (may be ""), Program and Team (never a
	// person's) are its labels.
	Namespace, Type, Kind, Name, Objective, Item, Program, Team string
	// Since when it is open.
	Since time.Time
}

// Plan is what is exported of one action plan.
type Plan struct {
	// Namespace, Program, ActionPlan, Touchpoint ("" for a program's own objective), Objective and Team (never a person's)
	// are its labels.
	Namespace, Program, ActionPlan, Touchpoint, Objective, Team string
	// State as people set it. An unknown one has no series.
	State v1alpha1.WorkState
	// Due is when the due date ends, Opened when the plan was made, AcknowledgeBy until when it is to be taken over, and
	// Acknowledged when it was. A zero time has no series.
	Due, Opened, AcknowledgeBy, Acknowledged time.Time
}

// Page is where respondents find a program or a touchpoint.
type Page struct {
	// Namespace, Program, Touchpoint ("" for the program as a whole), Team (never a person's) and URL of the page are its
	// labels. Without a URL there is no series.
	Namespace, Program, Touchpoint, Team, URL string
}

// Participation is what is exported of who began, finished and was invited.
type Participation struct {
	// Namespace, Program, Touchpoint ("" for the program as a whole) and Team (never a person's) are its labels.
	Namespace, Program, Touchpoint, Team string
	// Figures as the status holds them.
	Figures v1alpha1.Participation
}

// Series are all that is exported of one source. Two sources never have a series with equal labels, because an object's
// series carry its own name.
type Series struct {
	Objectives []Objective
	Breaches   []Breach
	Plans      []Plan
	// Page of the source; without a series where it has no URL.
	Page Page
	// Participation of the source; nil where nothing may be shown.
	Participation *Participation
	// Endpoint of the source; nil where it has no pods.
	Endpoint *Endpoint
	// Cases, Stages, Effects, Loads, Reviews and Notices of the source.
	Cases   []Cases
	Stages  []Stage
	Effects []Effect
	Loads   []Load
	Reviews []Review
	Notices []Notices
}

func (s Series) empty() bool {
	return len(s.Objectives)+len(s.Breaches)+len(s.Plans)+len(s.Cases)+len(s.Stages)+len(s.Effects)+len(s.Loads)+
		len(s.Reviews)+len(s.Notices) == 0 && s.Page.URL == "" && s.Participation == nil && s.Endpoint == nil
}

func (s Series) equal(o Series) bool {
	return slices.EqualFunc(s.Objectives, o.Objectives, Objective.equal) &&
		slices.EqualFunc(s.Breaches, o.Breaches, Breach.equal) &&
		slices.EqualFunc(s.Plans, o.Plans, Plan.equal) &&
		slices.EqualFunc(s.Cases, o.Cases, Cases.equal) && slices.EqualFunc(s.Reviews, o.Reviews, Review.equal) &&
		slices.Equal(s.Stages, o.Stages) && slices.Equal(s.Effects, o.Effects) && slices.Equal(s.Loads, o.Loads) &&
		slices.Equal(s.Notices, o.Notices) &&
		s.Page == o.Page && s.Participation.equal(o.Participation) && s.Endpoint.equal(o.Endpoint)
}

// equal passes over the end of the window, which is not exported.
func (p *Participation) equal(q *Participation) bool {
	if p == nil || q == nil || p == q {
		return p == q
	}
	a, b := *p, *q
	a.Figures.WindowEnd, b.Figures.WindowEnd = metav1.Time{}, metav1.Time{}
	return equality.Semantic.DeepEqual(a, b)
}

func (o Objective) equal(p Objective) bool {
	a, b := o.Figures, p.Figures
	o.Figures, p.Figures = nil, nil
	return o == p && (a == nil) == (b == nil) && (a == nil || *a == *b)
}

func (b Breach) equal(c Breach) bool {
	same := b.Since.Equal(c.Since)
	b.Since, c.Since = time.Time{}, time.Time{}
	return same && b == c
}

func (p Plan) equal(q Plan) bool {
	same := p.Due.Equal(q.Due) && p.Opened.Equal(q.Opened) && p.AcknowledgeBy.Equal(q.AcknowledgeBy) &&
		p.Acknowledged.Equal(q.Acknowledged)
	p.Due, p.Opened, p.AcknowledgeBy, p.Acknowledged = q.Due, q.Opened, q.AcknowledgeBy, q.Acknowledged
	return same && p == q
}

// clone shares nothing that the caller could change.
func (s Series) clone() *Series {
	c := Series{
		Objectives: cloneObjectives(s.Objectives),
		Breaches:   slices.Clone(s.Breaches),
		Plans:      slices.Clone(s.Plans),
		Page:       s.Page,
		Endpoint:   s.Endpoint.clone(),
		Cases:      slices.Clone(s.Cases),
		Stages:     slices.Clone(s.Stages),
		Effects:    slices.Clone(s.Effects),
		Loads:      slices.Clone(s.Loads),
		Reviews:    slices.Clone(s.Reviews),
		Notices:    slices.Clone(s.Notices),
	}
	if p := s.Participation; p != nil {
		own := *p
		own.Figures = *p.Figures.DeepCopy()
		c.Participation = &own
	}
	return &c
}

func cloneObjectives(objectives []Objective) []Objective {
	c := slices.Clone(objectives)
	for i := range c {
		if f := c[i].Figures; f != nil {
			figures := *f
			c[i].Figures = &figures
		}
	}
	return c
}
