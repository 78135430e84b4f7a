package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// EffectVerdict says whether a plan worked.
// +kubebuilder:validation:Enum=TooEarly;Improved;NoEvidenceOfChange;Worsened
type EffectVerdict string

// The verdicts on a plan.
const (
	// EffectTooEarly means that the outcome window is not over, or holds too few answers.
	EffectTooEarly EffectVerdict = "TooEarly"
	// EffectImproved means that the interval of the change lies above zero.
	EffectImproved EffectVerdict = "Improved"
	// EffectNoEvidence means that the interval of the change reaches zero.
	EffectNoEvidence EffectVerdict = "NoEvidenceOfChange"
	// EffectWorsened means that the interval of the change lies below zero.
	EffectWorsened EffectVerdict = "Worsened"
)

// EffectRule says how the effect of a plan is measured.
type EffectRule struct {
	// washoutDays after completion whose answers are left out, since people still speak of the time before, 0 to 180.
	// +optional
	// +default=7
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=180
	WashoutDays *int32 `json:"washoutDays,omitempty"`
	// windowDays of the baseline and of the outcome, 7 to 400; the default is the objective's.
	// +optional
	// +kubebuilder:validation:Minimum=7
	// +kubebuilder:validation:Maximum=400
	WindowDays *int32 `json:"windowDays,omitempty"`
}

// Money is an amount in a currency.
type Money struct {
	// amount as a decimal: "12500.00".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=20
	// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]{0,14})(\.[0-9]{1,2})?$`
	Amount string `json:"amount"`
	// currency: ISO 4217, EUR.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=3
	// +kubebuilder:validation:Pattern=`^[A-Z]{3}$`
	Currency string `json:"currency"`
}

// Business says what a plan costs and what a change is worth, as declared by people. A return is arithmetic on these.
// +kubebuilder:validation:XValidation:rule="!has(self.cost) || !has(self.valuePerPoint) || self.cost.currency == self.valuePerPoint.currency",message="cost and valuePerPoint must have one currency",fieldPath=".valuePerPoint"
type Business struct {
	// cost of the plan as a whole.
	// +optional
	Cost *Money `json:"cost,omitempty"`
	// valuePerPoint is what one unit of the metric more is worth over the time that the plan is judged by.
	// +optional
	ValuePerPoint *Money `json:"valuePerPoint,omitempty"`
	// effortDays of work that the plan takes, 0 to 100000.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100000
	EffortDays int32 `json:"effortDays,omitempty"`
	// goal of the owner that the plan serves: revenue, cost, culture, in the owner's words.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=500
	Goal string `json:"goal,omitempty"`
}

// EffectWindow holds the figures of one window, once its answers were counted.
type EffectWindow struct {
	// from the beginning of this hour (UTC).
	// +required
	From metav1.Time `json:"from"`
	// to the beginning of this hour (UTC), which is left out.
	// +required
	To metav1.Time `json:"to"`
	// responses in the window.
	// +required
	Responses int64 `json:"responses"`
	// score in the metric's unit; absent below the privacy floor.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Score string `json:"score,omitempty"`
	// lower end of the confidence interval.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Lower string `json:"lower,omitempty"`
	// upper end of the confidence interval.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Upper string `json:"upper,omitempty"`
	// counts are the answers that the test needs of a window that is frozen, by class of answer; absent below the privacy floor.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	Counts map[string]int64 `json:"counts,omitempty"`
	// definition is a digest of what was measured. With another one the windows cannot be compared.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	Definition string `json:"definition,omitempty"`
}

// Return is what a plan brought, as arithmetic on what was declared.
type Return struct {
	// value of the change: change times valuePerPoint.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Value string `json:"value"`
	// valueLower is the value at the lower end of the change's interval.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	ValueLower string `json:"valueLower"`
	// valueUpper is the value at the upper end of the change's interval.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	ValueUpper string `json:"valueUpper"`
	// percent is 100 (value - cost) / cost; absent without a cost.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	Percent string `json:"percent,omitempty"`
	// percentLower is that at the lower end.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	PercentLower string `json:"percentLower,omitempty"`
	// percentUpper is that at the upper end.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	PercentUpper string `json:"percentUpper,omitempty"`
	// currency of the values.
	// +required
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=3
	Currency string `json:"currency"`
}

// Effect says whether a plan worked.
type Effect struct {
	// verdict: TooEarly, Improved, NoEvidenceOfChange or Worsened.
	// +required
	Verdict EffectVerdict `json:"verdict"`
	// baseline window, frozen when the plan started.
	// +optional
	Baseline *EffectWindow `json:"baseline,omitempty"`
	// outcome window, after completion and washout.
	// +optional
	Outcome *EffectWindow `json:"outcome,omitempty"`
	// change from baseline to outcome, in the metric's unit; absent below the privacy floor, as all that follows.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Change string `json:"change,omitempty"`
	// changeLower is the lower end of the change's confidence interval.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	ChangeLower string `json:"changeLower,omitempty"`
	// changeUpper is the upper end of the change's confidence interval.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	ChangeUpper string `json:"changeUpper,omitempty"`
	// pValue of the test, two-sided.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	PValue string `json:"pValue,omitempty"`
	// responsesNeeded is how many more answers the outcome needs to show the change that is expected (or seen) at the
	// program's confidence and a power of 80 percent; 0 where none.
	// +optional
	// +kubebuilder:validation:Minimum=0
	ResponsesNeeded int64 `json:"responsesNeeded,omitempty"`
	// explanation in a sentence.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Explanation string `json:"explanation,omitempty"`
	// judgedTime is when the verdict became final; absent while TooEarly.
	// +optional
	JudgedTime *metav1.Time `json:"judgedTime,omitempty"`
	// return of the plan, where cost or value were declared.
	// +optional
	Return *Return `json:"return,omitempty"`
}

// Revision records one change of a plan by people.
type Revision struct {
	// generation of the spec that came out.
	// +required
	Generation int64 `json:"generation"`
	// time at which the operator saw it.
	// +required
	Time metav1.Time `json:"time"`
	// changes as "dueDate: 2026-12-01 -> 2026-12-31"; of texts only the name of the field.
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=200
	Changes []string `json:"changes"`
}
