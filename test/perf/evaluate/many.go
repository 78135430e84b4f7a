package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/controllers/objectives"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/perf/bench"
)

const (
	// perProgram is how many touchpoints a program has.
	perProgram = 5
	// memoryLimit is what a touchpoint may take in the manager, in bytes, and cpuLimit what re-judging may, in seconds.
	memoryLimit = 15 << 10
	cpuLimit    = 1
	// oneOf touchpoints changed.
	oneOf = 100
)

// density is how many answers a touchpoint has.
type density struct {
	name string
	// hours from one answer to the next: 8 is three a day; below 1 is several in an hour.
	hours float64
	// only is the question of the only objective; "" for one on each of the two questions.
	only string
	// of is how many touchpoints there are.
	of func(options) int
}

var densities = []density{
	{"3 answers a day", 8, "", func(o options) int { return o.touchpoints }},
	{"an answer an hour to one question of 11 values", 1, recommend, func(o options) int { return o.busy }},
	{"an answer an hour", 1, "", func(o options) int { return o.busy }},
	{"10 answers an hour", 0.1, "", func(o options) int { return o.busy }},
	{"100 answers an hour", 0.01, "", func(o options) int { return o.busy }},
}

// manyTouchpoints measures what a touchpoint takes in memory, and what it takes to judge those that changed.
func manyTouchpoints(ctx context.Context, o options, report *bench.Report) error {
	wanted := slices.DeleteFunc(slices.Clone(densities), func(d density) bool { return !o.has(d.name) })
	for _, d := range wanted {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.measure(ctx, o, report); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	report.Note("A touchpoint has two objectives on %d days where nothing else is said. Of it the manager holds its counts and those of its visits, its share of the", windowDays)
	report.Note("program's, its object as the cache has it, and its series. Judged again is all that a pass of the controller does but the API.")
	return nil
}

func (d density) measure(ctx context.Context, o options, report *bench.Report) error {
	w, n := newWorld(), d.of(o)
	began := time.Now()
	empty := heap()
	w.fillBook(d, n)
	book := heap()
	subjects, err := w.subjects(d, n)
	if err != nil {
		return err
	}
	objects := heap()
	for _, s := range subjects {
		if err := w.pass(s); err != nil {
			return err
		}
	}
	judged := heap()
	each := func(from, to uint64) bench.Sample { return bench.Sample{float64(int64(to-from)) / float64(n)} }
	report.Add(
		bench.Within(d.name+": memory of a touchpoint", "B", each(empty, judged), memoryLimit, bench.AtMost(1)),
		bench.Alone(d.name+": of it the counts", "B", each(empty, book)),
		bench.Alone(d.name+": of it the object", "B", each(book, objects)),
		bench.Alone(d.name+": of it status and series", "B", each(objects, judged)),
	)
	progress("%s: %d touchpoints in %s", d.name, n, time.Since(began).Round(time.Millisecond))
	if n < oneOf {
		return nil
	}
	again, edge := bench.Sample{}, bench.Sample{}
	for round := range o.rounds {
		spent, judged, err := w.judgeChanged(subjects, round)
		if err != nil {
			return err
		}
		if judged != n/oneOf {
			return fmt.Errorf("%d touchpoints changed, %d were judged", n/oneOf, judged)
		}
		again = append(again, spent.Seconds())
		if spent, err = w.judgeEdge(subjects); err != nil {
			return err
		}
		edge = append(edge, float64(spent.Nanoseconds())/1000/float64(n/oneOf))
	}
	report.Add(
		bench.Within(fmt.Sprintf("%s: CPU to judge 1 %% of %d touchpoints", d.name, n), "s", again, cpuLimit, bench.AtMost(1)),
		bench.Alone(d.name+": CPU of a touchpoint whose window moved on", "µs", edge),
	)
	runtime.KeepAlive(w)
	return ctx.Err()
}

func touchpointName(i int) string { return fmt.Sprintf("touchpoint-%06d", i) }

func programName(i int) string { return fmt.Sprintf("program-%05d", i/perProgram) }

// fillBook counts the answers of so many touchpoints, a program at a time as a store's feed has them.
func (w *world) fillBook(d density, n int) {
	w.env.Book.Apply(source, store.Changes{Reset: true}, w.now)
	for i := range n {
		w.env.Book.Apply(source, store.Changes{Counts: w.countsOf(d, i)}, w.now)
	}
}

// cell is a count of a touchpoint without its number.
type cell struct {
	question, value string
	hour            store.Hour
}

// countsOf makes the counts of a touchpoint's answers, each the end of a visit of its page.
func (w *world) countsOf(d density, i int) []store.Count {
	cells := map[cell]int64{}
	var order []cell
	add := func(c cell) {
		if cells[c]++; cells[c] == 1 {
			order = append(order, c)
		}
	}
	for k := range int64(windowHours / d.hours) {
		r := spread(int64(i)<<32 + k)
		h := w.first() + store.Hour(float64(k)*d.hours)
		if d.only != recommend {
			add(cell{satisfied, strconv.FormatUint(1+r%5, 10), h})
		}
		if d.only != satisfied {
			add(cell{recommend, strconv.FormatUint(r/5%11, 10), h})
		}
		if h < store.HourOf(w.now)-rollup.KeptDays*24 {
			continue
		}
		seconds, _ := store.SecondsBucket(time.Duration(20+r/55%100) * time.Second)
		add(cell{store.QuestionCompleted, "", h})
		add(cell{store.QuestionSeconds, seconds, h})
	}
	counts := make([]store.Count, len(order))
	for k, c := range order {
		counts[k] = count(i, c, cells[c])
	}
	return counts
}

// count is one of a touchpoint's. Its texts are its own, as those that are read from a database are.
func count(i int, c cell, n int64) store.Count {
	return store.Count{
		Program: store.Key{Namespace: string([]byte(namespace)), Name: programName(i)}, Touchpoint: touchpointName(i),
		Question: string([]byte(c.question)), Revision: 1, Hour: c.hour, Value: string([]byte(c.value)), N: n,
	}
}

// subjects makes the objects as a cache has them: read from JSON, sharing nothing.
func (w *world) subjects(d density, n int) ([]*subject, error) {
	all := make([]*subject, n)
	var p *v1alpha1.SurveyProgram
	for i := range n {
		if i%perProgram == 0 {
			p = &v1alpha1.SurveyProgram{}
			if err := read(program(programName(i)), p); err != nil {
				return nil, err
			}
		}
		t := &v1alpha1.Touchpoint{}
		own := touchpoint(p, touchpointName(i))
		own.Spec.Objectives = slices.DeleteFunc(own.Spec.Objectives, func(o v1alpha1.Objective) bool { return d.only != "" && o.Question != d.only })
		if err := read(own, t); err != nil {
			return nil, err
		}
		all[i] = newSubject(p, t)
	}
	return all, nil
}

func read(from, to any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}

// pass does what a pass of the controller does, but for what it asks the API server.
func (w *world) pass(s *subject) error {
	out, err := w.judge(s)
	if err != nil {
		return err
	}
	status := &s.touchpoint.Status
	people := objectives.Participate(w.env, s.Subject, status.Participation, w.now)
	cases := objectives.Cases(w.env, s.Subject, status.Cases, w.now)
	s.settle(out)
	status.Participation, status.Cases = people.Figures, cases.Figures
	label := objectives.Label{Kind: "Touchpoint", Namespace: namespace, Name: s.Touchpoint, Touchpoint: s.Touchpoint, Program: s.Program.Name}
	series := objectives.Series(label, s.Subject, out.Objectives, out.Objectives, out.Breaches)
	series.Participation = objectives.ParticipationSeries(label, status.Participation)
	series.Page = objectives.PageSeries(label, "http://survey.example/s/"+namespace+"/"+s.Program.Name+"/"+s.Touchpoint)
	series.Cases = objectives.CaseSeries(label, status.Cases)
	w.env.Exporter.Set(exporter.Source{Kind: "Touchpoint", Namespace: namespace, Name: s.Touchpoint}, series)
	return nil
}

// judgeChanged counts one more answer at one of every hundred touchpoints, judges those that the book names, and returns the
// CPU that both took, and how many were judged.
func (w *world) judgeChanged(subjects []*subject, round int) (time.Duration, int, error) {
	page := store.Changes{}
	for i := round; i < len(subjects); i += oneOf {
		page.Counts = append(page.Counts, count(i, cell{satisfied, "5", store.HourOf(w.now)}, int64(1000+round)))
	}
	before := cpu()
	judged := 0
	for _, place := range w.env.Book.Apply(source, page, w.now) {
		if place.All {
			return 0, 0, fmt.Errorf("program %s changed as a whole", place.Program)
		}
		i, err := strconv.Atoi(place.Touchpoint[len("touchpoint-"):])
		if err != nil || env.KeyOf(subjects[i].Program) != place.Program {
			return 0, 0, fmt.Errorf("nobody changed %v: %w", place, err)
		}
		if err := w.pass(subjects[i]); err != nil {
			return 0, 0, err
		}
		judged++
	}
	return cpu() - before, judged, nil
}

// judgeEdge moves the clock on by an hour, and judges some touchpoints without a new answer.
func (w *world) judgeEdge(subjects []*subject) (time.Duration, error) {
	w.now = w.now.Add(time.Hour)
	w.env.Book.Apply(source, store.Changes{}, w.now)
	before := cpu()
	for i := oneOf - 1; i < len(subjects); i += oneOf {
		if err := w.pass(subjects[i]); err != nil {
			return 0, err
		}
	}
	return cpu() - before, nil
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// cpu is what this process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it cannot fail with these arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
