package v1alpha1

// Reasons of how a program is run: its purpose, its pillars, and whether it acts. They never touch Ready.
const (
	// ReasonPurposeStated means that a program says what it is for and which strategy it serves.
	ReasonPurposeStated = "PurposeStated"
	// ReasonNoPurpose means that spec.purpose says nothing.
	ReasonNoPurpose = "NoPurpose"
	// ReasonNoStrategy means that spec.strategy says nothing.
	ReasonNoStrategy = "NoStrategy"

	// ReasonSeveralFunctions means that the owners of touchpoints come from more than one function.
	ReasonSeveralFunctions = "SeveralFunctions"
	// ReasonOneFunction means that one function owns every touchpoint that has an owner.
	ReasonOneFunction = "OneFunction"
	// ReasonFunctionUnknown means that no owner of a touchpoint, and no team above one, states a function other than Other.
	ReasonFunctionUnknown = "FunctionUnknown"
	// ReasonTooFewTouchpoints means that a program has fewer than two touchpoints: there is nothing to share among functions.
	ReasonTooFewTouchpoints = "TooFewTouchpoints"
	// ReasonTouchpointUnowned means that no existing team owns one of the touchpoints.
	ReasonTouchpointUnowned = "TouchpointUnowned"

	// ReasonInPlace means that nothing of a pillar is lacking.
	ReasonInPlace = "InPlace"
	// ReasonCriticalUnmeasured means that a critical touchpoint has no objective on a question that is asked there.
	ReasonCriticalUnmeasured = "CriticalUnmeasured"
	// ReasonNoCommunication means that spec.communication does not say where insights are told.
	ReasonNoCommunication = "NoCommunication"
	// ReasonNoReviews means that no policy asks for reviews, and none was held.
	ReasonNoReviews = "NoReviews"
	// ReasonNoReviewYet means that no review was held yet, and none is missed.
	ReasonNoReviewYet = "NoReviewYet"
	// ReasonNoInsight means that the last review that was held states no insight, point of view or question.
	ReasonNoInsight = "NoInsight"

	// ReasonActing means that a plan is in progress.
	ReasonActing = "Acting"
	// ReasonNothingMissed means that no objective is missed: there is nothing to act on.
	ReasonNothingMissed = "NothingMissed"
	// ReasonWithinTime means that an objective is missed and no plan is in progress, but there is time left.
	ReasonWithinTime = "WithinTime"
	// ReasonNoFindings means that there is no verdict yet.
	ReasonNoFindings = "NoFindings"

	// ReasonAssigned means that the roles of a touchpoint are given to existing teams.
	ReasonAssigned = "Assigned"
	// ReasonNoResponsible means that no team is responsible at a touchpoint.
	ReasonNoResponsible = "NoResponsible"
	// ReasonNoHandoff means that a touchpoint hands over to no other.
	ReasonNoHandoff = "NoHandoff"
	// ReasonCovered means that existing teams own both sides of a handoff.
	ReasonCovered = "Covered"
)
