// Package exporter turns the operator's verdicts, plans, breaches and figures of participation into metrics: one set of series per object, replaced
// as a whole. Breaches are data, so the alert rules stay constant in number, however many objects there are.
package exporter

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Exporter is a prometheus.Collector of the series that were set. It is safe for concurrent use. It keeps the series in
// compact form and writes them out at a scrape, whose cost is linear in their number.
type Exporter struct {
	descs map[string]*prometheus.Desc

	mu sync.RWMutex
	// series by source. What a pointer points to is never changed, so a scrape reads it without the lock.
	series map[Source]*Series
}

var _ prometheus.Collector = (*Exporter)(nil)

// New returns an exporter without series.
func New() *Exporter {
	e := &Exporter{descs: map[string]*prometheus.Desc{}, series: map[Source]*Series{}}
	for _, m := range Metrics() {
		e.descs[m.Name] = m.desc()
	}
	return e
}

// Set replaces all the series of a source. Equal series change nothing, empty ones delete the source. The argument may be
// changed afterwards.
func (e *Exporter) Set(src Source, s Series) {
	if s.empty() {
		e.Delete(src)
		return
	}
	e.mu.RLock()
	old := e.series[src]
	e.mu.RUnlock()
	if old != nil && old.equal(s) {
		return
	}
	fresh := s.clone()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.series[src] = fresh
}

// Delete removes all the series of a source. It does nothing where there are none.
func (e *Exporter) Delete(src Source) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.series, src)
}

// Describe sends the descriptors of all metrics.
func (e *Exporter) Describe(out chan<- *prometheus.Desc) {
	for _, m := range Metrics() {
		out <- e.descs[m.Name]
	}
}

// Collect sends all series. It holds the lock only to list the sources.
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	w := writer{descs: e.descs, out: out}
	for _, s := range e.snapshot() {
		for i := range s.Objectives {
			w.objective(&s.Objectives[i])
		}
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

func (e *Exporter) snapshot() []*Series {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := slices.Grow([]*Series(nil), len(e.series))
	for _, s := range e.series {
		all = append(all, s)
	}
	return all
}
