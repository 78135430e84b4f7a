package policy

import (
	"math"
	"testing"

	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

func expected(answers int64, metric score.Metric, scale score.Scale, change string) Expected {
	return Expected{
		Program: "visits", ConfidencePercent: 95, MinimumResponses: 30, Objective: "promise", Metric: metric, Scale: scale, Answers: answers,
		Rule: v1alpha1.ReviewRule{Cadence: v1alpha1.CadenceAuto, DetectChange: new(intstr.Parse(change))},
	}
}

var (
	nps  = score.Scale{Min: 0, Max: 10}
	five = score.Scale{Min: 1, Max: 5}
)

// Golden values. (1.959964 + 0.841621)^2 = 7.84888. Of a share half of which is 100 the variance is 2500, of a net score
// 10000, on a scale from 1 to 5 it is 4; each period needs twice that over the squared change.
func TestCadence(t *testing.T) {
	for name, c := range map[string]struct {
		in         Expected
		cadence    v1alpha1.Cadence
		needed     int64
		perWeek    string
		arithmetic string
	}{
		"a share, enough": {
			expected(5053, score.CSAT, five, "10"), v1alpha1.CadenceWeekly, 393, "393.0",
			"5053 answers in 90 days are 393.0 a week, at least the 393 that each of two periods needs to show a change of 10 at 95 % confidence with 80 % power: Weekly",
		},
		"a share, one too few": {
			expected(5052, score.CSAT, five, "10"), v1alpha1.CadenceMonthly, 393, "392.9",
			"5052 answers in 90 days are 392.9 a week, fewer than the 393 that each of two periods needs to show a change of 10 at 95 % confidence with 80 % power: Monthly",
		},
		"a net score": {
			expected(9000, score.NPS, nps, "10"), v1alpha1.CadenceMonthly, 1570, "700.0",
			"9000 answers in 90 days are 700.0 a week, fewer than the 1570 that each of two periods needs to show a change of 10 at 95 % confidence with 80 % power: Monthly",
		},
		"a mean": {
			expected(9000, score.Mean, five, "0.5"), v1alpha1.CadenceWeekly, 252, "700.0",
			"9000 answers in 90 days are 700.0 a week, at least the 252 that each of two periods needs to show a change of 0.5 at 95 % confidence with 80 % power: Weekly",
		},
		"a change so great that few answers show it": {
			expected(386, score.CSAT, five, "50"), v1alpha1.CadenceWeekly, 30, "30.0",
			"386 answers in 90 days are 30.0 a week, at least the 30 that each of two periods needs to show a change of 50 at 95 % confidence with 80 % power (16, but a verdict needs 30): Weekly",
		},
		"no answers":                            {expected(0, score.CSAT, five, "10"), v1alpha1.CadenceMonthly, 393, "0.0", ""},
		"more than the scale is wide":           {expected(9000, score.Mean, five, "10"), v1alpha1.CadenceMonthly, 0, "700.0", "Mean goes from 1 to 5 and cannot change by 10: Monthly"},
		"no change at all":                      {expected(9000, score.CSAT, five, "0"), v1alpha1.CadenceMonthly, 0, "700.0", "CSAT goes from 0 to 100 and cannot change by 0: Monthly"},
		"what is no number, past the admission": {expected(9000, score.CSAT, five, "ten"), v1alpha1.CadenceMonthly, 0, "700.0", "CSAT goes from 0 to 100 and cannot change by ten: Monthly"},
	} {
		t.Run(name, func(t *testing.T) {
			got := Cadence(c.in)
			if got.Cadence != c.cadence || got.NeededPerPeriod != c.needed || got.ExpectedPerWeek != c.perWeek || got.Program != "visits" || got.Objective != "promise" {
				t.Errorf("%+v", got)
			}
			if c.arithmetic != "" && got.Arithmetic != c.arithmetic {
				t.Errorf("%s\nwant %s", got.Arithmetic, c.arithmetic)
			}
		})
	}
}

// What people fixed is fixed, and a program without an objective has nothing to count.
func TestCadenceWithoutArithmetic(t *testing.T) {
	in := expected(1<<40, score.CSAT, five, "10")
	in.Rule.Cadence = v1alpha1.CadenceBiWeekly
	if got := Cadence(in); got.Cadence != v1alpha1.CadenceBiWeekly || got.Arithmetic != "the policy says BiWeekly" || got.NeededPerPeriod != 0 {
		t.Errorf("%+v", got)
	}
	in.Rule.Cadence, in.Objective = v1alpha1.CadenceAuto, ""
	if got := Cadence(in); got.Cadence != v1alpha1.CadenceMonthly || got.Arithmetic != "the program has no objective of its own whose answers could tell: Monthly" {
		t.Errorf("%+v", got)
	}
}

// Whatever is asked, the same is said twice, within the bounds of the API, and more answers never make reviews rarer.
func FuzzCadence(f *testing.F) {
	f.Add(int64(5000), int64(1), "10", int32(95), int32(30), uint8(0))
	f.Add(int64(0), int64(math.MaxInt64), "0.01", int32(99), int32(100000), uint8(3))
	f.Add(int64(-5), int64(12), "NaN", int32(0), int32(-1), uint8(2))
	metrics := []score.Metric{score.CSAT, score.NPS, score.Mean, score.CESMean, score.CESTopBox, score.CESNet, "unknown"}
	rank := map[v1alpha1.Cadence]int{v1alpha1.CadenceMonthly: 1, v1alpha1.CadenceWeekly: 2}
	f.Fuzz(func(t *testing.T, answers, more int64, change string, percent, minimum int32, metric uint8) {
		in := expected(answers, metrics[int(metric)%len(metrics)], five, change)
		in.Rule.DetectChange = new(intstr.FromString(change[:min(len(change), 8)]))
		in.ConfidencePercent, in.MinimumResponses = percent, minimum
		got := Cadence(in)
		if got != Cadence(in) {
			t.Fatalf("%+v is not what was said before", got)
		}
		if rank[got.Cadence] == 0 || got.NeededPerPeriod < 0 || len(got.Arithmetic) > 512 || len(got.ExpectedPerWeek) > 16 {
			t.Fatalf("%+v", got)
		}
		if more < 0 || answers > math.MaxInt64-more {
			return
		}
		in.Answers += more
		if busier := Cadence(in); rank[busier.Cadence] < rank[got.Cadence] {
			t.Fatalf("%d answers are reviewed %s, %d more %s", answers, got.Cadence, more, busier.Cadence)
		}
	})
}
