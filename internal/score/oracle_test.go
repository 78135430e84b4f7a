package score

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

// oracle reads a file of testdata, whose README names the sources.
func oracle[T any](t *testing.T, file string) T {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

type ends struct{ Lower, Upper float64 }

// npsOracle is in shares of 1, detractors first.
type npsOracle struct {
	One []struct {
		Detractors, Passives, Promoters int64
		Conf, NPS                       float64
		Variance                        float64
		AdjustedWald                    struct {
			ends
			Centre, SE float64
		} `json:"adjusted_wald"`
	} `json:"one_sample"`
	Two []struct {
		X, Y         [3]int64
		Test         string
		Conf         float64
		AbsDelta     float64 `json:"abs_delta"`
		SE           float64
		Lower, Upper float64
		P            float64 `json:"p_value"`
	} `json:"two_sample"`
	CRAN struct {
		ByBU map[string]struct {
			N      int64
			Counts Counts
			NPS    *float64
		} `json:"by_BU"`
	} `json:"cran_1_1_testdata"`
}

func TestNPSAgainstR(t *testing.T) {
	cases := oracle[npsOracle](t, "nps-r-executed.json").One
	if len(cases) != 81 {
		t.Fatalf("%d cases, want 81", len(cases))
	}
	for _, c := range cases {
		d := def(NPS)
		d.Confidence = c.Conf
		counts := trinomial(c.Promoters, c.Passives, c.Detractors)
		r := mustCompute(t, d, counts)
		near(t, "value", r.Value, 100*c.NPS, 1e-11)
		near(t, "lower", r.Lower, 100*math.Max(c.AdjustedWald.Lower, -1), 1e-11)
		near(t, "upper", r.Upper, 100*math.Min(c.AdjustedWald.Upper, 1), 1e-11)

		s, err := d.summarise(counts)
		if err != nil {
			t.Fatal(err)
		}
		m, v, n := adjust(s)
		near(t, "centre", m, c.AdjustedWald.Centre, 1e-14)
		near(t, "standard error", math.Sqrt(v/n), c.AdjustedWald.SE, 1e-14)
		if t.Failed() {
			t.Fatalf("case %+v", c)
		}
	}
}

func TestNPSChangeAgainstR(t *testing.T) {
	var tested int
	for _, c := range oracle[npsOracle](t, "nps-r-executed.json").Two {
		if c.Test != "adjusted.wald" {
			continue
		}
		tested++
		d := def(NPS)
		d.Confidence = c.Conf
		x, y := trinomial(c.X[2], c.X[1], c.X[0]), trinomial(c.Y[2], c.Y[1], c.Y[0])
		got := mustCompare(t, d, x, y)
		back := mustCompare(t, d, y, x)
		if got.Delta < 0 { // R reports the absolute difference
			got, back = back, got
		}
		near(t, "delta", got.Delta, 100*c.AbsDelta, 1e-11)
		near(t, "opposite delta", back.Delta, -100*c.AbsDelta, 1e-11)
		near(t, "standard error", got.StandardError, 100*c.SE, 1e-11)
		near(t, "lower", got.Lower, 100*c.Lower, 1e-10)
		near(t, "upper", got.Upper, 100*math.Min(c.Upper, 2), 1e-10)
		near(t, "p", got.P, c.P, 1e-12)
	}
	if tested != 8 {
		t.Errorf("%d cases, want 8", tested)
	}
}

func TestNPSOfCountsAgainstCRAN(t *testing.T) {
	units := oracle[npsOracle](t, "nps-r-executed.json").CRAN.ByBU
	if len(units) != 6 {
		t.Fatalf("%d units, want 6", len(units))
	}
	for name, c := range units {
		r := mustCompute(t, def(NPS), c.Counts)
		if r.N != c.N || r.HasValue != (c.NPS != nil) {
			t.Errorf("%s: %+v", name, r)
		}
		if c.NPS != nil {
			near(t, name, r.Value, 100**c.NPS, 1e-11)
		}
	}
}

func TestNPSAgainstThePackagesOwnTests(t *testing.T) {
	type pair struct {
		Fn        string
		Input     []float64
		Expected  any
		InputKind string `json:"input_kind"`
	}
	var tested int
	for _, p := range oracle[struct{ Pairs []pair }](t, "nps-testthat.json").Pairs {
		want, ok := p.Expected.(float64)
		if p.Fn != "nps" || !ok {
			continue
		}
		var c Counts
		switch p.InputKind {
		case "raw scores 0-10":
			c = Counts{}
			for _, v := range p.Input {
				c[int(v)]++
			}
		case "counts [detractors,passives,promoters]":
			c = trinomial(int64(p.Input[2]), int64(p.Input[1]), int64(p.Input[0]))
		default: // other breaks than 0-6, 7-8, 9-10 are not NPS
			continue
		}
		tested++
		near(t, "nps", mustCompute(t, def(NPS), c).Value, 100*want, 1e-11)
	}
	if tested != 8 {
		t.Errorf("%d pairs, want 8", tested)
	}
}

func TestWilsonAgainstR(t *testing.T) {
	type file struct {
		One []struct {
			X, N, Conf float64
			Wilson     ends
		} `json:"one_proportion"`
	}
	cases := oracle[file](t, "proportion-ci-r-executed.json").One
	if len(cases) != 84 {
		t.Fatalf("%d cases, want 84", len(cases))
	}
	for _, c := range cases {
		lower, upper := Wilson(int64(c.X), int64(c.N), c.Conf)
		near(t, "lower", lower, c.Wilson.Lower, 1e-12)
		near(t, "upper", upper, c.Wilson.Upper, 1e-12)
	}
}

type publishedOracle struct {
	Statsmodels struct {
		Tolerance float64 `json:"tolerance_abs"`
		Cases     []struct {
			X, N    int64
			Conf    float64
			Methods struct{ Wilson ends }
		}
	} `json:"statsmodels_binom"`
	Wilson []struct {
		Source     string
		X, N, Conf float64
		ends
		Tolerance float64 `json:"tolerance_abs"`
	} `json:"wilson_published"`
	Newcombe struct {
		Cases []struct {
			XControl int64 `json:"x_control"`
			NControl int64 `json:"n_control"`
			XTest    int64 `json:"x_test"`
			NTest    int64 `json:"n_test"`
			ends
			Tolerance float64 `json:"tolerance_abs"`
		}
	} `json:"newcombe_difference"`
	Tests struct {
		Cases []struct {
			Fn    string
			Count any
			Nobs  any
			Z, P  float64
		}
	} `json:"proportion_tests"`
}

func TestWilsonAgainstPublishedIntervals(t *testing.T) {
	o := oracle[publishedOracle](t, "proportion-ci-published.json")
	if len(o.Wilson) < 20 || len(o.Statsmodels.Cases) == 0 {
		t.Fatalf("%d and %d cases", len(o.Wilson), len(o.Statsmodels.Cases))
	}
	for _, c := range o.Wilson { // some are of fractional successes
		lower, upper := wilson(c.X, c.N, normalQuantile(c.Conf))
		near(t, c.Source, lower, c.Lower, c.Tolerance)
		near(t, c.Source, upper, c.Upper, c.Tolerance)
	}
	for _, c := range o.Statsmodels.Cases {
		lower, upper := Wilson(c.X, c.N, c.Conf)
		near(t, "statsmodels lower", lower, math.Max(c.Methods.Wilson.Lower, 0), o.Statsmodels.Tolerance)
		near(t, "statsmodels upper", upper, math.Min(c.Methods.Wilson.Upper, 1), o.Statsmodels.Tolerance)
	}
}

// shares returns counts on a scale of 1 to 5 with x of n satisfied.
func shares(x, n int64) Counts { return Counts{2: n - x, 5: x} }

func TestShareChangeAgainstNewcombe(t *testing.T) {
	cases := oracle[publishedOracle](t, "proportion-ci-published.json").Newcombe.Cases
	if len(cases) != 3 {
		t.Fatalf("%d cases, want 3", len(cases))
	}
	for _, c := range cases {
		got := mustCompare(t, def(CSAT), shares(c.XControl, c.NControl), shares(c.XTest, c.NTest))
		near(t, "lower", got.Lower, 100*c.Lower, 100*c.Tolerance)
		near(t, "upper", got.Upper, 100*c.Upper, 100*c.Tolerance)
	}
}

func TestShareChangeAgainstR(t *testing.T) {
	type file struct {
		Two []struct {
			X1, N1, X2, N2 int64
			ChiSquare      float64 `json:"chisq_nocc"`
			P              float64 `json:"p_nocc"`
		} `json:"two_proportions"`
	}
	cases := oracle[file](t, "proportion-ci-r-executed.json").Two
	if len(cases) != 9 {
		t.Fatalf("%d cases, want 9", len(cases))
	}
	for _, c := range cases {
		got := mustCompare(t, def(CSAT), shares(c.X1, c.N1), shares(c.X2, c.N2))
		near(t, "z^2", got.Z*got.Z, c.ChiSquare, 1e-10)
		near(t, "p", got.P, c.P, 1e-12)
		if rise := c.X2*c.N1 > c.X1*c.N2; rise != (got.Z > 0) || rise != (got.Delta > 0) {
			t.Errorf("%+v: %+v has the wrong sign", c, got)
		}
	}
	// statsmodels: 5 of 83 against 12 of 99. Its z is first minus second.
	for _, c := range oracle[publishedOracle](t, "proportion-ci-published.json").Tests.Cases {
		if c.Fn != "two-proportion z (pooled)" {
			continue
		}
		got := mustCompare(t, def(CSAT), shares(5, 83), shares(12, 99))
		near(t, "z", got.Z, -c.Z, 1e-12)
		near(t, "p", got.P, c.P, 1e-12)
		return
	}
	t.Error("the statsmodels case is missing")
}
