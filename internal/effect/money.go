package effect

import (
	"math/big"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// returnOf is what a change is worth by what people declared, nil without a change or a value per point. It is exact: of
// the change as it is shown, with two decimals, so that a reader can do the sum; each result is rounded once, to two
// decimals, halves away from zero. A cost of 0 has no percentage.
func returnOf(b *v1alpha1.Business, e *v1alpha1.Effect) *v1alpha1.Return {
	if b == nil || b.ValuePerPoint == nil {
		return nil
	}
	perPoint, ok := Decimal(b.ValuePerPoint.Amount)
	if !ok {
		return nil
	}
	var values [3]*big.Rat
	for i, text := range []string{e.Change, e.ChangeLower, e.ChangeUpper} {
		points, ok := Decimal(text)
		if !ok {
			return nil
		}
		values[i] = new(big.Rat).Mul(points, perPoint)
	}
	r := &v1alpha1.Return{
		Value: money(values[0]), ValueLower: money(values[1]), ValueUpper: money(values[2]), Currency: b.ValuePerPoint.Currency,
	}
	if b.Cost == nil || b.Cost.Currency != b.ValuePerPoint.Currency {
		return r
	}
	if cost, ok := Decimal(b.Cost.Amount); ok && cost.Sign() > 0 {
		r.Percent, r.PercentLower, r.PercentUpper = percent(values[0], cost), percent(values[1], cost), percent(values[2], cost)
	}
	return r
}

// percent is 100 (value - cost) / cost.
func percent(value, cost *big.Rat) string {
	gain := new(big.Rat).Sub(value, cost)
	return money(gain.Mul(gain, big.NewRat(100, 1)).Quo(gain, cost))
}

// longest bounds the digits that are read: those of a value are the most.
const longest = 32

// Decimal reads a number as the API writes amounts and figures, digits with a sign and a point at most, exactly; false for
// anything else.
func Decimal(s string) (*big.Rat, bool) {
	if s == "" || len(s) > longest {
		return nil, false
	}
	for i, c := range s {
		if (c < '0' || c > '9') && c != '.' && (c != '-' || i > 0) {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func money(v *big.Rat) string {
	if s := v.FloatString(2); s != "-0.00" {
		return s
	}
	return "0.00"
}
