package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Sponsor is the executive who stands for a program.
type Sponsor struct {
	// displayName of the person or role: "Chief Customer Officer".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	DisplayName string `json:"displayName"`
	// teamRef names the sponsor's team.
	// +optional
	TeamRef *NameRef `json:"teamRef,omitempty"`
}

// AccessMode says who may answer.
// +kubebuilder:validation:Enum=Open;Signed
type AccessMode string

// The access modes.
const (
	// AccessOpen lets everybody with the address answer.
	AccessOpen AccessMode = "Open"
	// AccessSigned takes answers only through signed links.
	AccessSigned AccessMode = "Signed"
)

// Access says who may answer, who is invited how often, and how robots are told from people.
type Access struct {
	// mode: Open, or Signed for answers through signed links only. Signed links and invitations work in both.
	// +optional
	// +default="Open"
	Mode AccessMode `json:"mode,omitempty"`
	// invitations says how long links are good for and how often one person is invited.
	// +optional
	// +default={}
	Invitations Invitations `json:"invitations,omitempty"`
	// robots says which checks an answer must pass to be counted.
	// +optional
	// +default={}
	Robots Robots `json:"robots,omitempty"`
}

// Invitations says how long links are good for and how often one person is invited.
type Invitations struct {
	// validDays is how long a link is good for, in days, 1 to 365, unless the call that makes it says less.
	// +optional
	// +default=30
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=365
	ValidDays int32 `json:"validDays,omitempty"`
	// cooldown says how long somebody is left alone after an invitation or an answer.
	// +optional
	// +default={}
	Cooldown Cooldowns `json:"cooldown,omitempty"`
}

// Cooldowns are the rules against tiring people with surveys, by what they look back on.
type Cooldowns struct {
	// program looks back on invitations to this program.
	// +optional
	// +default={}
	Program Cooldown `json:"program,omitempty"`
	// namespace looks back on invitations to any program of the namespace that keeps its answers in the same store.
	// +optional
	// +default={}
	Namespace Cooldown `json:"namespace,omitempty"`
}

// Cooldown is how long somebody is left alone.
type Cooldown struct {
	// afterInvitationDays since the last invitation, in days, 0 to 365. 0 is no rule.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=365
	AfterInvitationDays int32 `json:"afterInvitationDays,omitempty"`
	// afterAnswerDays since the last answer to an invitation, in days, 0 to 365. 0 is no rule.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=365
	AfterAnswerDays int32 `json:"afterAnswerDays,omitempty"`
}

// Robots says which checks an answer must pass to be counted. One that fails is kept apart, out of every score, until
// somebody brings it back or annuls it. A field that people do not see is always checked on pages.
type Robots struct {
	// minimumSeconds that a person needs at least for the page, 0 to 600; faster answers are kept apart. 0 is no check.
	// +optional
	// +default=2
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=600
	MinimumSeconds *int32 `json:"minimumSeconds,omitempty"`
	// proofOfWorkBits that every answer must show, 0 or 8 to 22; each bit doubles the work. 0 asks for none. It needs
	// JavaScript on pages: answers without it are kept apart.
	// +optional
	// +default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=22
	// +kubebuilder:validation:XValidation:rule="self == 0 || self >= 8",message="proofOfWorkBits must be 0 or 8 to 22: fewer bits are no work"
	ProofOfWorkBits int32 `json:"proofOfWorkBits,omitempty"`
}

// JudgingMode says when a missed objective may open a breach.
// +kubebuilder:validation:Enum=Daily;Continuous
type JudgingMode string

// The judging modes.
const (
	// JudgingDaily opens a breach only at the end of the program's day or of an import.
	JudgingDaily JudgingMode = "Daily"
	// JudgingContinuous opens a breach as soon as the published verdict is Missed. It raises more false alarms.
	JudgingContinuous JudgingMode = "Continuous"
)

// Evidence says how much is needed for a verdict.
type Evidence struct {
	// minimumResponses is how many answers in the window a verdict needs, 5 to 100000; at least privacy.minimumCell.
	// +optional
	// +default=30
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=100000
	MinimumResponses int32 `json:"minimumResponses,omitempty"`
	// confidencePercent of the two-sided intervals, 80 to 99.
	// +optional
	// +default=95
	// +kubebuilder:validation:Minimum=80
	// +kubebuilder:validation:Maximum=99
	ConfidencePercent int32 `json:"confidencePercent,omitempty"`
	// judging: Daily opens breaches at the end of the program's day or of an import; Continuous at once.
	// +optional
	// +default="Daily"
	Judging JudgingMode `json:"judging,omitempty"`
}

// ReleaseMode says when published figures may move.
// +kubebuilder:validation:Enum=Guarded;Immediate
type ReleaseMode string

// The release modes.
const (
	// ReleaseGuarded moves published figures only after at least minimumCell new answers, at the end of an import, or at
	// the end of the day, since the difference of two readings would reveal one person's answer.
	ReleaseGuarded ReleaseMode = "Guarded"
	// ReleaseImmediate moves figures with every answer; for surveys that are not anonymous.
	ReleaseImmediate ReleaseMode = "Immediate"
)

// Privacy protects those who answer.
type Privacy struct {
	// minimumCell is the number of answers below which no score leaves the process, 5 to 1000. It is fixed.
	// +optional
	// +default=5
	// +kubebuilder:validation:Minimum=5
	// +kubebuilder:validation:Maximum=1000
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="minimumCell cannot be changed: two figures of different floors would reveal single answers"
	MinimumCell int32 `json:"minimumCell,omitempty"`
	// release: Guarded, or Immediate for surveys that are not anonymous.
	// +optional
	// +default="Guarded"
	Release ReleaseMode `json:"release,omitempty"`
	// retentionDays is how long single answers are kept, in days, 1 to 3650. Their counts stay.
	// +optional
	// +default=730
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3650
	RetentionDays int32 `json:"retentionDays,omitempty"`
}

// SurveyProgramSpec is a program: why it exists, who stands for it, what is asked and what is promised.
// +kubebuilder:validation:XValidation:rule="self.evidence.minimumResponses >= self.privacy.minimumCell",message="evidence.minimumResponses must be at least privacy.minimumCell",fieldPath=".evidence"
// +kubebuilder:validation:XValidation:rule="!has(self.objectives) || self.objectives.all(o, self.survey.questions.exists(q, q.name == o.question))",message="every objective's question must be one of survey.questions",fieldPath=".objectives"
// +kubebuilder:validation:XValidation:rule="!has(self.objectives) || self.objectives.all(o, !self.survey.questions.exists(q, q.name == o.question && !((q.type == 'NPS' && o.metric == 'NPS') || (q.type == 'CSAT' && o.metric in ['CSAT', 'Mean']) || (q.type == 'Rating' && o.metric in ['CSAT', 'Mean']) || (q.type == 'CES' && o.metric in ['CESMean', 'CESTopBox', 'CESNet', 'Mean']))))",message="an objective's metric must fit its question's type: NPS on NPS; CSAT, Mean on CSAT and Rating; CESMean, CESTopBox, CESNet, Mean on CES; none on choices and text",fieldPath=".objectives"
type SurveyProgramSpec struct {
	// displayName of the program, as customers and colleagues see it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	DisplayName string `json:"displayName"`
	// purpose of the program: what it is for, in a sentence that a customer could read.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Purpose string `json:"purpose"`
	// strategy that the program serves, in the organisation's words.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2000
	Strategy string `json:"strategy,omitempty"`
	// communication says where insights are told to the organisation: addresses of boards, newsletters, channels.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=2048
	Communication []string `json:"communication,omitempty"`
	// ownerRef names the team that owns the program. Without one the breach OwnerMissing is open.
	// +optional
	OwnerRef *NameRef `json:"ownerRef,omitempty"`
	// executiveSponsor stands for the program. Without one the breach SponsorMissing is open.
	// +optional
	ExecutiveSponsor *Sponsor `json:"executiveSponsor,omitempty"`
	// storeRef names the ResponseStore that keeps the answers. It is fixed, since answers do not move by themselves.
	// +required
	// +kubebuilder:validation:XValidation:rule="self.name == oldSelf.name",message="storeRef cannot be changed: the answers would be left behind"
	StoreRef NameRef `json:"storeRef"`
	// timeZone in which days end and plans are due: an IANA name such as America/Los_Angeles.
	// +optional
	// +default="UTC"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_+/-]*$`
	TimeZone string `json:"timeZone,omitempty"`
	// access says who may answer.
	// +optional
	// +default={}
	Access Access `json:"access,omitempty"`
	// survey is what is asked.
	// +required
	Survey Survey `json:"survey"`
	// endpoint says where and whether answers are taken.
	// +optional
	// +default={}
	Endpoint Endpoint `json:"endpoint,omitempty"`
	// evidence says how much is needed for a verdict, for the program and its touchpoints.
	// +optional
	// +default={}
	Evidence Evidence `json:"evidence,omitempty"`
	// privacy protects those who answer.
	// +optional
	// +default={}
	Privacy Privacy `json:"privacy,omitempty"`
	// objectives of the program as a whole: they count every answer to their question, whatever the touchpoint.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Objectives []Objective `json:"objectives,omitempty"`
	// onMissed says what follows when an objective of the program stands Missed.
	// +optional
	OnMissed *OnMissed `json:"onMissed,omitempty"`
}

// LifecycleStage is how far a program has come. It is derived from what was observed, each time anew.
// +kubebuilder:validation:Enum=Design;Listen;Understand;Transform;Realize
type LifecycleStage string

// The stages of a program.
const (
	// LifecycleDesign has no answers yet.
	LifecycleDesign LifecycleStage = "Design"
	// LifecycleListen has answers, but no verdict yet.
	LifecycleListen LifecycleStage = "Listen"
	// LifecycleUnderstand has verdicts, but no plan in progress.
	LifecycleUnderstand LifecycleStage = "Understand"
	// LifecycleTransform has a plan in progress or completed.
	LifecycleTransform LifecycleStage = "Transform"
	// LifecycleRealize has a plan that improved its objective.
	LifecycleRealize LifecycleStage = "Realize"
)

// SurveyProgramStatus is what the operator found and judged.
type SurveyProgramStatus struct {
	// conditions: Ready, Stalled, Reconciling, SurveyCompiled, OwnerAssigned, SponsorAssigned, Measured, ObjectivesMet,
	// Accountable, FollowedUp, Governed, PurposeStated, CrossFunctional, Measurement, Integration, Accountability, Awareness,
	// ActsOnFindings; of Dedicated programs also EndpointReady and, where the spec asks for it, Exposed and Monitored.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// observedGeneration is the generation of the spec that this status speaks of; -1 before the first time.
	// +optional
	// +default=-1
	// +kubebuilder:validation:Minimum=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// url of the program's page.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url,omitempty"`
	// objectives are the last published verdicts.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Objectives []ObjectiveStatus `json:"objectives,omitempty"`
	// breaches that are open on the program itself.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	Breaches []Breach `json:"breaches,omitempty"`
	// judged records how far the objectives were judged.
	// +optional
	Judged *Judging `json:"judged,omitempty"`
	// participation is how many people began, finished and were invited, for the program as a whole, whatever the touchpoint; absent where
	// nothing may be shown.
	// +optional
	Participation *Participation `json:"participation,omitempty"`
	// endpoint is what serves the program now; absent while nothing does.
	// +optional
	Endpoint *EndpointStatus `json:"endpoint,omitempty"`
	// policyRef names the AccountabilityPolicy that governs the program.
	// +optional
	PolicyRef *NameRef `json:"policyRef,omitempty"`
	// stage of the program: Design, Listen, Understand, Transform or Realize.
	// +optional
	Stage LifecycleStage `json:"stage,omitempty"`
	// cases of the program's own page; those of touchpoints are in their status.
	// +optional
	Cases *CaseFigures `json:"cases,omitempty"`
	// sponsorAttendance over the last reviews.
	// +optional
	SponsorAttendance *SponsorAttendance `json:"sponsorAttendance,omitempty"`
	// outbox holds what is told to people about the resource: what waits, what died, and what was delivered lately.
	// +optional
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MaxItems=100
	Outbox []Notice `json:"outbox,omitempty"`
}

// SurveyProgram is a program of customer experience: the questions, the endpoint, the rules, and program-wide objectives.
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories=cx
// +kubebuilder:printcolumn:name="Program",type=string,JSONPath=`.spec.displayName`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.spec.ownerRef.name`
// +kubebuilder:printcolumn:name="Objectives Met",type=string,JSONPath=`.status.conditions[?(@.type=="ObjectivesMet")].status`
// +kubebuilder:printcolumn:name="Stage",type=string,JSONPath=`.status.stage`
// +kubebuilder:printcolumn:name="Accountable",type=string,JSONPath=`.status.conditions[?(@.type=="Accountable")].status`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Completion",type=string,JSONPath=`.status.participation.completion.percent`,priority=1
// +kubebuilder:printcolumn:name="Response Rate",type=string,JSONPath=`.status.participation.responseRate.percent`,priority=1
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`,priority=1
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 52",message="metadata.name must be at most 52 lower-case letters, digits and '-' (children are named after it)"
type SurveyProgram struct {
	metav1.TypeMeta `json:",inline"`
	// metadata of the program.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`
	// spec is written by people.
	// +required
	Spec SurveyProgramSpec `json:"spec"`
	// status is written by the operator.
	// +optional
	// +default={"observedGeneration": -1}
	Status SurveyProgramStatus `json:"status,omitempty"`
}

// SurveyProgramList is a list of programs.
// +kubebuilder:object:root=true
type SurveyProgramList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	// items are the programs.
	Items []SurveyProgram `json:"items"`
}
