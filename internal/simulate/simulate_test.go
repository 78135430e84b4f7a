package simulate

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// short is a simulation that a test can wait for.
func short(change func(*Options)) Options {
	o := Defaults()
	o.Touchpoints, o.Workers, o.ConfirmDays = 40, 2, 21
	if change != nil {
		change(&o)
	}
	return o
}

func simulated(t *testing.T, o Options, strata ...Stratum) []Result {
	t.Helper()
	results, err := Run(o, strata)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// Who keeps a promise is seldom accused, and much less often than by the naive rule.
func TestFewAreAccusedFalsely(t *testing.T) {
	strata := []Stratum{{Name: "+5", PerMonth: 30, Margin: 5}, {Name: "+2", PerMonth: 100, Margin: 2}}
	for i, r := range simulated(t, short(nil), strata...) {
		if limit := []float64{2, 5}[i]; r.FalselyAccused > limit || r.NaiveFalselyAccused < 50 {
			t.Errorf("%s: %.1f %% accused, want at most %g; by the naive rule %.1f %%", r.Stratum, r.FalselyAccused, limit, r.NaiveFalselyAccused)
		}
		if r.Detected != nil || r.MedianDelayDays != nil {
			t.Errorf("%s: a fall was found where there is none: %+v", r.Stratum, r)
		}
	}
}

func TestFallsAreFound(t *testing.T) {
	r := simulated(t, short(nil), Stratum{Name: "falling", PerMonth: 1000, Margin: 5, Fall: 10})[0]
	if *r.Detected < 95 || *r.MedianDelayDays < 30 || *r.MedianDelayDays > 100 {
		t.Errorf("%.1f %% found after %.0f days", *r.Detected, *r.MedianDelayDays)
	}
	if *r.NaiveMedianDelayDays >= *r.MedianDelayDays {
		t.Errorf("honest in %.0f days, naive in %.0f: caution has no cost?", *r.MedianDelayDays, *r.NaiveMedianDelayDays)
	}
	if r.Plans < 0.95 || r.Unacknowledged == 0 || r.Overdue == 0 || r.Escalations == 0 {
		t.Errorf("plans, their clocks and escalation were not lived through: %+v", r)
	}
}

// A verdict that must be confirmed for longer accuses fewer and is later.
func TestConfirmingIsCautious(t *testing.T) {
	var before Result
	for i, days := range []int{0, 7, 21, 60} {
		o := short(func(o *Options) { o.ConfirmDays = days })
		all := simulated(t, o, Stratum{Name: "at", PerMonth: 100}, Stratum{Name: "falling", PerMonth: 1000, Margin: 5, Fall: 10})
		if r := all[0]; i > 0 && r.FalselyAccused > before.FalselyAccused {
			t.Errorf("%d days accuse %.1f %%, fewer days %.1f %%", days, r.FalselyAccused, before.FalselyAccused)
		}
		before = all[0]
		if delay := *all[1].MedianDelayDays; delay < float64(days) {
			t.Errorf("confirmed for %d days, but found after %.0f", days, delay)
		}
	}
}

func TestEqualOptionsGiveEqualResults(t *testing.T) {
	strata := Strata()[:4]
	one := simulated(t, short(func(o *Options) { o.Workers, o.Touchpoints = 1, 5 }), strata...)
	three := simulated(t, short(func(o *Options) { o.Workers, o.Touchpoints = 3, 5 }), strata...)
	if !reflect.DeepEqual(one, three) {
		t.Errorf("%+v\n%+v", one, three)
	}
	other := simulated(t, short(func(o *Options) { o.Seed, o.Touchpoints = 2, 5 }), strata...)
	if reflect.DeepEqual(one, other) {
		t.Error("another seed gives the same answers")
	}
}

func TestStrata(t *testing.T) {
	all := Strata()
	if len(all) != 12 {
		t.Fatal(len(all))
	}
	for _, s := range all {
		if s.Healthy() != (s.Fall == 0) {
			t.Errorf("%+v", s)
		}
	}
}

func TestPoisson(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for _, mean := range []float64{0.5, 1, 33, 100} {
		var sum, squares float64
		const draws = 20_000
		for range draws {
			n := float64(poisson(chance, mean))
			sum, squares = sum+n, squares+n*n
		}
		m := sum / draws
		if v := squares/draws - m*m; m < 0.97*mean || m > 1.03*mean || v < 0.94*mean || v > 1.06*mean {
			t.Errorf("mean %g: drawn %g with variance %g", mean, m, v)
		}
	}
}

func TestMedian(t *testing.T) {
	if median(nil) != nil || *median([]float64{3, 1, 2}) != 2 || *median([]float64{4, 1, 2, 3}) != 2.5 {
		t.Error("not the median")
	}
}

func TestEveryStepIsLater(t *testing.T) {
	for i := 1; i < len(steps); i++ {
		if steps[i].AfterHours <= steps[i-1].AfterHours {
			t.Errorf("%+v", steps)
		}
	}
	if steps[len(steps)-1].To != v1alpha1.EscalateSponsor {
		t.Error("an escalation ends with the sponsor")
	}
}
