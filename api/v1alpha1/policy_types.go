package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// PolicyUse says what scores may be used for.
// +kubebuilder:validation:Enum=CoachingOnly
type PolicyUse string

// UseCoachingOnly is the only use of scores: to coach and to improve, never to judge, pay or dismiss anybody.
const UseCoachingOnly PolicyUse = "CoachingOnly"

// CoachingText goes with every export, alert and digest.
const CoachingText = "Scores say something about the experience, not about anyone's performance. They are for coaching and improvement only, never for pay, appraisal or dismissal."

// PolicyEvidence says how much is needed before anybody is held to a score.
type PolicyEvidence struct {
	// minimumResponses is how many answers in the window a verdict needs at least, 5 to 100000. A program may ask for more.
	// +optional
	// +default=30
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=100000
	MinimumResponses int32 `json:"minimumResponses,omitempty"`
	// confidencePercent of the two-sided intervals at least, 80 to 99. A program may ask for more.
	// +optional
	// +default=95
	// +kubebuilder:validation:Minimum=80
	// +kubebuilder:validation:Maximum=99
	ConfidencePercent int32 `json:"confidencePercent,omitempty"`
	// consecutiveWindows is how many disjoint windows in a row an objective must be Missed before it is consistently low,
	// 2 to 12.
	// +optional
	// +default=3
	// +kubebuilder:validation:Minimum=2
	// +kubebuilder:validation:Maximum=12
	ConsecutiveWindows int32 `json:"consecutiveWindows,omitempty"`
	// confirmDays is for how many days in a row an objective must stand Missed before the breach opens, 0 to 90. A rolling window
	// that is judged every day finds a bad look sooner or later, also where the promise is kept; a run of them it seldom
	// does. The default keeps false accusations below 2 percent a year where the truth is 5 points above the target, and below
	// 5 percent where it is 2 above (make simulate).
	// +optional
	// +default=21
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=90
	ConfirmDays *int32 `json:"confirmDays,omitempty"`
}

// PolicyDeadlines say by when people act. What a resource states inline may only be stricter.
type PolicyDeadlines struct {
	// acknowledgeWithinHours is how long a plan may stay unacknowledged, in hours, 1 to 720.
	// +optional
	// +default=48
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=720
	AcknowledgeWithinHours int32 `json:"acknowledgeWithinHours,omitempty"`
	// missingAfterHours is how long a missed objective may be without a plan, in hours, 0 to 720.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=720
	MissingAfterHours int32 `json:"missingAfterHours,omitempty"`
	// planDueWithinDays is the due date of a plan that the operator opens, in calendar days, 1 to 366.
	// +optional
	// +default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=366
	PlanDueWithinDays int32 `json:"planDueWithinDays,omitempty"`
	// actionDueWithinDays is when an action without a dueDate is due, in calendar days from the opening of its plan, 1 to
	// 366. The default is the due date of the plan.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=366
	ActionDueWithinDays *int32 `json:"actionDueWithinDays,omitempty"`
	// actWithinDays is how long a program may listen and understand, with an objective missed, before a plan is in
	// progress, in days, 1 to 366. After that the breach NoActionTaken is open.
	// +optional
	// +default=60
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=366
	ActWithinDays int32 `json:"actWithinDays,omitempty"`
}

// CaseReason says why a case was opened.
// +kubebuilder:validation:Enum=Detractor;LowScore;ContactRequested
type CaseReason string

// The reasons of cases.
const (
	// CaseDetractor is an NPS answer at or below npsAtMost.
	CaseDetractor CaseReason = "Detractor"
	// CaseLowScore is a CSAT, CES or Rating answer that is low.
	CaseLowScore CaseReason = "LowScore"
	// CaseContactRequested is that the respondent asked to be contacted.
	CaseContactRequested CaseReason = "ContactRequested"
)

// FollowUp is the promise to respondents who left a way to be contacted and agreed to it.
type FollowUp struct {
	// openOn says which answers open a case: Detractor, LowScore, ContactRequested. The default is all three.
	// +optional
	// +default=["Detractor","LowScore","ContactRequested"]
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=3
	OpenOn []CaseReason `json:"openOn,omitempty"`
	// npsAtMost is the highest NPS answer that is a detractor's, 0 to 8.
	// +optional
	// +default=6
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=8
	NPSAtMost *int32 `json:"npsAtMost,omitempty"`
	// lowPercent is how far up a CSAT, CES or Rating scale an answer is low, in percent of the scale, 0 to 50: 25 is 1 and 2
	// of 1 to 5, and 1 and 2 of 1 to 7.
	// +optional
	// +default=25
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	LowPercent *int32 `json:"lowPercent,omitempty"`
	// contactWithinHours is the promise: the customer is contacted within so many hours, 1 to 720, to the end of that hour.
	// The clock runs through weekends.
	// +optional
	// +default=48
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=720
	ContactWithinHours int32 `json:"contactWithinHours,omitempty"`
	// sharePercent is the share of promises to keep, 50 to 100, over the last 90 days.
	// +optional
	// +default=90
	// +kubebuilder:validation:Minimum=50
	// +kubebuilder:validation:Maximum=100
	SharePercent int32 `json:"sharePercent,omitempty"`
	// contactRetentionDays is how long contact data is kept after a case was closed, in days, 1 to 730. Contact data of cases
	// that nobody closes is erased with the answer.
	// +optional
	// +default=90
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=730
	ContactRetentionDays int32 `json:"contactRetentionDays,omitempty"`
}

// Cadence is how often a group reviews its figures.
// +kubebuilder:validation:Enum=Weekly;BiWeekly;Monthly;Auto
type Cadence string

// The cadences.
const (
	// CadenceWeekly is from Monday to Sunday.
	CadenceWeekly Cadence = "Weekly"
	// CadenceBiWeekly is two weeks, which begin with an odd ISO week.
	CadenceBiWeekly Cadence = "BiWeekly"
	// CadenceMonthly is a calendar month.
	CadenceMonthly Cadence = "Monthly"
	// CadenceAuto is weekly where a week's expected answers can detect the stated change, else monthly.
	CadenceAuto Cadence = "Auto"
)

// ReviewRule says how often figures are reviewed, and by when.
type ReviewRule struct {
	// cadence: Weekly, BiWeekly, Monthly or Auto.
	// +optional
	// +default="Auto"
	Cadence Cadence `json:"cadence,omitempty"`
	// detectChange is the change of the first objective, in the metric's unit, that a period must be able to show for
	// cadence Auto: 10, or "2.5" for decimals.
	// +optional
	// +default=10
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?$`
	DetectChange *intstr.IntOrString `json:"detectChange,omitempty"`
	// heldWithinDays is by when a review is held, in days after the end of its period, 1 to 31.
	// +optional
	// +default=7
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=31
	HeldWithinDays int32 `json:"heldWithinDays,omitempty"`
	// sponsorSilentAfterPeriods is for how many periods in a row the sponsor's team may be absent, or no review held,
	// before the breach SponsorSilent is open, 1 to 12.
	// +optional
	// +default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=12
	SponsorSilentAfterPeriods int32 `json:"sponsorSilentAfterPeriods,omitempty"`
}

// EscalationTarget is to whom a breach is told next.
// +kubebuilder:validation:Enum=Lead;ParentTeam;Sponsor
type EscalationTarget string

// The targets of an escalation.
const (
	// EscalateLead is the lead of the team that owns the resource.
	EscalateLead EscalationTarget = "Lead"
	// EscalateParentTeam is the team that the owner belongs to.
	EscalateParentTeam EscalationTarget = "ParentTeam"
	// EscalateSponsor is the team of the program's sponsor.
	EscalateSponsor EscalationTarget = "Sponsor"
)

// EscalationStep is one step of an escalation.
type EscalationStep struct {
	// afterHours that a breach is open, 1 to 8784.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=8784
	AfterHours int32 `json:"afterHours"`
	// to: Lead, ParentTeam or Sponsor.
	// +required
	To EscalationTarget `json:"to"`
}

// Recognition says whether good findings are told as well.
type Recognition struct {
	// mode: Notify tells the owner's team when an objective becomes Met and stays so for afterDays; None keeps silent.
	// +optional
	// +default="Notify"
	// +kubebuilder:validation:Enum=Notify;None
	Mode string `json:"mode,omitempty"`
	// afterDays that an objective must be Met without a break before it is told, 0 to 366. A verdict at the edge of its target
	// comes and goes: days keep it from being told each time.
	// +optional
	// +default=7
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=366
	AfterDays *int32 `json:"afterDays,omitempty"`
}

// AccountabilityPolicySpec is the protocol by which programs and touchpoints are run.
// +kubebuilder:validation:XValidation:rule="!has(self.escalation) || self.escalation.size() < 2 || self.escalation.all(s, self.escalation.exists_one(t, t.afterHours == s.afterHours))",message="each step of escalation has its own afterHours",fieldPath=".escalation"
type AccountabilityPolicySpec struct {
	// selector picks SurveyPrograms and Touchpoints of the namespace by their labels; empty picks all. A touchpoint that no
	// policy picks is under its program's.
	// +optional
	// +default={}
	Selector metav1.LabelSelector `json:"selector,omitempty"`
	// priority decides where several policies pick one object: the highest wins, -1000 to 1000; of equals the oldest, and
	// the overlap is a condition of both and of the object.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=-1000
	// +kubebuilder:validation:Maximum=1000
	Priority int32 `json:"priority,omitempty"`
	// use of scores: CoachingOnly.
	// +optional
	// +default="CoachingOnly"
	Use PolicyUse `json:"use,omitempty"`
	// evidence that is needed.
	// +optional
	// +default={}
	Evidence PolicyEvidence `json:"evidence,omitempty"`
	// deadlines of plans and actions.
	// +optional
	// +default={}
	Deadlines PolicyDeadlines `json:"deadlines,omitempty"`
	// followUp is the promise to customers; without it no answer opens a case.
	// +optional
	FollowUp *FollowUp `json:"followUp,omitempty"`
	// review says how often figures are reviewed; without it the operator opens no Review.
	// +optional
	Review *ReviewRule `json:"review,omitempty"`
	// escalation of breaches that stay open, in any order.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=10
	Escalation []EscalationStep `json:"escalation,omitempty"`
	// recognition of what is Met.
	// +optional
	// +default={}
	Recognition Recognition `json:"recognition,omitempty"`
}

// CadenceChoice is how cadence Auto was decided for a program, with its arithmetic.
type CadenceChoice struct {
	// program that is reviewed.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Program string `json:"program"`
	// cadence that follows: Weekly, BiWeekly or Monthly.
	// +required
	Cadence Cadence `json:"cadence"`
	// objective whose answers decide, empty where the program has none.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective,omitempty"`
	// expectedPerWeek is how many answers a week is expected to bring: those of the last 90 days divided by 90/7.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=16
	ExpectedPerWeek string `json:"expectedPerWeek,omitempty"`
	// neededPerPeriod is how many answers each of two periods needs to show the change, at the policy's confidence and with
	// a power of 80 percent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	NeededPerPeriod int64 `json:"neededPerPeriod,omitempty"`
	// arithmetic in a sentence.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	Arithmetic string `json:"arithmetic,omitempty"`
}

// AccountabilityPolicyStatus is what the operator found.
type AccountabilityPolicyStatus struct {
	// conditions: Ready, Stalled, Reconciling, Exclusive.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// programs that the policy governs.
	// +optional
	Programs int32 `json:"programs,omitempty"`
	// touchpoints that the policy governs.
	// +optional
	Touchpoints int32 `json:"touchpoints,omitempty"`
	// cadences of the programs that the policy governs, the first 100 by name.
	// +optional
	// +listType=map
	// +listMapKey=program
	// +kubebuilder:validation:MaxItems=100
	Cadences []CadenceChoice `json:"cadences,omitempty"`
}

// AccountabilityPolicy is the protocol: evidence, deadlines, the promise to customers, reviews, escalation and recognition.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx,path=accountabilitypolicies
// +kubebuilder:printcolumn:name="Use",type=string,JSONPath=`.spec.use`
// +kubebuilder:printcolumn:name="Priority",type=integer,JSONPath=`.spec.priority`
// +kubebuilder:printcolumn:name="Programs",type=integer,JSONPath=`.status.programs`
// +kubebuilder:printcolumn:name="Touchpoints",type=integer,JSONPath=`.status.touchpoints`
// +kubebuilder:printcolumn:name="Exclusive",type=string,JSONPath=`.status.conditions[?(@.type=="Exclusive")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Review",type=string,JSONPath=`.spec.review.cadence`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 63",message="metadata.name must be at most 63 lower-case letters, digits and '-'"
type AccountabilityPolicy struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the policy.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec AccountabilityPolicySpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status AccountabilityPolicyStatus `json:"status,omitempty"`
}

// AccountabilityPolicyList is a list of policies.
// +kubebuilder:object:root=true
type AccountabilityPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the policies.
	Items []AccountabilityPolicy `json:"items"`
}
