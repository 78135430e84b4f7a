package policy

import (
	"fmt"
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat/distuv"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/score"
)

// CadenceDays is how long ago answers may be that say how many a week will bring.
const CadenceDays = 90

// Expected is what the cadence of a program's reviews depends on.
type Expected struct {
	// Program that is reviewed.
	Program string
	// Rule of its policy.
	Rule v1alpha1.ReviewRule
	// ConfidencePercent of its verdicts, 80 to 99.
	ConfidencePercent int32
	// MinimumResponses of its verdicts.
	MinimumResponses int32
	// Objective is the name of the program's first, "" where it has none.
	Objective string
	// Metric of the objective, on the Scale of its question.
	Metric score.Metric
	Scale  score.Scale
	// Answers to its question in the last CadenceDays; below 0 is none, and more than 2^40 are taken for so many.
	Answers int64
}

// mostAnswers is more than anybody gives, and few enough to be written in the status.
const mostAnswers = 1 << 40

// power with which a change is to be found.
const power = 0.80

// Cadence decides how often a program is reviewed, with its arithmetic: as the rule says, or for cadence Auto weekly where
// the answers of a week are as many as each of two periods needs to show the rule's change, else monthly. More answers
// never make reviews rarer.
//
// Each of two periods needs n = 2 v (z(1-a/2) + z(power))^2 / d^2 answers to show a change of d between their means, v
// being the variance of one answer (Lachin, "Introduction to Sample Size Determination and Power Analysis for Clinical
// Trials", Controlled Clinical Trials 2:93, 1981). v is the greatest that the metric can have, not the one observed: the
// verdict would waver with it, and tell of scores that were not released.
func Cadence(e Expected) v1alpha1.CadenceChoice {
	choice := v1alpha1.CadenceChoice{Program: e.Program, Cadence: e.Rule.Cadence, Objective: e.Objective}
	if e.Rule.Cadence != v1alpha1.CadenceAuto && e.Rule.Cadence != "" {
		choice.Arithmetic = fmt.Sprintf("the policy says %s", e.Rule.Cadence)
		return choice
	}
	choice.Cadence = v1alpha1.CadenceMonthly
	if e.Objective == "" {
		choice.Arithmetic = "the program has no objective of its own whose answers could tell: Monthly"
		return choice
	}
	answers := min(max(e.Answers, 0), mostAnswers)
	perWeek := float64(answers) * 7 / CadenceDays
	choice.ExpectedPerWeek = strconv.FormatFloat(perWeek, 'f', 1, 64)
	detect := detectChange(&e.Rule)
	change, err := v1alpha1.ParseDecimal(detect)
	low, high := score.TargetRange(e.Metric, e.Scale)
	if err != nil || !(change > 0 && change <= high-low) {
		choice.Arithmetic = fmt.Sprintf("%s goes from %s to %s and cannot change by %s: Monthly", e.Metric, number(low), number(high), detect.String())
		return choice
	}
	needed := answersNeeded(change, variance(low, high), e.ConfidencePercent)
	choice.NeededPerPeriod = max(needed, int64(e.MinimumResponses))
	comparison := "fewer than"
	if perWeek >= float64(choice.NeededPerPeriod) {
		choice.Cadence, comparison = v1alpha1.CadenceWeekly, "at least"
	}
	choice.Arithmetic = fmt.Sprintf("%d answers in %d days are %s a week, %s the %d that each of two periods needs to show a change of %s at %d %% confidence with %d %% power%s: %s",
		answers, CadenceDays, choice.ExpectedPerWeek, comparison, choice.NeededPerPeriod, detect.String(),
		confidencePercent(e.ConfidencePercent), int(power*100), orVerdict(needed, choice.NeededPerPeriod), choice.Cadence)
	return choice
}

// detectChange of a rule: 10 where it states none, as the API defaults it.
func detectChange(r *v1alpha1.ReviewRule) intstr.IntOrString {
	if r.DetectChange == nil {
		return intstr.FromInt32(10)
	}
	return *r.DetectChange
}

func orVerdict(needed, taken int64) string {
	if taken > needed {
		return fmt.Sprintf(" (%d, but a verdict needs %d)", needed, taken)
	}
	return ""
}

// answersNeeded of each of two periods; one more than an int64 of answers is as good as never.
func answersNeeded(change, variance float64, percent int32) int64 {
	confidence := float64(confidencePercent(percent)) / 100
	z := distuv.UnitNormal.Quantile(1-(1-confidence)/2) + distuv.UnitNormal.Quantile(power)
	return int64(math.Min(math.Ceil(2*variance*z*z/(change*change)), 1<<53))
}

// confidencePercent within the API's bounds.
func confidencePercent(percent int32) int32 { return min(max(percent, 80), 99) }

// variance is the greatest that one answer can have, in the metric's unit squared: half of all answers at either end. An
// answer counts 0 or 100 for a share, and -100 or 100 for a net score.
func variance(low, high float64) float64 { return (high - low) * (high - low) / 4 }

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
