package score

import (
	"math/big"
	"strconv"
)

// FormatDecimal writes a score as it is shown everywhere: with two decimals, halves rounded away from zero, and never as
// "-0.00". It rounds the shortest decimal form of v, which is what a person sees and would round by hand: 1.005 is
// "1.01", although the float is a little below. NaN and infinities, which no score is, come out as strconv writes them.
func FormatDecimal(v float64) string {
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
