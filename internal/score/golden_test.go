package score

import (
	"math"
	"strings"
	"testing"
)

// trinomial returns counts on the NPS scale with p promoters, q passives and d detractors.
func trinomial(p, q, d int64) Counts {
	return Counts{0: d / 2, 6: d - d/2, 7: q / 2, 8: q - q/2, 9: p / 2, 10: p - p/2}
}

// trinomialOfCES is the same sample on the CES scale, for CESNet.
func trinomialOfCES(p, q, d int64) Counts {
	return Counts{1: d / 2, 3: d - d/2, 4: q / 2, 5: q - q/2, 6: p / 2, 7: p - p/2}
}

// of counts the listed answers.
func of(values ...int) Counts {
	c := Counts{}
	for _, v := range values {
		c[v]++
	}
	return c
}

func def(m Metric) Definition {
	d := Definition{Metric: m, Scale: Scale{1, 7}, Confidence: 0.95}
	switch m {
	case NPS:
		d.Scale = Scale{0, 10}
	case CSAT, Mean:
		d.Scale = Scale{1, 5}
	}
	return d
}

func mustCompute(t *testing.T, d Definition, c Counts) Result {
	t.Helper()
	r, err := Compute(d, c)
	if err != nil {
		t.Fatalf("Compute(%+v, %v): %v", d, c, err)
	}
	return r
}

func mustCompare(t *testing.T, d Definition, older, newer Counts) Change {
	t.Helper()
	c, err := Compare(d, older, newer)
	if err != nil {
		t.Fatalf("Compare(%+v, %v, %v): %v", d, older, newer, err)
	}
	return c
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) { // written so that NaN fails
		t.Errorf("%s = %.10g, want %.10g within %g", what, got, want, tolerance)
	}
}

func TestComputeNet(t *testing.T) {
	for _, c := range []struct {
		p, q, d             int64
		value, lower, upper float64
	}{
		{60, 20, 20, 40, 23.3799, 54.2900},
		{7, 2, 1, 60, 7.0394, 85.2683},
		{15, 10, 5, 33.3333, 4.7781, 55.8279},
		{10, 0, 0, 100, 47.5036, 100},
		{0, 0, 5, -100, -100, -17.4915},
		{0, 10, 0, 0, -18.4650, 18.4650},
	} {
		nps := mustCompute(t, def(NPS), trinomial(c.p, c.q, c.d))
		near(t, "value", nps.Value, c.value, 5e-5)
		near(t, "lower", nps.Lower, c.lower, 5e-5)
		near(t, "upper", nps.Upper, c.upper, 5e-5)
		if nps.N != c.p+c.q+c.d || !nps.HasValue || !nps.HasInterval {
			t.Errorf("%+v: %+v", c, nps)
		}
		if net := mustCompute(t, def(CESNet), trinomialOfCES(c.p, c.q, c.d)); net != nps {
			t.Errorf("CESNet %+v differs from the same NPS %+v", net, nps)
		}
	}
}

// A single answer of 10 gives 100, and an interval that, honestly, does not reach it. From two answers on the interval
// holds the score by the formula itself at 95 %: no need of Compute's widening.
func TestAdjustedIntervalAndTheRawScore(t *testing.T) {
	one := mustCompute(t, def(NPS), of(10))
	if !one.HasInterval || one.Value != 100 || one.Upper >= 100 {
		t.Errorf("one promoter: %+v", one)
	}
	for n := int64(2); n <= 60; n++ {
		for top := range n + 1 {
			for bottom := range n - top + 1 {
				s := summary{n: n, top: top, bottom: bottom}
				lower, upper, _ := def(NPS).interval(s)
				if v := def(NPS).value(s); v < lower || v > upper {
					t.Fatalf("%+v: %v is outside %v to %v", s, v, lower, upper)
				}
			}
		}
	}
}

// At low confidences the pull of the pseudo-answers is stronger than the interval is wide; the value still stays inside.
func TestIntervalHoldsTheValueAtLowConfidence(t *testing.T) {
	d := def(NPS)
	d.Confidence = 0.6
	if _, upper, _ := d.interval(summary{n: 500, top: 500}); upper >= 100 {
		t.Fatalf("upper end %v does not show the case", upper)
	}
	if r := mustCompute(t, d, Counts{10: 500}); r.Upper != 100 || r.Lower >= 100 {
		t.Errorf("500 promoters at 60 %%: %+v", r)
	}
}

func TestWilson(t *testing.T) {
	for _, c := range []struct {
		x, n         int64
		lower, upper float64
	}{
		{4, 5, .375535, .963776}, {8, 10, .490162, .943318}, {80, 100, .711171, .866633}, {0, 5, 0, .434482},
		{5, 5, .565518, 1}, {24, 30, .626943, .904949}, {1, 1, .206549, 1},
		{0, 0, 0, 1}, {3, 0, 0, 1}, {-2, 5, 0, .434482}, {9, 5, .565518, 1},
	} {
		lower, upper := Wilson(c.x, c.n, 0.95)
		near(t, "lower", lower, c.lower, 5e-7)
		near(t, "upper", upper, c.upper, 5e-7)
	}
	for _, confidence := range []float64{0.5, 1, -1, 2, math.NaN(), math.Inf(1)} {
		if lower, upper := Wilson(1, 2, confidence); lower != 0 || upper != 1 {
			t.Errorf("confidence %v: %v to %v, want 0 to 1", confidence, lower, upper)
		}
	}
}

func TestWilsonOfNoneAndAll(t *testing.T) {
	for n := int64(1); n <= 2000; n++ {
		if lower, _ := Wilson(0, n, 0.95); lower != 0 {
			t.Errorf("0 of %d: lower end %v, want exactly 0", n, lower)
		}
		if _, upper := Wilson(n, n, 0.95); upper != 1 {
			t.Errorf("%d of %d: upper end %v, want exactly 1", n, n, upper)
		}
	}
}

// A thousand million million equal answers: the pseudo-answers alone make the variance, 4.5 over n.
func TestAdjustedVarianceDoesNotCancel(t *testing.T) {
	for _, s := range []summary{{n: 1e15, top: 1e15}, {n: 1e15, bottom: 1e15}} {
		_, v, n := adjust(s)
		near(t, "n times variance", n*v, 4.5, 1e-9)
	}
}

func TestComputeShare(t *testing.T) {
	own := def(CSAT)
	own.Satisfied = []int{5}
	rating := Definition{Metric: CSAT, Scale: Scale{0, 10}, Satisfied: []int{8, 9, 10}, Confidence: 0.95}
	for name, c := range map[string]struct {
		d                   Definition
		c                   Counts
		value, lower, upper float64
	}{
		"CSAT by default counts 4 and 5": {def(CSAT), Counts{1: 1, 3: 1, 4: 5, 5: 3}, 80, 49.0162, 94.3318},
		"CSAT with own values":           {own, Counts{4: 20, 5: 80}, 80, 71.1171, 86.6633},
		"CSAT on a rating":               {rating, Counts{7: 6, 8: 9, 10: 15}, 80, 62.6943, 90.4949},
		"CSAT of nobody satisfied":       {def(CSAT), Counts{3: 5}, 0, 0, 43.4482},
		"CESTopBox counts 5 to 7":        {def(CESTopBox), Counts{4: 1, 5: 1, 6: 1, 7: 2}, 80, 37.5535, 96.3776},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustCompute(t, c.d, c.c)
			near(t, "value", r.Value, c.value, 0)
			near(t, "lower", r.Lower, c.lower, 5e-5)
			near(t, "upper", r.Upper, c.upper, 5e-5)
		})
	}
}

// Extra sleep in tenths of an hour under two drugs: R's data set "sleep" (Cushny and Peebles 1905, used by Student 1908).
// The expected figures are those of R's t.test, times ten.
var (
	sleepScale = Scale{-100, 100}
	sleep1     = of(7, -16, -2, -12, -1, 34, 37, 8, 0, 20)
	sleep2     = of(19, 8, 11, 1, -1, 44, 55, 16, 46, 34)
)

func TestComputeMean(t *testing.T) {
	both := Counts{}
	for _, c := range []Counts{sleep1, sleep2} {
		for v, k := range c {
			both[v] += k
		}
	}
	for name, c := range map[string]struct {
		d                   Definition
		c                   Counts
		value, lower, upper float64
	}{
		"R's t.test(sleep$extra)":            {Definition{Metric: Mean, Scale: sleepScale, Confidence: 0.95}, both, 15.4, 5.955845, 24.844155},
		"t with 2 degrees, clamped to 7":     {def(CESMean), of(5, 6, 7), 6, 6 - 4.302653/math.Sqrt(3), 7},
		"t with 1 degree, clamped both ways": {def(Mean), of(2, 4), 3, 1, 5},
		"equal answers: one step over n":     {def(Mean), Counts{3: 4, 5: 0}, 3, 2.75, 3.25},
		"equal answers at the end, clamped":  {def(CESMean), Counts{7: 2}, 7, 6.5, 7},
	} {
		t.Run(name, func(t *testing.T) {
			r := mustCompute(t, c.d, c.c)
			near(t, "value", r.Value, c.value, 1e-12)
			near(t, "lower", r.Lower, c.lower, 1e-6)
			near(t, "upper", r.Upper, c.upper, 1e-6)
		})
	}
	if r := mustCompute(t, def(Mean), of(4)); r != (Result{N: 1, Value: 4, HasValue: true}) {
		t.Errorf("a single answer: %+v, want a value without interval", r)
	}
}

func TestNoAnswersIsNoValue(t *testing.T) {
	for _, m := range []Metric{NPS, CSAT, CESMean, CESTopBox, CESNet, Mean} {
		for _, c := range []Counts{nil, {}, {3: 0, 5: 0}} {
			if r := mustCompute(t, def(m), c); r != (Result{}) {
				t.Errorf("%s of %v: %+v", m, c, r)
			}
			if ch := mustCompare(t, def(m), of(3, 4), c); ch != (Change{}) {
				t.Errorf("change of %s to %v: %+v", m, c, ch)
			}
		}
	}
	if c := mustCompare(t, def(Mean), of(4), of(3, 4)); c != (Change{}) {
		t.Errorf("change of a mean of one answer: %+v", c)
	}
}

// A share that has a short decimal form is exactly the number a target of that form is parsed to, so that a target that
// is just reached is reached.
func TestValuesMeetTargetsExactly(t *testing.T) {
	for x := range int64(101) {
		if r := mustCompute(t, def(CSAT), Counts{3: 100 - x, 4: x}); r.Value != float64(x) {
			t.Errorf("%d of 100 = %v", x, r.Value)
		}
	}
	if r := mustCompute(t, def(Mean), Counts{4: 4, 5: 1}); r.Value != 4.2 {
		t.Errorf("mean = %v, want 4.2", r.Value)
	}
}

func TestCompareNet(t *testing.T) {
	for _, c := range []struct {
		older, newer    [3]int64
		delta, se, z, p float64
	}{
		{[3]int64{60, 20, 20}, [3]int64{50, 20, 30}, -19.4175, 11.6336, -1.6691, .0951},
		{[3]int64{300, 100, 100}, [3]int64{260, 100, 140}, -15.9046, 5.2405, -3.0349, .00241},
		{[3]int64{15, 10, 5}, [3]int64{10, 10, 10}, -30.3030, 19.1581, -1.5817, .1137},
	} {
		older, newer := trinomial(c.older[0], c.older[1], c.older[2]), trinomial(c.newer[0], c.newer[1], c.newer[2])
		got := mustCompare(t, def(NPS), older, newer)
		near(t, "delta", got.Delta, c.delta, 5e-5)
		near(t, "standard error", got.StandardError, c.se, 5e-4)
		near(t, "z", got.Z, c.z, 5e-5)
		near(t, "p", got.P, c.p, 5e-5)
		near(t, "lower", got.Lower, c.delta-1.959964*c.se, 1e-3)
		near(t, "upper", got.Upper, c.delta+1.959964*c.se, 1e-3)
	}
}

func TestCompareMean(t *testing.T) {
	d := Definition{Metric: Mean, Scale: sleepScale, Confidence: 0.95}
	got := mustCompare(t, d, sleep1, sleep2)
	near(t, "delta", got.Delta, 15.8, 1e-12)
	near(t, "t", got.Z, 1.8608, 5e-5)
	near(t, "p", got.P, 0.07939, 5e-6)
	near(t, "lower", got.Lower, -2.054832, 1e-6)
	near(t, "upper", got.Upper, 33.654832, 1e-6)

	// Windows without spread: standard error of one step over n each, instead of certainty after two answers.
	got = mustCompare(t, def(Mean), Counts{4: 2}, Counts{5: 2})
	near(t, "standard error", got.StandardError, math.Sqrt(0.5), 1e-12)
	near(t, "p", got.P, 0.2929, 5e-5) // t = sqrt 2 with 2 degrees: 1 - sqrt(1/2)
	if got.Lower < -4 || got.Upper != 4 {
		t.Errorf("interval %v to %v is not clamped to the changes of a scale 1 to 5", got.Lower, got.Upper)
	}
}

func TestCompareShareWithoutVariance(t *testing.T) {
	got := mustCompare(t, def(CSAT), Counts{5: 10}, Counts{4: 20})
	if got.Z != 0 || got.P != 1 || got.StandardError != 0 || !got.HasValue {
		t.Errorf("all satisfied in both windows: %+v", got)
	}
	if !(got.Lower < 0 && got.Upper > 0) {
		t.Errorf("interval %v to %v claims certainty", got.Lower, got.Upper)
	}
}

func TestErrorsNameTheField(t *testing.T) {
	with := func(m Metric, change func(*Definition)) Definition {
		d := def(m)
		change(&d)
		return d
	}
	for want, d := range map[string]Definition{
		`metric: "Median" is unknown`:              with("Median", func(*Definition) {}),
		"confidence: 0.5 is not allowed":           with(NPS, func(d *Definition) { d.Confidence = 0.5 }),
		"confidence: 1 is not allowed":             with(NPS, func(d *Definition) { d.Confidence = 1 }),
		"confidence: NaN is not allowed":           with(NPS, func(d *Definition) { d.Confidence = math.NaN() }),
		"NPS needs the scale 0 to 10":              with(NPS, func(d *Definition) { d.Scale = Scale{1, 5} }),
		"CESNet needs the scale 1 to 7":            with(CESNet, func(d *Definition) { d.Scale = Scale{1, 5} }),
		"CESMean needs the scale 1 to 7":           with(CESMean, func(d *Definition) { d.Scale = Scale{0, 7} }),
		"scale: 5 to 5 is not allowed":             with(Mean, func(d *Definition) { d.Scale = Scale{5, 5} }),
		"scale: 0 to 1001 is not allowed":          with(Mean, func(d *Definition) { d.Scale = Scale{0, 1001} }),
		"scale: -9223372036854775808 to 9223":      with(Mean, func(d *Definition) { d.Scale = Scale{math.MinInt, math.MaxInt} }),
		"satisfiedValues: required on the scale 0": with(CSAT, func(d *Definition) { d.Scale = Scale{0, 10} }),
		"satisfiedValues: 6 is off the scale":      with(CSAT, func(d *Definition) { d.Satisfied = []int{5, 6} }),
		"satisfiedValues: 5 is listed twice":       with(CSAT, func(d *Definition) { d.Satisfied = []int{5, 4, 5} }),
		"satisfiedValues: metric NPS has none":     with(NPS, func(d *Definition) { d.Satisfied = []int{9} }),
	} {
		_, err := Compute(d, of(4))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compute(%+v): %v, want an error with %q", d, err, want)
		}
		if _, err := Compare(d, of(4), of(4)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Compare(%+v): %v, want an error with %q", d, err, want)
		}
	}
	for want, c := range map[string]Counts{
		"counts: value 0 is off the scale 1 to 5": {0: 0, 9: 1, 4: 1},
		"counts: value 4 has the count -1":        {4: -1, 5: 3},
		"counts: more than 9223372036854775807":   {4: math.MaxInt64, 5: 1},
	} {
		if _, err := Compute(def(CSAT), c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Compute(%v): %v, want %q", c, err, want)
		}
		if _, err := Compare(def(CSAT), c, of(4)); err == nil || !strings.HasPrefix(err.Error(), "older window: "+want) {
			t.Errorf("Compare from %v: %v", c, err)
		}
		if _, err := Compare(def(CSAT), of(4), c); err == nil || !strings.HasPrefix(err.Error(), "newer window: "+want) {
			t.Errorf("Compare to %v: %v", c, err)
		}
	}
}

func TestTargetRange(t *testing.T) {
	s := Scale{2, 9}
	for m, want := range map[Metric][2]float64{
		NPS: {-100, 100}, CESNet: {-100, 100}, CSAT: {0, 100}, CESTopBox: {0, 100}, CESMean: {1, 7}, Mean: {2, 9}, "x": {0, 0},
	} {
		if low, high := TargetRange(m, s); low != want[0] || high != want[1] {
			t.Errorf("TargetRange(%s) = %v, %v, want %v", m, low, high, want)
		}
	}
}

func TestFormatDecimal(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", math.Copysign(0, -1): "0.00", -0.001: "0.00", -0.004999: "0.00", -0.005: "-0.01", 0.005: "0.01",
		1.005: "1.01", -1.005: "-1.01", 2.675: "2.68", 0.125: "0.13", 0.135: "0.14", 99.995: "100.00", -99.995: "-100.00",
		39.8398: "39.84", 35: "35.00", 62.5: "62.50", 1.0 / 3: "0.33", 1e15: "1000000000000000.00", 1e-300: "0.00",
		math.Inf(-1): "-Inf",
	} {
		if got := FormatDecimal(v); got != want {
			t.Errorf("FormatDecimal(%v) = %q, want %q", v, got, want)
		}
	}
	if got := FormatDecimal(math.NaN()); got != "NaN" {
		t.Errorf("FormatDecimal(NaN) = %q", got)
	}
}

func TestStudentQuantile(t *testing.T) {
	for _, c := range []struct{ confidence, freedom, want float64 }{
		// Closed forms: tan(pi c/2) for one degree, c sqrt(2/(1-c^2)) for two.
		{0.95, 1, math.Tan(math.Pi * 0.475)},
		{0.99, 2, 0.99 * math.Sqrt(2/(1-0.99*0.99))},
		// Printed tables of the t distribution.
		{0.95, 9, 2.262157}, {0.95, 29, 2.045230}, {0.95, 100, 1.983972}, {0.95, 1000, 1.962339}, {0.99, 1000, 2.580755},
		{0.95, 1e6, 1.959966}, {0.95, 1e15, 1.959964}, {0.99, 1e18, 2.575829},
	} {
		got := studentQuantile(c.confidence, c.freedom)
		near(t, "quantile", got, c.want, 5e-7)
		near(t, "tails", studentTails(got, c.freedom), 1-c.confidence, 1e-8)
	}
}
