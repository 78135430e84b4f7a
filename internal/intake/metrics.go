package intake

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cx-operator/cx-operator/internal/store"
)

// metrics of the endpoint. Only programs that are served have series: an address made up by a stranger makes none.
type metrics struct {
	accepted *prometheus.CounterVec
	rejected *prometheus.CounterVec
	views    *prometheus.CounterVec
	commit   prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		// Repeats of a response that is stored already are not counted again.
		accepted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cx_responses_accepted_total",
			Help: "Responses that were accepted and are durable, by page, JSON and import.",
		}, []string{"namespace", "program"}),
		// The reasons are the ends of the problem types: malformed, unauthorized, not-invited, link-invalid, link-expired,
		// link-used, timeout, conflict, closed, too-large, unsupported, invalid, too-many, unavailable. Each rejected line of an import counts.
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cx_responses_rejected_total",
			Help: "Responses that were not accepted, by reason.",
		}, []string{"namespace", "program", "reason"}),
		views: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cx_survey_page_views_total",
			Help: "Survey pages that were shown, without those shown again after an error.",
		}, []string{"namespace", "program"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:                            "cx_response_commit_duration_seconds",
			Help:                            "Time from handing one response of a page or JSON call to the store until it was durable. Imports are not in it.",
			Buckets:                         []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
			NativeHistogramBucketFactor:     1.1,
			NativeHistogramMaxBucketNumber:  100,
			NativeHistogramMinResetDuration: time.Hour,
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.accepted, m.rejected, m.views, m.commit} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// forget removes the series of a program that is served no longer.
func (m *metrics) forget(k store.Key) {
	labels := prometheus.Labels{"namespace": k.Namespace, "program": k.Name}
	m.accepted.DeletePartialMatch(labels)
	m.rejected.DeletePartialMatch(labels)
	m.views.DeletePartialMatch(labels)
}

func (m *metrics) accept(k store.Key, n int) {
	m.accepted.WithLabelValues(k.Namespace, k.Name).Add(float64(n))
}

func (m *metrics) reject(k store.Key, p problem, n int) {
	m.rejected.WithLabelValues(k.Namespace, k.Name, p.reason).Add(float64(n))
}

func (m *metrics) view(k store.Key) {
	m.views.WithLabelValues(k.Namespace, k.Name).Inc()
}
