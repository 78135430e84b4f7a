// Package exporter turns the operator's verdicts, plans, breaches and figures of participation into metrics: one set of series per object, replaced
// as a whole. Breaches are data, so the alert rules stay constant in number, however many objects there are.
package exporter

import (
	"maps"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Exporter is a prometheus.Collector of the series that were set. It is safe for concurrent use. It keeps the series in
// compact form and writes them out at a scrape, whose cost is linear in their number.
type Exporter struct {
	descs map[string]*prometheus.Desc

	mu sync.RWMutex
	// entries by source. What their series point to is never changed, so a scrape reads it without the lock.
	entries map[Source]*entry
	// order is the entries in the order of their ranks as the last scrape needed it, and ordered whether it still is.
	order   []*entry
	ordered bool
}

var _ prometheus.Collector = (*Exporter)(nil)

// New returns an exporter without series.
func New() *Exporter {
	e := &Exporter{descs: map[string]*prometheus.Desc{}, entries: map[Source]*entry{}}
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
	var old *Series
	if known := e.entries[src]; known != nil {
		old = known.series
	}
	e.mu.RUnlock()
	if old != nil && old.equal(s) {
		return
	}
	fresh := s.clone()
	e.mu.Lock()
	defer e.mu.Unlock()
	known := e.entries[src]
	if known == nil {
		known = &entry{source: src, series: fresh}
		e.entries[src], e.ordered = known, false
		return
	}
	if known.series.rank(src) != fresh.rank(src) {
		e.ordered = false
	}
	known.series = fresh
}

// SetObjectives replaces the objectives of a source, and leaves its other series as they are. It does nothing where there are none.
// The argument may be changed afterwards.
func (e *Exporter) SetObjectives(src Source, objectives []Objective) {
	e.mu.RLock()
	known := e.entries[src]
	if known == nil {
		e.mu.RUnlock()
		return
	}
	s := *known.series
	e.mu.RUnlock()
	if slices.EqualFunc(s.Objectives, objectives, Objective.equal) {
		return
	}
	s.Objectives = cloneObjectives(objectives)
	e.mu.Lock()
	defer e.mu.Unlock()
	if known.series.rank(src) != s.rank(src) {
		e.ordered = false
	}
	known.series = &s
}

// Delete removes all the series of a source. It does nothing where there are none.
func (e *Exporter) Delete(src Source) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.entries[src]; ok {
		delete(e.entries, src)
		e.order, e.ordered = nil, false
	}
}

// Describe sends the descriptors of all metrics.
func (e *Exporter) Describe(out chan<- *prometheus.Desc) {
	for _, m := range Metrics() {
		out <- e.descs[m.Name]
	}
}

// Collect sends all series. It holds the lock only to list the sources.
func (e *Exporter) Collect(out chan<- prometheus.Metric) {
	w := writer{
		wants: func(Metric) bool { return true },
		send: func(m Metric, labels []*dto.LabelPair, value float64) {
			out <- &sample{desc: e.descs[m.Name], labels: labels, value: value}
		},
	}
	w.all(e.snapshot())
}

// snapshot returns the series of all sources, in order.
func (e *Exporter) snapshot() []*Series {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ordered {
		e.order = slices.SortedFunc(maps.Values(e.entries), compareEntries)
		e.ordered = true
	}
	all := make([]*Series, len(e.order))
	for i, known := range e.order {
		all[i] = known.series
	}
	return all
}
