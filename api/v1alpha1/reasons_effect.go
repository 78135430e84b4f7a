package v1alpha1

// ConditionReachable is True when the channels of a team can be used as they are written, False when one cannot.
const ConditionReachable = "Reachable"

// Reasons of the conditions Effective and Unconflicted of a plan, and Reachable of a team.
const (
	// ReasonNotStarted means that a plan was never in progress nor complete, so that there is nothing to compare.
	ReasonNotStarted = "NotStarted"
	// ReasonPlanCancelled means that a plan was cancelled, so that it is not judged.
	ReasonPlanCancelled = "PlanCancelled"
	// ReasonTooEarly means that the outcome window of a plan is not over.
	ReasonTooEarly = "TooEarly"
	// ReasonImproved means that the interval of the change lies above zero.
	ReasonImproved = "Improved"
	// ReasonWorsened means that the interval of the change lies below zero.
	ReasonWorsened = "Worsened"
	// ReasonNoEvidenceOfChange means that the interval of the change reaches zero.
	ReasonNoEvidenceOfChange = "NoEvidenceOfChange"
	// ReasonTooFewResponses means that one of the windows has fewer answers than a comparison needs.
	ReasonTooFewResponses = "TooFewResponses"
	// ReasonDefinitionChanged means that what is measured was changed between the windows.
	ReasonDefinitionChanged = "DefinitionChanged"

	// ReasonNoOtherPlan means that no other plan is for the same objective at the same time.
	ReasonNoOtherPlan = "NoOtherPlan"
	// ReasonPlansOverlap means that another plan is for the same objective at the same time.
	ReasonPlansOverlap = "PlansOverlap"

	// ReasonNoChannels means that a team states no channels.
	ReasonNoChannels = "NoChannels"
	// ReasonChannelsUsable means that the channels of a team can be used as they are written.
	ReasonChannelsUsable = "ChannelsUsable"
)
