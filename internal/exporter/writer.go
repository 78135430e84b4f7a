package exporter

import (
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/participation"
)

// objectiveStates are the values of the label state of cx_objective_state, in their order.
var objectiveStates = []v1alpha1.ObjectiveState{
	v1alpha1.StateAtRisk, v1alpha1.StateInsufficientData, v1alpha1.StateMet,
	v1alpha1.StateMissed, v1alpha1.StateOnTrack, v1alpha1.StateStale,
}

var planStates = []v1alpha1.WorkState{
	v1alpha1.WorkNotStarted, v1alpha1.WorkOnHold, v1alpha1.WorkInProgress,
	v1alpha1.WorkComplete, v1alpha1.WorkCancelled,
}

// writer sends the series of one scrape. Series of one object share their labels, which is what makes a scrape cheap.
type writer struct {
	// wants says whether the series of a metric are of use; send drops those that are not as well.
	wants func(Metric) bool
	send  func(m Metric, labels []*dto.LabelPair, value float64)
}

// all sends the series of sources that are in order.
func (w writer) all(sources []*Series) {
	if w.wantsAny(objectiveMetrics) {
		w.objectives(sources)
	}
	if !w.wantsAny(otherMetrics) {
		return
	}
	for _, s := range sources {
		for i := range s.Plans {
			w.plan(&s.Plans[i])
		}
		for i := range s.Breaches {
			w.breach(&s.Breaches[i])
		}
		w.page(s.Page)
		if s.Participation != nil {
			w.participation(s.Participation)
		}
		if s.Endpoint != nil {
			w.endpoint(s.Endpoint)
		}
		w.accountability(s)
	}
}

func (w writer) wantsAny(metrics []Metric) bool { return slices.ContainsFunc(metrics, w.wants) }

// objective sends the series of an objective but for its state.
func (w writer) objective(o *Objective, labels []*dto.LabelPair) {
	if f := o.Figures; f != nil {
		w.gauge(objectiveScore, labels, f.Score)
		if f.HasInterval {
			w.gauge(objectiveLower, labels, f.Lower)
			w.gauge(objectiveUpper, labels, f.Upper)
		}
	}
	w.gauge(objectiveTarget, labels, o.Target)
	w.gauge(objectiveResponses, labels, float64(o.Responses))
}

func (w writer) plan(p *Plan) {
	labels := pairs(planLabels, p.Namespace, p.Program, p.ActionPlan, p.Touchpoint, p.Objective, p.Team)
	states(w, planState, stateLabel, labels, planStates, p.State)
	w.instant(planDue, labels, p.Due)
	w.instant(planOpened, labels, p.Opened)
	w.instant(planAcknowledgeBy, labels, p.AcknowledgeBy)
	w.instant(planAcknowledged, labels, p.Acknowledged)
}

// instant sends one series, or none of the zero time.
func (w writer) instant(m Metric, labels []*dto.LabelPair, t time.Time) {
	if !t.IsZero() {
		w.gauge(m, labels, float64(t.Unix()))
	}
}

func (w writer) page(p Page) {
	if p.URL != "" {
		labels := pairs(surveyLabels, p.Namespace, p.Program, p.Touchpoint, p.Team)
		w.gauge(pageInfo, insert(labels, pair(urlLabel, p.URL)), 1)
	}
}

func (w writer) breach(b *Breach) {
	labels := pairs(breachLabels, b.Namespace, b.Type, b.Kind, b.Name, b.Objective, b.Item, b.Program, b.Team)
	w.gauge(breachOpen, labels, 1)
	w.gauge(breachStart, labels, float64(b.Since.Unix()))
}

func (w writer) participation(p *Participation) {
	labels, f := pairs(surveyLabels, p.Namespace, p.Program, p.Touchpoint, p.Team), &p.Figures
	w.number(visitsStarted, labels, f.Started)
	w.number(visitsCompleted, labels, f.Completed)
	w.share(completion, completionLower, completionUpper, labels, f.Completion)
	for _, d := range f.DropOff {
		w.gauge(visitsUnfinished, insert(labels, pair(questionLabel, d.Question)), float64(d.Unfinished))
	}
	w.number(duration, insert(labels, pair(percentileLabel, "50")), f.MedianSeconds)
	w.number(duration, insert(labels, pair(percentileLabel, "90")), f.P90Seconds)
	w.number(invitations, labels, f.Invited)
	w.number(invitationsAnswered, labels, f.Answered)
	w.share(responseRate, responseRateLower, responseRateUpper, labels, f.ResponseRate)
	for _, s := range f.Skipped {
		w.gauge(invitationsSkipped, insert(insert(labels, pair(scopeLabel, s.Scope)), pair(reasonLabel, s.Reason)), float64(s.Invitations))
	}
	for _, s := range f.Suspect {
		w.gauge(responsesSuspect, insert(labels, pair(checkLabel, s.Check)), float64(s.Responses))
	}
}

// number sends one series, or none where the number may not be shown.
func (w writer) number(m Metric, labels []*dto.LabelPair, value *int64) {
	if value != nil {
		w.gauge(m, labels, float64(*value))
	}
}

func (w writer) share(point, lower, upper Metric, labels []*dto.LabelPair, s *v1alpha1.Share) {
	if value, low, high, ok := participation.Ratio(s); ok {
		w.gauge(point, labels, value)
		w.gauge(lower, labels, low)
		w.gauge(upper, labels, high)
	}
}

func (w writer) gauge(m Metric, labels []*dto.LabelPair, value float64) {
	w.send(m, labels, value)
}

// states sends one series per state, exactly one of them with the value 1; none where the state is unknown.
func states[S ~string](w writer, m Metric, label string, labels []*dto.LabelPair, all []S, is S) {
	if !slices.Contains(all, is) {
		return
	}
	for _, state := range all {
		var value float64
		if state == is {
			value = 1
		}
		w.gauge(m, insert(labels, pair(label, string(state))), value)
	}
}

// sample is one series at a scrape. Unlike the client library's constant metric it shares its labels.
type sample struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair
	value  float64
}

// Desc returns the descriptor of the series' metric.
func (s *sample) Desc() *prometheus.Desc { return s.desc }

// Write fills in the series' labels and value.
func (s *sample) Write(out *dto.Metric) error {
	out.Label = s.labels
	out.Gauge = &dto.Gauge{Value: &s.value}
	return nil
}

// pairs are labels sorted by name, as the exposition has them. They point into names and values.
func pairs(names []string, values ...string) []*dto.LabelPair {
	one, all := make([]dto.LabelPair, len(names)), make([]*dto.LabelPair, len(names))
	for i := range names {
		one[i].Name, one[i].Value = &names[i], &values[i]
		all[i] = &one[i]
	}
	slices.SortFunc(all, byName)
	return all
}

func pair(name, value string) *dto.LabelPair { return &dto.LabelPair{Name: &name, Value: &value} }

// insert returns sorted labels with one more, and leaves the given ones alone.
func insert(labels []*dto.LabelPair, p *dto.LabelPair) []*dto.LabelPair {
	at, _ := slices.BinarySearchFunc(labels, p, byName)
	return slices.Insert(slices.Clip(labels), at, p)
}

func byName(a, b *dto.LabelPair) int { return strings.Compare(a.GetName(), b.GetName()) }
