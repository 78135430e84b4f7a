package score

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

var metrics = []Metric{NPS, CSAT, CESMean, CESTopBox, CESNet, Mean}

// fuzzedDefinition is always valid. CSAT's satisfied values are the upper end of the scale, as "moving an answer up"
// needs. Confidences end where the tails still have all their digits.
func fuzzedDefinition(metric, low, width, top uint8, confidence float64) Definition {
	d := def(metrics[int(metric)%len(metrics)])
	if d.Metric == CSAT || d.Metric == Mean {
		d.Scale.Min = int(int8(low))
		d.Scale.Max = d.Scale.Min + 1 + int(width)%20
	}
	if d.Metric == CSAT {
		for v := d.Scale.Max - int(top)%(d.Scale.Max-d.Scale.Min); v <= d.Scale.Max; v++ {
			d.Satisfied = append(d.Satisfied, v)
		}
	}
	if confidence > 0.5 && confidence < 0.999999 {
		d.Confidence = confidence
	}
	return d
}

// fuzzedCounts reads two bytes a value, digits and exponent, for counts from 0 to 1e15.
func fuzzedCounts(s Scale, raw []byte) Counts {
	c := Counts{}
	for i := 0; i+1 < len(raw) && s.Min+i/2 <= s.Max; i += 2 {
		c[s.Min+i/2] = int64(raw[i]) << (raw[i+1] % 42)
	}
	return c
}

// seeds adds samples that are small, equal, extreme, huge and real.
func seeds(f *testing.F) {
	for m := range uint8(len(metrics)) {
		for _, raw := range [][]byte{
			{}, {1, 0}, {0, 0, 1, 0}, {2, 0}, {255, 41}, {1, 0, 1, 0}, {0, 0, 0, 0, 0, 0, 5, 0}, {1, 41, 0, 0, 255, 41},
			{255, 41, 255, 41, 255, 41, 255, 41, 255, 41, 255, 41, 255, 41, 255, 41, 255, 41, 255, 41, 255, 41},
			{6, 0, 32, 0, 111, 2, 188, 3, 175, 2}, {3, 0, 0, 0, 0, 0, 1, 20, 0, 0, 0, 0, 9, 9},
		} {
			f.Add(m, uint8(1), uint8(4), uint8(2), 0.95, raw)
			f.Add(m, uint8(200), uint8(10), uint8(0), 0.55, raw)
		}
	}
}

func FuzzCompute(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, metric, low, width, top uint8, confidence float64, raw []byte) {
		d := fuzzedDefinition(metric, low, width, top, confidence)
		c := fuzzedCounts(d.Scale, raw)
		r := mustCompute(t, d, c)
		checkResult(t, d, c, r)
		checkDeterministic(t, d, c, r)
		checkMonotone(t, d, c, r)
		checkNarrowing(t, d, c, r)
	})
}

func checkResult(t *testing.T, d Definition, c Counts, r Result) {
	t.Helper()
	var n int64
	for _, k := range c {
		n += k
	}
	low, high := TargetRange(d.Metric, d.Scale)
	within := func(v float64) bool { return v >= low && v <= high }
	switch {
	case r.N != n || r.HasValue != (n > 0) || r.HasInterval != (n > 1 || n == 1 && !d.isMean()):
		t.Errorf("%d answers: %+v", n, r)
	case r.HasValue && !within(r.Value):
		t.Errorf("value out of %v to %v: %+v", low, high, r)
	case r.HasInterval && !(within(r.Lower) && within(r.Upper) && r.Lower <= r.Upper):
		t.Errorf("interval out of %v to %v, or upside down: %+v", low, high, r)
	case r.HasInterval && n < 1<<40 && r.Lower == r.Upper: // beyond, a width may vanish in rounding
		t.Errorf("interval without width: %+v", r)
	case n >= 2 && !(r.Lower <= r.Value && r.Value <= r.Upper):
		t.Errorf("the interval does not hold the value: %+v", r)
	}
}

// checkDeterministic computes from a map that was filled in another order.
func checkDeterministic(t *testing.T, d Definition, c Counts, want Result) {
	t.Helper()
	again := make(Counts, 100)
	keys := slices.Sorted(maps.Keys(c))
	slices.Reverse(keys)
	for _, v := range keys {
		again[v] = c[v]
	}
	if got := mustCompute(t, d, again); got != want {
		t.Errorf("%+v and %+v of the same counts %v", got, want, c)
	}
}

// checkMonotone moves one answer up by one step, from each value in turn.
func checkMonotone(t *testing.T, d Definition, c Counts, r Result) {
	t.Helper()
	// Point values of fewer answers are sums that floats hold exactly; Wilson's ends have a few roundings.
	var slack float64
	if r.N > 1<<40 {
		slack = 1e-10
	}
	for v := d.Scale.Min; v < d.Scale.Max; v++ {
		if c[v] == 0 {
			continue
		}
		up := maps.Clone(c)
		up[v]--
		up[v+1]++
		higher := mustCompute(t, d, up)
		if higher.Value < r.Value-slack {
			t.Errorf("an answer from %d to %d moves %v to %v", v, v+1, r.Value, higher.Value)
		}
		if d.Metric != CSAT && d.Metric != CESTopBox {
			continue
		}
		if higher.Lower < r.Lower-1e-10 || higher.Upper < r.Upper-1e-10 {
			t.Errorf("an answer from %d to %d moves %+v to %+v", v, v+1, r, higher)
		}
	}
}

// checkNarrowing multiplies all counts. A single answer is left out: its NPS interval lies beside the value.
func checkNarrowing(t *testing.T, d Definition, c Counts, r Result) {
	t.Helper()
	if r.N < 2 {
		return
	}
	for _, times := range []int64{2, 3, 10} {
		more := Counts{}
		for v, k := range c {
			more[v] = k * times
		}
		m := mustCompute(t, d, more)
		if m.Upper-m.Lower > (r.Upper-r.Lower)*(1+1e-9)+1e-12 {
			t.Errorf("%d times the answers widen %+v to %+v", times, r, m)
		}
	}
}

func FuzzCompare(f *testing.F) {
	f.Add(uint8(0), uint8(1), uint8(4), uint8(2), 0.95, []byte{9, 0, 20, 0, 40, 3}, []byte{10, 0, 3, 0, 60, 1})
	f.Add(uint8(1), uint8(1), uint8(3), uint8(1), 0.9, []byte{0, 0, 0, 0, 0, 0, 5, 0}, []byte{0, 0, 0, 0, 0, 0, 200, 40})
	f.Add(uint8(5), uint8(0), uint8(9), uint8(1), 0.99, []byte{2, 0}, []byte{0, 0, 2, 0})
	f.Add(uint8(5), uint8(0), uint8(9), uint8(1), 0.99, []byte{255, 41, 1, 0}, []byte{1, 0, 255, 41})
	f.Fuzz(func(t *testing.T, metric, low, width, top uint8, confidence float64, older, newer []byte) {
		d := fuzzedDefinition(metric, low, width, top, confidence)
		a, b := fuzzedCounts(d.Scale, older), fuzzedCounts(d.Scale, newer)
		c := mustCompare(t, d, a, b)
		if !c.HasValue {
			if c != (Change{}) {
				t.Errorf("no change, yet %+v", c)
			}
			return
		}
		bottom, ceiling := TargetRange(d.Metric, d.Scale)
		if !(c.P >= 0 && c.P <= 1 && math.Abs(c.Z) < math.MaxFloat64 && c.StandardError >= 0) {
			t.Errorf("impossible: %+v", c)
		}
		if !(bottom-ceiling <= c.Lower && c.Lower <= c.Delta && c.Delta <= c.Upper && c.Upper <= ceiling-bottom) {
			t.Errorf("interval: %+v", c)
		}
		back := mustCompare(t, d, b, a)
		near(t, "reversed delta", back.Delta, -c.Delta, 1e-9)
		near(t, "reversed p", back.P, c.P, 1e-9)
		near(t, "reversed lower", back.Lower, -c.Upper, 1e-9*(ceiling-bottom))
		if same := mustCompare(t, d, a, a); same.Delta != 0 || same.Z != 0 || same.P != 1 {
			t.Errorf("change to itself: %+v", same)
		}
	})
}

// FuzzAnything takes definitions and counts as a stranger may send them: an error, or a result in range, never a panic.
func FuzzAnything(f *testing.F) {
	f.Add("NPS", 0, 10, 9, 10, 0.95, 3, int64(math.MaxInt64), 4, int64(1))
	f.Add("Mean", -1000, 1000, 0, 0, math.Nextafter(1, 0), 1000, int64(math.MaxInt64/2), -1000, int64(math.MaxInt64/2))
	f.Add("Mean", 0, 1, 0, 0, math.Nextafter(1, 0), 0, int64(1), 1, int64(1))
	f.Add("CSAT", math.MinInt, math.MaxInt, 3, 3, math.NaN(), math.MinInt, int64(math.MinInt64), 0, int64(0))
	f.Fuzz(func(t *testing.T, metric string, low, high, s1, s2 int, confidence float64, v1 int, k1 int64, v2 int, k2 int64) {
		d := Definition{Metric: Metric(metric), Scale: Scale{low, high}, Confidence: confidence}
		if d.Metric == CSAT {
			d.Satisfied = []int{s1, s2}
		}
		c := Counts{v1: k1, v2: k2}
		r, err := Compute(d, c)
		if err != nil {
			if r != (Result{}) {
				t.Errorf("%v, and yet %+v", err, r)
			}
			return
		}
		bottom, top := TargetRange(d.Metric, d.Scale)
		for _, v := range []float64{r.Value, r.Lower, r.Upper} {
			if r.HasInterval && !(v >= bottom && v <= top) {
				t.Errorf("%+v is out of %v to %v", r, bottom, top)
			}
		}
		if _, err := Compare(d, c, c); err != nil {
			t.Errorf("Compute accepts what Compare refuses: %v", err)
		}
	})
}

func FuzzWilson(f *testing.F) {
	for _, s := range []struct{ x, n int64 }{{0, 1}, {1, 1}, {4, 5}, {1, 1e15}, {1e15 - 1, 1e15}, {5e14, 1e15}, {7776456, 7564336677}} {
		f.Add(s.x, s.n, 0.95)
	}
	f.Fuzz(func(t *testing.T, x, n int64, confidence float64) {
		if n < 1 || n > 1e15 || x < 0 || x > n || !(confidence > 0.5 && confidence < 1) {
			return
		}
		lower, upper := Wilson(x, n, confidence)
		p := float64(x) / float64(n)
		if !(0 <= lower && lower <= p && p <= upper && upper <= 1 && lower < upper) {
			t.Fatalf("Wilson(%d, %d) = %v, %v", x, n, lower, upper)
		}
		if (lower == 0) != (x == 0) || (x == n && upper != 1) {
			t.Errorf("Wilson(%d, %d) = %v, %v at an end of the range", x, n, lower, upper)
		}
		mirrorLower, mirrorUpper := Wilson(n-x, n, confidence)
		near(t, "mirrored lower", 1-mirrorUpper, lower, 1e-14)
		near(t, "mirrored upper", 1-mirrorLower, upper, 1e-14)
		if x == n {
			return
		}
		nextLower, nextUpper := Wilson(x+1, n, confidence)
		if nextLower < lower-1e-14 || nextUpper < upper-1e-14 {
			t.Errorf("one more of %d moves %v, %v to %v, %v", n, lower, upper, nextLower, nextUpper)
		}
	})
}

func FuzzFormatDecimal(f *testing.F) {
	for _, v := range []float64{0, 0.005, 1.005, -0.001, 37.1824, 99.995, 1e15, 5e-324} {
		f.Add(v)
	}
	form := regexp.MustCompile(`^-?\d+\.\d\d$`)
	f.Fuzz(func(t *testing.T, v float64) {
		if math.IsNaN(v) || math.Abs(v) > 1e15 {
			return
		}
		s := FormatDecimal(v)
		back, err := strconv.ParseFloat(s, 64)
		if err != nil || !form.MatchString(s) || s == "-0.00" {
			t.Fatalf("FormatDecimal(%v) = %q", v, s)
		}
		near(t, s, back, v, 0.005+math.Abs(v)*1e-15)
		if again := FormatDecimal(back); again != s {
			t.Errorf("%q formats as %q", s, again)
		}
		if n := FormatDecimal(-v); n != "-"+s && "-"+n != s && (s != "0.00" || n != s) {
			t.Errorf("%q and %q are not opposites", s, n)
		}
	})
}
