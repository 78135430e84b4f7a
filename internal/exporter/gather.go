package exporter

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// The client library's registry takes series one by one through a channel, and compares and hashes their labels to find two that are
// equal, which was nine tenths of a scrape. Here they are unique and nearly in order by themselves. It also gathers everything where
// a few names are asked for.

// Handler answers a scrape with the series that were set and those of others. With name[] in the query it makes only these.
func (e *Exporter) Handler(others prometheus.Gatherer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := r.URL.Query()["name[]"]
		both := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
			all, err := others.Gather()
			all = append(all, e.Gather(names...)...)
			slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
			return all, err
		})
		promhttp.HandlerFor(both, promhttp.HandlerOpts{ErrorHandling: promhttp.HTTPErrorOnError}).ServeHTTP(w, r)
	})
}

// gathered is a series with all that it points to, in one piece of memory.
type gathered struct {
	metric dto.Metric
	gauge  dto.Gauge
	value  float64
}

// Gather returns the series that were set, of the metrics of these names or, without names, of all, in the order of an exposition.
func (e *Exporter) Gather(names ...string) []*dto.MetricFamily {
	families := map[string]*dto.MetricFamily{}
	for _, m := range Metrics() {
		if len(names) == 0 || slices.Contains(names, m.Name) {
			families[m.Name] = &dto.MetricFamily{Name: &m.Name, Help: &m.Help, Type: dto.MetricType_GAUGE.Enum()}
		}
	}
	w := writer{
		wants: func(m Metric) bool { return families[m.Name] != nil },
		send: func(m Metric, labels []*dto.LabelPair, value float64) {
			if f := families[m.Name]; f != nil {
				s := &gathered{value: value}
				s.gauge.Value, s.metric.Label, s.metric.Gauge = &s.value, labels, &s.gauge
				f.Metric = append(f.Metric, &s.metric)
			}
		},
	}
	w.all(e.snapshot())
	var found []*dto.MetricFamily
	for _, f := range families {
		if len(f.Metric) == 0 {
			continue
		}
		if !slices.IsSortedFunc(f.Metric, byValues) {
			slices.SortStableFunc(f.Metric, byValues)
		}
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return found
}

// byValues orders the series of one metric, which have the same names of labels, as the client library does.
func byValues(a, b *dto.Metric) int {
	for i := range min(len(a.Label), len(b.Label)) {
		if c := strings.Compare(*a.Label[i].Value, *b.Label[i].Value); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.Label), len(b.Label))
}
