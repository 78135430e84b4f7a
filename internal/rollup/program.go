package rollup

import (
	"slices"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// program is what one source knows of one program.
type program struct {
	lastImport string
	questions  map[questionKey]*question
}

// questionKey is one series of a question: another revision is another question.
type questionKey struct {
	name     string
	revision int32
}

// question is the counts of one question, as they came (leaves) and summed as they are asked for.
type question struct {
	// columns are the values that were seen; a series refers to them by index. A question has few.
	columns     []string
	leaves      map[leafKey]*series
	touchpoints map[string]*sum
	// all is the sum of all touchpoints; nil of few, which a window adds up.
	all *series
	// forgotten is the hour before which a sum of all has nothing more, where it forgets at all.
	forgotten store.Hour
	forgets   bool
}

// fewTouchpoints is how many of a question's are no sum: its share of each would be the more the fewer they are.
const fewTouchpoints = 8

// leafKey is where an answer was given and whom it speaks of. Counts are absolute per leaf.
type leafKey struct{ touchpoint, unit string }

// sum adds leaves up. The sum of a single leaf is that leaf itself, which halves the memory of most touchpoints.
type sum struct {
	series *series
	// own is true once the series is the sum's own, and changes must be added.
	own bool
}

// join takes a new, empty leaf into the sum.
func (s *sum) join(leaf *series) {
	switch {
	case s.series == nil:
		s.series = leaf
	case !s.own:
		s.series, s.own = s.series.clone(), true
	}
}

func (s *sum) add(h store.Hour, column int, n int64, blank bool) {
	if s.own {
		s.series.add(h, column, n, blank)
	}
}

// KeptDays is for how many days counts of visits, invitations and suspects are kept, which have many values each. Those of
// answers and of cases are kept for ever: a promise that nobody kept stays one.
const KeptDays = 32

// floorAt is the first hour that is kept of what is kept for KeptDays, at a time.
func floorAt(at time.Time) store.Hour { return store.HourOf(at) - KeptDays*hoursPerDay }

// isPseudo says whether a question is one of the store's pseudo-questions.
func isPseudo(question string) bool { return strings.HasPrefix(question, "@") }

// expires says whether the counts of a question are kept for KeptDays only.
func expires(question string) bool {
	switch question {
	case store.QuestionCaseDue, store.QuestionCaseKept, store.QuestionCaseLate, store.QuestionCaseOpen:
		return false
	}
	return isPseudo(question)
}

// apply takes over the counts and imports of a page and returns the places for which they were news. What is kept for
// KeptDays and lies before the floor is passed over.
func (t table) apply(c store.Changes, floor store.Hour) places {
	changed := places{}
	for i := range c.Counts {
		if t.program(c.Counts[i].Program).apply(&c.Counts[i], floor) {
			changed[Place{Program: c.Counts[i].Program, Touchpoint: c.Counts[i].Touchpoint}] = true
		}
	}
	for k, id := range c.Imports {
		if p := t.program(k); p.lastImport != id {
			p.lastImport = id
			changed[Place{Program: k, All: true}] = true
		}
	}
	return changed
}

func (t table) program(k store.Key) *program {
	p, ok := t[k]
	if !ok {
		p = &program{questions: map[questionKey]*question{}}
		t[k] = p
	}
	return p
}

// apply makes the count known and returns whether it was news.
func (p *program) apply(c *store.Count, floor store.Hour) bool {
	if expires(c.Question) && c.Hour < floor {
		return false
	}
	k := questionKey{c.Question, c.Revision}
	q, ok := p.questions[k]
	if !ok {
		q = &question{leaves: map[leafKey]*series{}, touchpoints: map[string]*sum{}}
		p.questions[k] = q
	}
	if expires(c.Question) {
		q.forget(c.Touchpoint, c.Unit, floor)
	}
	column, blank := q.column(c.Value), c.Value == ""
	delta := q.leaf(leafKey{c.Touchpoint, c.Unit}).set(c.Hour, column, c.N, blank)
	if delta == 0 {
		return false
	}
	q.touchpoints[c.Touchpoint].add(c.Hour, column, delta, blank)
	if q.all != nil {
		q.all.add(c.Hour, column, delta, blank)
	}
	return true
}

func (q *question) column(value string) int {
	i := slices.Index(q.columns, value)
	if i < 0 {
		i = len(q.columns)
		q.columns = append(q.columns, value)
	}
	return i
}

func (q *question) leaf(k leafKey) *series {
	l, ok := q.leaves[k]
	if ok {
		return l
	}
	l = &series{}
	q.leaves[k] = l
	t, ok := q.touchpoints[k.touchpoint]
	if !ok {
		t = &sum{}
		q.touchpoints[k.touchpoint] = t
	}
	t.join(l)
	if q.all == nil && len(q.touchpoints) > fewTouchpoints {
		q.addUp()
	}
	return l
}

// addUp makes the sum of all touchpoints, which from then on is kept up to date.
func (q *question) addUp() {
	q.all = &series{}
	var blank, named int64
	for _, t := range q.touchpoints {
		blank, named = blank+t.series.blank, named+t.series.named
		for i, day := range t.series.days {
			for r := t.series.read(i); r.next(); {
				h := store.Hour(day.number)*hoursPerDay + store.Hour(r.key%hoursPerDay)
				q.all.add(h, r.key/hoursPerDay, r.n, false)
			}
		}
	}
	q.all.blank, q.all.named = blank, named // of all hours, also of those that were forgotten
}

// forget drops the days before the floor from the leaf and the sums that a count is about to change. The others hold no
// more than they did, until they change.
func (q *question) forget(touchpoint, unit string, floor store.Hour) {
	l, ok := q.leaves[leafKey{touchpoint, unit}]
	if !ok {
		return
	}
	l.forget(floor)
	q.touchpoints[touchpoint].series.forget(floor)
	if q.all != nil {
		q.all.forget(floor)
	}
	number, _ := place(floor)
	q.forgotten, q.forgets = store.Hour(number)*hoursPerDay, true
}

// window adds what the program knows to w.
func (p *program) window(q Query, w *Window) {
	asked, ok := p.questions[questionKey{q.Question, q.Revision}]
	if !ok {
		return
	}
	switch t, ok := asked.touchpoints[q.Touchpoint]; {
	case q.ProgramWide && asked.all != nil:
		asked.add(asked.all, q, w)
	case q.ProgramWide:
		ever, all := w.Ever, series{}
		if asked.forgets {
			q.From = max(q.From, asked.forgotten)
		}
		for _, t := range asked.touchpoints {
			asked.add(t.series, q, w)
			all.blank, all.named = all.blank+t.series.blank, all.named+t.series.named
		}
		w.Ever = ever + all.ever()
	case ok:
		asked.add(t.series, q, w)
	}
}

// add adds what a series has in the window to w.
func (q *question) add(s *series, of Query, w *Window) {
	w.Ever += s.ever()
	var few [16]int64
	sums := few[:]
	if len(q.columns) > len(few) {
		sums = make([]int64, len(q.columns))
	}
	first, any := s.total(of.From, of.To, sums)
	if any && (!w.Any || first < w.Earliest) {
		w.Earliest, w.Any = first, true
	}
	for i, value := range q.columns {
		if n := sums[i]; n > 0 {
			w.Values[value] += n
		}
	}
}
