package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// NameRef names another resource of this group in the same namespace.
type NameRef struct {
	// name of the resource, in the same namespace: lower-case letters, digits and '-'.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Name string `json:"name"`
}

// PlanRef names an ActionPlan in the same namespace.
type PlanRef struct {
	// name of the ActionPlan.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
}

// Person is how a person or role is shown. It is a display name, never an account or an address.
type Person struct {
	// displayName of the person or, better, of the role: "Head of Concessions".
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=120
	DisplayName string `json:"displayName"`
}

// Text is one text in one language.
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1000
type Text string

// LocalizedText holds one text in several languages, keyed by language tag (BCP 47: en, es, pt-BR).
// It must have the survey's default language.
// +kubebuilder:validation:MinProperties=1
// +kubebuilder:validation:MaxProperties=40
type LocalizedText map[string]Text

// BreachType says which promise of accountability is broken.
// +kubebuilder:validation:Enum=ObjectiveMissed;PlanMissing;PlanUnacknowledged;PlanOverdue;ActionOverdue;OwnerMissing;Unmeasured;SponsorMissing;FollowUpOverdue;ReviewMissed;SponsorSilent;HandoffUncovered;ConsistentlyLow;NoActionTaken
type BreachType string

// The types of breaches.
const (
	// BreachObjectiveMissed is open from the judging point at which an objective stood Missed until it is OnTrack or Met again.
	BreachObjectiveMissed BreachType = "ObjectiveMissed"
	// BreachPlanMissing is open while a missed objective has no plan.
	BreachPlanMissing BreachType = "PlanMissing"
	// BreachPlanUnacknowledged is open while nobody has acknowledged a plan after the hours allowed.
	BreachPlanUnacknowledged BreachType = "PlanUnacknowledged"
	// BreachPlanOverdue is open while a plan is neither complete nor cancelled after its due date.
	BreachPlanOverdue BreachType = "PlanOverdue"
	// BreachActionOverdue is open while an action is neither complete nor cancelled after its due date.
	BreachActionOverdue BreachType = "ActionOverdue"
	// BreachOwnerMissing is open while nobody owns a program or touchpoint.
	BreachOwnerMissing BreachType = "OwnerMissing"
	// BreachUnmeasured is open while a critical touchpoint has no served question with an objective.
	BreachUnmeasured BreachType = "Unmeasured"
	// BreachSponsorMissing is open while a program has no executive sponsor.
	BreachSponsorMissing BreachType = "SponsorMissing"
	// BreachFollowUpOverdue is open while customers wait longer than promised to be contacted.
	BreachFollowUpOverdue BreachType = "FollowUpOverdue"
	// BreachReviewMissed is open while a review was not held by its due time.
	BreachReviewMissed BreachType = "ReviewMissed"
	// BreachSponsorSilent is open while the sponsor's team is absent from reviews, or none is held, for the policy's number
	// of periods.
	BreachSponsorSilent BreachType = "SponsorSilent"
	// BreachHandoffUncovered is open while a handoff lacks an owner on one of its sides.
	BreachHandoffUncovered BreachType = "HandoffUncovered"
	// BreachConsistentlyLow is open while an objective is Missed for the policy's number of disjoint windows in a row.
	BreachConsistentlyLow BreachType = "ConsistentlyLow"
	// BreachNoActionTaken is open while a program listens and understands, but acts on nothing.
	BreachNoActionTaken BreachType = "NoActionTaken"
)

// Breach is one open breach of accountability. It is about having an owner and a plan, never about a person's performance.
type Breach struct {
	// type of the breach.
	// +required
	Type BreachType `json:"type"`
	// objective that the breach is about; empty where it is about the whole resource.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Objective string `json:"objective,omitempty"`
	// item within the resource, such as the name of an overdue action; empty where there is none.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Item string `json:"item,omitempty"`
	// since when the breach is open.
	// +required
	Since metav1.Time `json:"since"`
	// planRef names the plan that answers an ObjectiveMissed breach. Once set, the operator opens no other plan for
	// this episode, even if the plan is deleted, unless it was completed and a whole later window is still missed.
	// +optional
	PlanRef *PlanRef `json:"planRef,omitempty"`
	// escalated is how many steps of the policy's escalation were taken.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10
	Escalated int32 `json:"escalated,omitempty"`
}
