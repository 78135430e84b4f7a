package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Period is what a review looks at: whole days in the program's time zone.
type Period struct {
	// from is the first day, 2026-11-16.
	// +required
	// +kubebuilder:validation:Format=date
	// +kubebuilder:validation:MaxLength=10
	From string `json:"from"`
	// to is the last day, 2026-11-22.
	// +required
	// +kubebuilder:validation:Format=date
	// +kubebuilder:validation:MaxLength=10
	To string `json:"to"`
}

// Decision is what a review decided.
type Decision struct {
	// name of the decision, unique within the review: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
	// text of the decision.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Text string `json:"text"`
	// planRef names the ActionPlan that carries the decision out.
	// +optional
	PlanRef *PlanRef `json:"planRef,omitempty"`
}

// ReviewSpec belongs to people, even where the operator opened the review. Only programRef and period are fixed.
// +kubebuilder:validation:XValidation:rule="self.programRef.name == oldSelf.programRef.name",message="programRef is fixed",fieldPath=".programRef"
// +kubebuilder:validation:XValidation:rule="self.period == oldSelf.period",message="period is fixed",fieldPath=".period"
type ReviewSpec struct {
	// programRef names the program that is reviewed.
	// +required
	ProgramRef NameRef `json:"programRef"`
	// period that is reviewed.
	// +required
	Period Period `json:"period"`
	// insight: what the figures and comments of the period say.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4000
	Insight string `json:"insight,omitempty"`
	// pointOfView: what the group thinks of it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4000
	PointOfView string `json:"pointOfView,omitempty"`
	// question that the group asks the rest of the organisation.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4000
	Question string `json:"question,omitempty"`
	// attendees are the teams that took part.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Attendees []NameRef `json:"attendees,omitempty"`
	// decisions that were taken.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Decisions []Decision `json:"decisions,omitempty"`
	// heldTime is when the group met (RFC 3339). Without it the review is missed after its due time.
	// +optional
	HeldTime *metav1.Time `json:"heldTime,omitempty"`
}

// ReviewedObjective holds the figures of one objective in the period, and its change against the period before.
type ReviewedObjective struct {
	// touchpoint of the objective, empty for the program's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Touchpoint string `json:"touchpoint,omitempty"`
	// objective by name.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective"`
	// metric of the objective.
	// +required
	Metric Metric `json:"metric"`
	// target of the objective.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Target string `json:"target,omitempty"`
	// state of the objective, over its own window, when the figures were frozen.
	// +optional
	State ObjectiveState `json:"state,omitempty"`
	// score of the period's answers; absent below the privacy floor, as all that follows.
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
	// responses of the period.
	// +required
	Responses int64 `json:"responses"`
	// previousResponses of the period before.
	// +optional
	// +kubebuilder:validation:Minimum=0
	PreviousResponses int64 `json:"previousResponses,omitempty"`
	// change against the period before.
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
	// significant says whether the interval of the change leaves out zero.
	// +optional
	Significant bool `json:"significant,omitempty"`
}

// Theme is what several comments have in common.
type Theme struct {
	// words of the theme.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	Words string `json:"words"`
	// question that was answered.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Question string `json:"question"`
	// comments that have it: at least 10.
	// +required
	Comments int64 `json:"comments"`
	// previousComments that had it in the period before; absent below 10.
	// +optional
	PreviousComments *int64 `json:"previousComments,omitempty"`
}

// ReviewedPlan is a plan as it stood when the figures were frozen.
type ReviewedPlan struct {
	// name of the ActionPlan.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// touchpoint of the plan, empty for the program's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Touchpoint string `json:"touchpoint,omitempty"`
	// objective of the plan.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective,omitempty"`
	// state of the plan.
	// +optional
	State WorkState `json:"state,omitempty"`
	// dueDate of the plan.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=10
	DueDate string `json:"dueDate,omitempty"`
	// effect of the plan so far.
	// +optional
	Effect EffectVerdict `json:"effect,omitempty"`
	// change of the score that the effect is judged by.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	Change string `json:"change,omitempty"`
}

// ReviewedBreach is a breach that was open when the figures were frozen.
type ReviewedBreach struct {
	// kind of the object: SurveyProgram, Touchpoint, ActionPlan, Review.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Kind string `json:"kind"`
	// name of the object.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// type of the breach.
	// +required
	Type BreachType `json:"type"`
	// objective that the breach is about.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective,omitempty"`
	// item within the object.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Item string `json:"item,omitempty"`
	// since when it is open.
	// +required
	Since metav1.Time `json:"since"`
}

// SponsorAttendance says at how many of the last reviews the sponsor's team took part.
type SponsorAttendance struct {
	// team of the sponsor.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Team string `json:"team,omitempty"`
	// attended of the reviews before this one, at most the last 12.
	// +required
	Attended int32 `json:"attended"`
	// reviews before this one, at most the last 12.
	// +required
	Reviews int32 `json:"reviews"`
}

// ReviewFigures are the period's figures. Once written they never change.
type ReviewFigures struct {
	// frozenTime is when they were written.
	// +required
	FrozenTime metav1.Time `json:"frozenTime"`
	// use that may be made of them.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Use string `json:"use"`
	// previous is the period that changes are against, as long as this one and right before it.
	// +required
	Previous Period `json:"previous"`
	// objectives of the program and its touchpoints, the first 200 by touchpoint and name.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Objectives []ReviewedObjective `json:"objectives,omitempty"`
	// themes that recur in comments, the most frequent first.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=20
	Themes []Theme `json:"themes,omitempty"`
	// themesUnavailable says why there are no themes, where comments could not be read.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	ThemesUnavailable string `json:"themesUnavailable,omitempty"`
	// breaches that were open, the first 200 by kind and name.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Breaches []ReviewedBreach `json:"breaches,omitempty"`
	// plans that were open, or were completed or judged in the period, the first 200 by name.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=200
	Plans []ReviewedPlan `json:"plans,omitempty"`
	// sponsor attendance.
	// +optional
	Sponsor *SponsorAttendance `json:"sponsor,omitempty"`
}

// ReviewStatus is what the operator found and froze.
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.figures) || (has(self.figures) && self.figures == oldSelf.figures)",message="what a review has frozen never changes",fieldPath=".figures"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.digest) || (has(self.digest) && self.digest == oldSelf.digest)",message="what a review has frozen never changes",fieldPath=".digest"
type ReviewStatus struct {
	// conditions: Ready, Stalled, Reconciling, Frozen, Held, SponsorPresent.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// dueTime is by when the review must be held.
	// +optional
	DueTime *metav1.Time `json:"dueTime,omitempty"`
	// figures of the period.
	// +optional
	Figures *ReviewFigures `json:"figures,omitempty"`
	// digest is the SHA-256 of the figures in canonical JSON: sha256:<hex>.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Digest string `json:"digest,omitempty"`
	// breaches that are open on the review.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Breaches []Breach `json:"breaches,omitempty"`
	// outbox holds what is told to people about the review.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Outbox []Notice `json:"outbox,omitempty"`
}

// Review is one period's review of a program.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx
// +kubebuilder:printcolumn:name="Program",type=string,JSONPath=`.spec.programRef.name`
// +kubebuilder:printcolumn:name="From",type=string,JSONPath=`.spec.period.from`
// +kubebuilder:printcolumn:name="To",type=string,JSONPath=`.spec.period.to`
// +kubebuilder:printcolumn:name="Due",type=date,JSONPath=`.status.dueTime`
// +kubebuilder:printcolumn:name="Held",type=string,JSONPath=`.status.conditions[?(@.type=="Held")].status`
// +kubebuilder:printcolumn:name="Sponsor",type=string,JSONPath=`.status.conditions[?(@.type=="SponsorPresent")].status`
// +kubebuilder:printcolumn:name="Frozen",type=string,JSONPath=`.status.conditions[?(@.type=="Frozen")].status`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type Review struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the review.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec ReviewSpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status ReviewStatus `json:"status,omitempty"`
}

// ReviewList is a list of reviews.
// +kubebuilder:object:root=true
type ReviewList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the reviews.
	Items []Review `json:"items"`
}
