package rollup

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

var (
	alpha = store.Key{Namespace: "ns", Name: "alpha"}
	beta  = store.Key{Namespace: "ns", Name: "beta"}
	noon  = time.Date(2026, time.November, 10, 12, 0, 0, 0, time.UTC)
)

// of is a count of program alpha, question q, revision 1.
func of(touchpoint, unit string, h store.Hour, value string, n int64) store.Count {
	return store.Count{Program: alpha, Touchpoint: touchpoint, Unit: unit, Question: "q", Revision: 1, Hour: h, Value: value, N: n}
}

func full(counts ...store.Count) store.Changes { return store.Changes{Reset: true, Counts: counts} }

func more(counts ...store.Count) store.Changes { return store.Changes{Counts: counts} }

func ask(touchpoint string, from, to store.Hour) Query {
	return Query{Program: alpha, Touchpoint: touchpoint, Question: "q", Revision: 1, From: from, To: to}
}

func wide(from, to store.Hour) Query {
	q := ask("", from, to)
	q.ProgramWide = true
	return q
}

func wantWindow(t *testing.T, b *Book, q Query, want Window) {
	t.Helper()
	if want.Values == nil {
		want.Values = map[string]int64{}
	}
	if diff := cmp.Diff(want, b.Window(q)); diff != "" {
		t.Errorf("%+v:\n%s", q, diff)
	}
}

func TestWindow(t *testing.T) {
	b := NewBook()
	other := of("food", "", 100, "5", 100)
	other.Question = "other"
	revised := of("food", "", 100, "5", 1000)
	revised.Revision = 2
	foreign := of("food", "", 100, "5", 10_000)
	foreign.Program = beta
	b.Apply("ns/store", full(
		of("food", "", 100, "5", 1), of("food", "", 100, "1", 2), of("food", "g", 101, "5", 4), of("food", "", 124, "3", 8),
		of("shops", "", 99, "5", 16), of("", "", 102, "5", 32), other, revised, foreign,
	), noon)
	tests := map[string]struct {
		query Query
		want  Window
	}{
		"all units of a touchpoint": {ask("food", 0, 200), Window{Values: map[string]int64{"5": 5, "1": 2, "3": 8}, Ever: 15, Earliest: 100, Any: true}},
		"from is in, to is out":     {ask("food", 100, 101), Window{Values: map[string]int64{"5": 1, "1": 2}, Ever: 15, Earliest: 100, Any: true}},
		"the middle":                {ask("food", 101, 124), Window{Values: map[string]int64{"5": 4}, Ever: 15, Earliest: 101, Any: true}},
		"nothing in the window":     {ask("food", 102, 124), Window{Ever: 15}},
		"an empty window":           {ask("food", 124, 100), Window{Ever: 15}},
		"no touchpoint":             {ask("", 0, 200), Window{Values: map[string]int64{"5": 32}, Ever: 32, Earliest: 102, Any: true}},
		"program-wide":              {wide(0, 200), Window{Values: map[string]int64{"5": 53, "1": 2, "3": 8}, Ever: 63, Earliest: 99, Any: true}},
		"program-wide, a window":    {wide(100, 103), Window{Values: map[string]int64{"5": 37, "1": 2}, Ever: 63, Earliest: 100, Any: true}},
		"an unknown touchpoint":     {ask("bags", 0, 200), Window{}},
		"an unknown question":       {Query{Program: alpha, Question: "no", Revision: 1, To: 200}, Window{}},
		"an unknown program":        {Query{Program: store.Key{Name: "no"}, Question: "q", Revision: 1, To: 200}, Window{}},
		"another revision":          {Query{Program: alpha, Touchpoint: "food", Question: "q", Revision: 2, To: 200}, Window{Values: map[string]int64{"5": 1000}, Ever: 1000, Earliest: 100, Any: true}},
		"another question":          {Query{Program: alpha, Touchpoint: "food", Question: "other", Revision: 1, To: 200}, Window{Values: map[string]int64{"5": 100}, Ever: 100, Earliest: 100, Any: true}},
		"another program":           {Query{Program: beta, Touchpoint: "food", Question: "q", Revision: 1, To: 200}, Window{Values: map[string]int64{"5": 10_000}, Ever: 10_000, Earliest: 100, Any: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantWindow(t, b, tt.query, tt.want) })
	}
}

// Counts are absolute: they replace what was known of the same cell, in every sum; zero removes.
func TestApplyReplaces(t *testing.T) {
	b := NewBook()
	b.Apply("ns/store", full(of("food", "a", 100, "5", 10), of("food", "b", 100, "5", 20), of("shops", "", 100, "5", 40)), noon)
	b.Apply("ns/store", more(of("food", "a", 100, "5", 11)), noon)
	wantWindow(t, b, ask("food", 0, 200), Window{Values: map[string]int64{"5": 31}, Ever: 31, Earliest: 100, Any: true})
	wantWindow(t, b, wide(0, 200), Window{Values: map[string]int64{"5": 71}, Ever: 71, Earliest: 100, Any: true})
	b.Apply("ns/store", more(of("food", "a", 100, "5", 0), of("food", "b", 100, "5", 0)), noon)
	wantWindow(t, b, ask("food", 0, 200), Window{})
	wantWindow(t, b, wide(0, 200), Window{Values: map[string]int64{"5": 40}, Ever: 40, Earliest: 100, Any: true})
}

// Sums are right in whatever order leaves appear: with one leaf a sum is the leaf itself.
func TestSumsEqualTheirLeaves(t *testing.T) {
	b := NewBook()
	b.Apply("ns/store", full(), noon)
	var all int64
	touchpoints := map[string]int64{}
	for i := range 200 {
		tp, n := fmt.Sprint("t", i%7), int64(i%5+1)
		b.Apply("ns/store", more(of(tp, fmt.Sprint("u", i%3), store.Hour(i), "5", n)), noon)
		all += n
		touchpoints[tp] += n
		if got := b.Window(wide(0, 1000)); got.Values["5"] != all || got.Ever != all {
			t.Fatalf("after %d: %d answers, want %d", i, got.Values["5"], all)
		}
		if got := b.Window(ask(tp, 0, 1000)); got.Values["5"] != touchpoints[tp] {
			t.Fatalf("after %d: %d answers at %s, want %d", i, got.Values["5"], tp, touchpoints[tp])
		}
	}
}

func TestSeveralChoices(t *testing.T) {
	b := NewBook()
	b.Apply("ns/store", full(of("food", "", 1, "taste", 3), of("food", "", 1, "price", 2), of("food", "", 1, "", 4)), noon)
	wantWindow(t, b, ask("food", 0, 2), Window{Values: map[string]int64{"taste": 3, "price": 2, "": 4}, Ever: 4, Earliest: 1, Any: true})
}

func TestCounts(t *testing.T) {
	w := Window{Values: map[string]int64{"0": 1, "10": 2, "-1": 3, "": 4, "taste": 5, "5.0": 6}}
	if diff := cmp.Diff(score.Counts{0: 1, 10: 2, -1: 3}, w.Counts()); diff != "" {
		t.Error(diff)
	}
}

func TestChangedPlaces(t *testing.T) {
	b := NewBook()
	all := func(p store.Key) Place { return Place{Program: p, All: true} }
	at := func(touchpoint string) Place { return Place{Program: alpha, Touchpoint: touchpoint} }
	foreign := of("food", "", 100, "5", 1)
	foreign.Program = beta
	steps := []struct {
		name    string
		changes store.Changes
		want    []Place
	}{
		{"the first read", full(foreign, of("food", "", 100, "5", 1)), []Place{all(alpha), all(beta)}},
		{"the same again", more(of("food", "", 100, "5", 1)), nil},
		{"one count", more(of("food", "", 100, "5", 2), foreign), []Place{at("food")}},
		{"two touchpoints and none", more(of("shops", "", 99, "1", 1), of("food", "g", 100, "5", 2), of("", "", 1, "5", 1)), []Place{at(""), at("food"), at("shops")}},
		{"a count of a program whose import ends", store.Changes{Counts: []store.Count{of("food", "", 100, "5", 3)}, Imports: map[store.Key]string{alpha: "two"}}, []Place{all(alpha)}},
		{"an import", store.Changes{Imports: map[store.Key]string{beta: "one"}}, []Place{all(beta)}},
		{"the same import", store.Changes{Imports: map[store.Key]string{beta: "one"}}, nil},
		{"nothing", store.Changes{}, nil},
		{"another store under the name", full(foreign), []Place{all(alpha), all(beta)}},
	}
	for _, s := range steps {
		if got := b.Apply("ns/store", s.changes, noon); !slices.Equal(got, s.want) {
			t.Errorf("%s: changed %v, want %v", s.name, got, s.want)
		}
	}
}

// A full read shows when it is complete: until then the old counts stand, or nothing.
func TestFullReadIsAllOrNothing(t *testing.T) {
	b := NewBook()
	page := func(reset, more bool, c store.Count) store.Changes {
		return store.Changes{Reset: reset, More: more, Counts: []store.Count{c}, Imports: map[store.Key]string{alpha: c.Unit}}
	}
	if got := b.Apply("ns/store", page(true, true, of("food", "one", 1, "5", 1)), noon); got != nil {
		t.Errorf("half a read changed %v", got)
	}
	wantWindow(t, b, ask("food", 0, 9), Window{})
	if _, ok := b.ReadAt("ns/store"); ok || b.LastImport(alpha) != "" {
		t.Error("half a read counts as a read")
	}
	b.Apply("ns/store", page(false, false, of("food", "one", 2, "5", 2)), noon)
	first := Window{Values: map[string]int64{"5": 3}, Ever: 3, Earliest: 1, Any: true}
	wantWindow(t, b, ask("food", 0, 9), first)
	if at, ok := b.ReadAt("ns/store"); !ok || !at.Equal(noon) || b.LastImport(alpha) != "one" {
		t.Errorf("read at %s, %v; import %q", at, ok, b.LastImport(alpha))
	}

	later := noon.Add(time.Hour)
	b.Apply("ns/store", page(true, true, of("food", "two", 3, "5", 7)), later)
	wantWindow(t, b, ask("food", 0, 9), first)
	if at, ok := b.ReadAt("ns/store"); !ok || !at.Equal(noon) || b.LastImport(alpha) != "one" {
		t.Errorf("in the middle of the second read: read at %s, %v; import %q", at, ok, b.LastImport(alpha))
	}
	b.Apply("ns/store", page(true, true, of("food", "three", 3, "5", 9)), later) // it began anew
	b.Apply("ns/store", page(false, false, of("food", "three", 4, "5", 1)), later)
	wantWindow(t, b, ask("food", 0, 9), Window{Values: map[string]int64{"5": 10}, Ever: 10, Earliest: 3, Any: true})
	if at, _ := b.ReadAt("ns/store"); !at.Equal(later) || b.LastImport(alpha) != "three" {
		t.Errorf("read at %s; import %q", at, b.LastImport(alpha))
	}
}

// While pages of a backlog are left, the counts are not current.
func TestReadAtMovesAtTheEndOnly(t *testing.T) {
	b := NewBook()
	b.Apply("ns/store", full(), noon)
	later := noon.Add(time.Hour)
	b.Apply("ns/store", store.Changes{More: true}, later)
	if at, ok := b.ReadAt("ns/store"); !ok || !at.Equal(noon) {
		t.Errorf("read at %s, %v, want noon", at, ok)
	}
	b.Apply("ns/store", store.Changes{}, later)
	if at, _ := b.ReadAt("ns/store"); !at.Equal(later) {
		t.Errorf("read at %s, want %s", at, later)
	}
}

// Two stores may know of one program: it was made anew with another store.
func TestSources(t *testing.T) {
	b := NewBook()
	old, fresh := full(of("food", "", 1, "5", 1)), full(of("food", "", 2, "5", 2))
	old.Imports = map[store.Key]string{alpha: "old"}
	b.Apply("ns/new", fresh, noon)
	b.Apply("ns/old", old, noon)
	q := ask("food", 0, 9)
	wantWindow(t, b, q, Window{Values: map[string]int64{"5": 3}, Ever: 3, Earliest: 1, Any: true})
	q.Source = "ns/new"
	wantWindow(t, b, q, Window{Values: map[string]int64{"5": 2}, Ever: 2, Earliest: 2, Any: true})
	q.Source = "ns/no"
	wantWindow(t, b, q, Window{})
	if got := b.LastImport(alpha); got != "old" {
		t.Errorf("import %q, want old", got)
	}

	b.Forget("ns/old")
	b.Forget("ns/unknown")
	q.Source = ""
	wantWindow(t, b, q, Window{Values: map[string]int64{"5": 2}, Ever: 2, Earliest: 2, Any: true})
	if _, ok := b.ReadAt("ns/old"); ok || b.LastImport(alpha) != "" {
		t.Error("the forgotten store is known")
	}
	b.Forget("ns/new")
	if len(b.holders)+len(b.feeds) != 0 {
		t.Errorf("%d programs and %d sources are left", len(b.holders), len(b.feeds))
	}
}

// Readers and writers at once; the race detector is the judge, and that a sum is never half changed.
func TestConcurrentUse(t *testing.T) {
	b := NewBook()
	b.Apply("ns/store", full(of("food", "a", 1, "5", 1), of("food", "b", 1, "5", 1)), noon)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := int64(2); n < 500; n++ {
			b.Apply("ns/store", more(of("food", "a", 1, "5", n), of("food", "b", 1, "5", n)), noon)
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		if n := b.Window(ask("food", 0, 9)).Values["5"]; n%2 != 0 {
			t.Fatalf("half a page shows: %d", n)
		}
		b.LastImport(alpha)
		b.ReadAt("ns/store")
	}
}

// dense is a 90-day window with answers of each of 5 values in every hour.
func dense(touchpoint string, n int64) []store.Count {
	var counts []store.Count
	for h := range store.Hour(90 * 24) {
		for v := 1; v <= 5; v++ {
			counts = append(counts, of(touchpoint, "", 494_000+h, strconv.Itoa(v), n))
		}
	}
	return counts
}

// 50,000 touchpoints must fit into a manager: under 15 KiB for the busiest window.
func TestMemoryOfABusyTouchpoint(t *testing.T) {
	b := NewBook()
	b.Apply("ns/store", full(dense("food", 9)...), noon)
	s := b.holders[alpha][0].program.questions[questionKey{"q", 1}].touchpoints["food"].series
	bytes := cap(s.cells) + cap(s.days)*int(unsafe.Sizeof(day{})) + int(unsafe.Sizeof(series{}))
	t.Logf("%d bytes for a value of 5 in every hour of 90 days", bytes)
	if bytes > 15<<10 {
		t.Errorf("%d bytes, at most %d are allowed", bytes, 15<<10)
	}
}

// A quiet touchpoint takes little, with all that surrounds its counts.
func TestMemoryOfAQuietTouchpoint(t *testing.T) {
	const touchpoints, limit = 400, 2 << 10
	b := NewBook()
	b.Apply("ns/store", full(), noon)
	before := heap()
	for i := range touchpoints {
		var counts []store.Count
		for day := range store.Hour(90) {
			tp := fmt.Sprint("touchpoint-", i)
			counts = append(counts, of(tp, "", 494_000+day*24, "5", 1), of(tp, "", 494_007+day*24, "3", 1))
		}
		b.Apply("ns/store", more(counts...), noon)
	}
	each := float64(heap()-before) / touchpoints
	t.Logf("%.0f bytes a touchpoint with two answers a day", each)
	if each > limit {
		t.Errorf("%.0f bytes a touchpoint, at most %d are allowed", each, limit)
	}
	runtime.KeepAlive(b)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkWindow(b *testing.B) {
	for _, n := range []int64{1, 100, 10_000} {
		b.Run(strconv.FormatInt(n, 10), func(b *testing.B) {
			book := NewBook()
			book.Apply("ns/store", full(dense("food", n)...), noon)
			q := ask("food", 494_000, 494_000+90*24)
			b.ReportAllocs()
			for b.Loop() {
				book.Window(q)
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	counts := dense("food", 9)
	b.ReportAllocs()
	for b.Loop() {
		NewBook().Apply("ns/store", full(counts...), noon)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(counts)), "ns/count")
}
