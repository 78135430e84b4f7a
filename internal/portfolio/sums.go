package portfolio

import (
	"maps"
	"math/big"
	"slices"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/effect"
)

// Sum is what plans declare in one currency, exact to the cent. Plans without a figure add nothing.
type Sum struct {
	Currency string `json:"currency"`
	// Cost of all plans that were not cancelled, OpenCost of those that are still open.
	Cost     string `json:"cost"`
	OpenCost string `json:"openCost"`
	// Value of the changes of the plans that were judged, by what they declare; empty without any. JudgedCost is what these
	// cost.
	Value      string `json:"value,omitempty"`
	JudgedCost string `json:"judgedCost,omitempty"`
}

// purse adds up one currency.
type purse struct {
	cost, open, value, judged big.Rat
	valued                    bool
}

func sums(plans []*v1alpha1.ActionPlan) []Sum {
	purses := map[string]*purse{}
	of := func(currency string) *purse {
		if purses[currency] == nil {
			purses[currency] = &purse{}
		}
		return purses[currency]
	}
	for _, p := range plans {
		b := p.Spec.Business
		if b == nil || p.Spec.State == v1alpha1.WorkCancelled {
			continue
		}
		if b.Cost != nil {
			of(b.Cost.Currency).spend(p, b.Cost.Amount)
		}
		if e := p.Status.Effect; e != nil && e.Return != nil {
			of(e.Return.Currency).gain(e.Return.Value, b.Cost)
		}
	}
	var all []Sum
	for _, currency := range slices.Sorted(maps.Keys(purses)) {
		all = append(all, purses[currency].sum(currency))
	}
	return all
}

func (s *purse) spend(p *v1alpha1.ActionPlan, amount string) {
	a, ok := effect.Decimal(amount)
	if !ok {
		return
	}
	s.cost.Add(&s.cost, a)
	if p.Spec.State.Open() {
		s.open.Add(&s.open, a)
	}
}

func (s *purse) gain(value string, cost *v1alpha1.Money) {
	v, ok := effect.Decimal(value)
	if !ok {
		return
	}
	s.valued = true
	s.value.Add(&s.value, v)
	if cost == nil {
		return
	}
	if c, ok := effect.Decimal(cost.Amount); ok {
		s.judged.Add(&s.judged, c)
	}
}

func (s *purse) sum(currency string) Sum {
	sum := Sum{Currency: currency, Cost: s.cost.FloatString(2), OpenCost: s.open.FloatString(2)}
	if s.valued {
		sum.Value, sum.JudgedCost = s.value.FloatString(2), s.judged.FloatString(2)
	}
	return sum
}
