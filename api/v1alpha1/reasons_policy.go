package v1alpha1

// ConditionFollowedUp is False while customers wait longer than promised to be contacted, or too few were contacted in time.
const ConditionFollowedUp = "FollowedUp"

// Reasons of the conditions FollowedUp, Governed and Exclusive, and of events about what a policy asks for.
const (
	// ReasonNoPolicy means that no AccountabilityPolicy selects the object, so that the built-in defaults apply.
	ReasonNoPolicy = "NoPolicy"
	// ReasonSelected means that an AccountabilityPolicy selects the object.
	ReasonSelected = "Selected"
	// ReasonInherited means that the AccountabilityPolicy of its program governs a touchpoint.
	ReasonInherited = "Inherited"
	// ReasonPolicyOverlap means that several policies of the same priority select the object; the oldest applies.
	ReasonPolicyOverlap = "PolicyOverlap"
	// ReasonPolicyStricter means that what the object states inline is laxer than its policy, which applies.
	ReasonPolicyStricter = "PolicyStricter"
	// ReasonExclusive means that no other policy of the same priority selects what the policy selects.
	ReasonExclusive = "Exclusive"
	// ReasonOverlap means that another policy of the same priority selects some of what the policy selects.
	ReasonOverlap = "Overlap"
	// ReasonPromisesKept means that no customer waits longer than promised to be contacted.
	ReasonPromisesKept = "PromisesKept"
	// ReasonEscalated is the event of a breach that stayed open and goes one step up.
	ReasonEscalated = "Escalated"
	// ReasonRecognized is the event of an objective that is Met, of which the owner's team is told.
	ReasonRecognized = "Recognized"
)

// The modes of recognition.
const (
	// RecognitionNotify tells the owner's team what is Met.
	RecognitionNotify = "Notify"
	// RecognitionNone keeps silent.
	RecognitionNone = "None"
)
