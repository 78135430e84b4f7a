package score

import (
	"math"
	"math/big"
	"strconv"
	"testing"
)

// exactDecimal is FormatDecimal by the arithmetic of fractions, which is slow.
func exactDecimal(v float64) string {
	shortest := strconv.FormatFloat(v, 'f', -1, 64)
	exact, ok := new(big.Rat).SetString(shortest)
	if !ok {
		return shortest
	}
	if s := exact.FloatString(2); s != "-0.00" {
		return s
	}
	return "0.00"
}

func FuzzFormatDecimalIsExact(f *testing.F) {
	for _, v := range []float64{
		0, -0.001, -0.005, 0.005, 1.005, -1.005, 9.995, -9.995, 99.999, 100, -100, 0.1, 57, 1e21, -1e300, 5e-324, 0.00499999999999,
		math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN(),
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v float64) {
		for _, x := range []float64{v, math.Remainder(v, 100), math.Round(1000*math.Remainder(v, 100)) / 1000} {
			if got, want := FormatDecimal(x), exactDecimal(x); got != want {
				t.Errorf("%v is %q, want %q", x, got, want)
			}
		}
	})
}

func BenchmarkFormatDecimal(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		FormatDecimal(57.348912736)
	}
}
