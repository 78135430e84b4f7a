package bench

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestInterleaveTakesTurns(t *testing.T) {
	var order string
	subject := func(name string, value float64) Subject {
		return func(context.Context) (float64, error) {
			order += name
			return value, nil
		}
	}
	samples, err := Interleave(t.Context(), 3, subject("a", 1), subject("b", 2), subject("c", 3))
	if err != nil {
		t.Fatal(err)
	}
	if order != "abccbaabc" {
		t.Errorf("order %q", order)
	}
	if diff := cmp.Diff([]Sample{{1, 1, 1}, {2, 2, 2}, {3, 3, 3}}, samples); diff != "" {
		t.Errorf("samples (-want +got):\n%s", diff)
	}
	broken := errors.New("broken")
	_, err = Interleave(t.Context(), 2, func(context.Context) (float64, error) { return 0, broken })
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "round 1") {
		t.Errorf("error %v", err)
	}
}

func TestSample(t *testing.T) {
	for _, c := range []struct {
		sample         Sample
		median, spread float64
	}{
		{Sample{3}, 3, 0},
		{Sample{4, 1, 2}, 2, 1.5},
		{Sample{4, 1, 2, 3}, 2.5, 1.2},
		{Sample{0, 0}, 0, 0},
	} {
		if m, s := c.sample.Median(), c.sample.Spread(); m != c.median || math.Abs(s-c.spread) > 1e-12 {
			t.Errorf("%v: median %v, spread %v; want %v, %v", c.sample, m, s, c.median, c.spread)
		}
	}
	if !math.IsNaN(Sample(nil).Median()) || !math.IsNaN(Sample(nil).Spread()) {
		t.Error("nothing has a median")
	}
}

// The rounds are compared each with its own limit: a machine that slows down for two of them changes nothing.
func TestBesideIsOfEachRound(t *testing.T) {
	f := Beside("x", "answers/s", Sample{60, 6, 60, 6, 60}, Sample{100, 10, 100, 10, 100}, AtLeast(0.6))
	if f.Ratio != 0.6 || f.Spread != 0 || f.Value != 60 || f.Limit != 100 || !f.Met() {
		t.Errorf("%+v, met %v", f, f.Met())
	}
	for name, c := range map[string]struct {
		f   Figure
		met bool
	}{
		"below":        {Within("x", "ms", Sample{5}, 10, AtLeast(0.6)), false},
		"above":        {Within("x", "ms", Sample{15}, 10, AtMost(1.3)), false},
		"at most":      {Within("x", "ms", Sample{13}, 10, AtMost(1.3)), true},
		"no limit":     {Alone("x", "ms", Sample{13}), true},
		"not measured": {Within("x", "ms", nil, 10, AtMost(1)), false},
		"no limit met": {Beside("x", "ms", Sample{1}, Sample{0}, AtMost(1)), false},
	} {
		if c.f.Met() != c.met {
			t.Errorf("%s: met %v", name, c.f.Met())
		}
	}
}

func TestReport(t *testing.T) {
	r := NewReport("page")
	r.Add(Within("bytes <gzip>", "bytes", Sample{4096}, 14000, AtMost(1)), Within("none", "ms", nil, 1, AtMost(1)))
	r.Note("On %d cores.", 2)
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"≤ 1  met", "not met", "On 2 cores."} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	want := []string{
		`{"bench":"page","case":"bytes <gzip>","value":4096,"unit":"bytes","limit":14000,"ratio":0.2926,"spread":0}`,
		`{"bench":"page","case":"none","value":-1,"unit":"ms","limit":1,"ratio":-1,"spread":-1}`,
	}
	if diff := cmp.Diff(want, lines[len(lines)-2:]); diff != "" {
		t.Errorf("JSON lines (-want +got):\n%s", diff)
	}
	figures, err := ReadFigures(strings.NewReader(out.String()))
	if err != nil || len(figures) != 2 || figures[0].Ratio != 0.2926 {
		t.Errorf("read %+v, %v", figures, err)
	}
	if _, err := ReadFigures(strings.NewReader(`{"bench":1}`)); err == nil {
		t.Error("a line that is no figure was read")
	}
}

func TestCheck(t *testing.T) {
	runs := []Figure{
		{Bench: "page", Case: "wire", Unit: "bytes", Value: 4096, Limit: 8192, Ratio: 0.5},
		{Bench: "page", Case: "wire", Unit: "bytes", Value: 4096, Limit: 8192, Ratio: 0.5},
		{Bench: "intake", Case: "rate", Unit: "answers/s", Value: 900, Limit: 1000, Ratio: 0.9},
		{Bench: "intake", Case: "rate", Unit: "answers/s", Value: 700, Limit: 1000, Ratio: 0.7},
		{Bench: "intake", Case: "allocations", Unit: "allocations", Value: 88},
		{Bench: "intake", Case: "start", Unit: "ms", Value: 60, Limit: 150, Ratio: 0.4},
	}
	ranges := Calibrate(runs)
	got, err := json.Marshal(ranges)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"bench":"intake","case":"allocations","of":"value","runs":1,"mean":88,"spread":0,"low":88,"high":88},` +
		`{"bench":"intake","case":"rate","of":"ratio","runs":2,"mean":0.8,"spread":0.25,"low":0.35},` +
		`{"bench":"intake","case":"start","of":"ratio","runs":1,"mean":0.4,"spread":0,"high":0.8},` +
		`{"bench":"page","case":"wire","of":"ratio","runs":2,"mean":0.5,"spread":0,"low":0.5,"high":0.5}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
	if wrong := Check(ranges, runs); len(wrong) > 0 {
		t.Errorf("the runs it was made of are wrong: %q", wrong)
	}
	later := []Figure{
		{Bench: "page", Case: "wire", Ratio: 0.51},
		{Bench: "intake", Case: "rate", Ratio: 0.3},
		{Bench: "intake", Case: "start", Ratio: 0.9},
		{Bench: "intake", Case: "new", Ratio: 1},
	}
	wrong := Check(ranges, later)
	if diff := cmp.Diff([]string{
		"page: wire: ratio 0.51, at most 0.5 is in range",
		"intake: rate: ratio 0.3, at least 0.35 is in range",
		"intake: start: ratio 0.9, at most 0.8 is in range",
		"intake: new: has no range: calibrate it",
	}, wrong); diff != "" {
		t.Errorf("wrong (-want +got):\n%s", diff)
	}
	better := []Figure{{Bench: "intake", Case: "rate", Ratio: 40}, {Bench: "intake", Case: "start", Ratio: 0.1}}
	if wrong := Check(ranges, better); len(wrong) > 0 {
		t.Errorf("a better figure is wrong: %q", wrong)
	}
	if !slices.ContainsFunc(Check(ranges, []Figure{{Bench: "intake", Case: "rate", Ratio: -1}}), func(s string) bool {
		return strings.Contains(s, "could not be measured")
	}) {
		t.Error("what was not measured passes")
	}
}

// A bench that is calibrated anew loses the ranges of cases that it has no more; other benches keep theirs.
func TestMerge(t *testing.T) {
	old := []Range{{Bench: "page", Case: "wire"}, {Bench: "intake", Case: "gone"}, {Bench: "intake", Case: "rate", Mean: 1}}
	got := Merge(old, []Range{{Bench: "intake", Case: "rate", Mean: 2}})
	if diff := cmp.Diff([]Range{{Bench: "intake", Case: "rate", Mean: 2}, {Bench: "page", Case: "wire"}}, got); diff != "" {
		t.Errorf("merged (-want +got):\n%s", diff)
	}
}
