package rollup

// UnitWindow counts the answers of a Query that speak of one unit (a Team). Ever is of these alone. It costs the hours of the
// unit's own answers, over all touchpoints together where the query is program-wide.
func (b *Book) UnitWindow(q Query, unit string) Window {
	b.mu.RLock()
	defer b.mu.RUnlock()
	w := Window{Values: map[string]int64{}}
	for _, h := range b.holders[q.Program] {
		if q.Source == "" || q.Source == h.source {
			h.program.unitWindow(q, unit, &w)
		}
	}
	return w
}

// unitWindow adds what the program knows of the unit to w.
func (p *program) unitWindow(q Query, unit string, w *Window) {
	asked, ok := p.questions[questionKey{q.Question, q.Revision}]
	if !ok {
		return
	}
	for k, s := range asked.leaves {
		if k.unit != unit || !q.ProgramWide && k.touchpoint != q.Touchpoint {
			continue
		}
		asked.add(s, q, w)
	}
}
