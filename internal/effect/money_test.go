package effect

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

func euro(amount string) *v1alpha1.Money { return &v1alpha1.Money{Amount: amount, Currency: "EUR"} }

func TestReturn(t *testing.T) {
	e := &v1alpha1.Effect{Change: "6.02", ChangeLower: "2.10", ChangeUpper: "9.94"}
	for name, c := range map[string]struct {
		b    *v1alpha1.Business
		e    *v1alpha1.Effect
		want *v1alpha1.Return
	}{
		"cost and value": {&v1alpha1.Business{Cost: euro("12500.00"), ValuePerPoint: euro("3000")}, e, &v1alpha1.Return{
			Value: "18060.00", ValueLower: "6300.00", ValueUpper: "29820.00",
			Percent: "44.48", PercentLower: "-49.60", PercentUpper: "138.56", Currency: "EUR"}},
		"value alone": {&v1alpha1.Business{ValuePerPoint: euro("0.05")}, e, &v1alpha1.Return{
			Value: "0.30", ValueLower: "0.11", ValueUpper: "0.50", Currency: "EUR"}},
		"no cost at all": {&v1alpha1.Business{Cost: euro("0"), ValuePerPoint: euro("1")}, e, &v1alpha1.Return{
			Value: "6.02", ValueLower: "2.10", ValueUpper: "9.94", Currency: "EUR"}},
		"the largest amounts, to the cent": {&v1alpha1.Business{Cost: euro("0.01"), ValuePerPoint: euro("999999999999999.99")},
			&v1alpha1.Effect{Change: "200.00", ChangeLower: "-200.00", ChangeUpper: "0.00"}, &v1alpha1.Return{
				Value: "199999999999999998.00", ValueLower: "-199999999999999998.00", ValueUpper: "0.00",
				Percent: "1999999999999999979900.00", PercentLower: "-1999999999999999980100.00", PercentUpper: "-100.00", Currency: "EUR"}},
		"half a cent goes away from zero": {&v1alpha1.Business{ValuePerPoint: euro("0.5")},
			&v1alpha1.Effect{Change: "0.01", ChangeLower: "-0.01", ChangeUpper: "0.03"}, &v1alpha1.Return{
				Value: "0.01", ValueLower: "-0.01", ValueUpper: "0.02", Currency: "EUR"}},
		"a little below nothing is nothing": {&v1alpha1.Business{ValuePerPoint: euro("0.1")},
			&v1alpha1.Effect{Change: "-0.01", ChangeLower: "-0.01", ChangeUpper: "0.01"}, &v1alpha1.Return{
				Value: "0.00", ValueLower: "0.00", ValueUpper: "0.00", Currency: "EUR"}},
		"cost alone":          {&v1alpha1.Business{Cost: euro("1")}, e, nil},
		"nothing declared":    {nil, e, nil},
		"no change":           {&v1alpha1.Business{ValuePerPoint: euro("1")}, &v1alpha1.Effect{}, nil},
		"not an amount":       {&v1alpha1.Business{ValuePerPoint: euro("1e9")}, e, nil},
		"two currencies":      {&v1alpha1.Business{Cost: &v1alpha1.Money{Amount: "1", Currency: "USD"}, ValuePerPoint: euro("1")}, e, &v1alpha1.Return{Value: "6.02", ValueLower: "2.10", ValueUpper: "9.94", Currency: "EUR"}},
		"far too many digits": {&v1alpha1.Business{ValuePerPoint: euro("100000000000000000000000000000000")}, e, nil},
	} {
		if diff := cmp.Diff(c.want, returnOf(c.b, c.e)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// What is declared may come after the verdict; then the return follows, and the verdict stays.
func TestReturnFollowsWhatIsDeclared(t *testing.T) {
	in, _ := story(csatMeasure(), score.Counts{2: 40, 5: 60}, score.Counts{2: 10, 5: 90})
	in.Previous = Evaluate(in).Effect
	if in.Previous.Return != nil {
		t.Fatalf("return %+v though nothing is declared", in.Previous.Return)
	}
	in.Business = &v1alpha1.Business{Cost: euro("100"), ValuePerPoint: euro("10")}
	e := Evaluate(in).Effect
	if e.Return == nil || e.Return.Value != "300.00" || e.Return.Percent != "200.00" || e.Change != "30.00" {
		t.Errorf("%+v, return %+v", e, e.Return)
	}
}
