package v1alpha1

// Reasons of reviews.
const (
	// ReasonReviewOpened is the reason of the event and the message that a review was opened.
	ReasonReviewOpened = "ReviewOpened"
	// ReasonFrozen means that a review holds the figures of its period, and that they are those of its digest.
	ReasonFrozen = "Frozen"
	// ReasonPeriodOpen means that the period of a review is not over.
	ReasonPeriodOpen = "PeriodOpen"
	// ReasonCountsIncomplete means that the counts were not read past the end of the period yet.
	ReasonCountsIncomplete = "CountsIncomplete"
	// ReasonCommentsAwaited means that the comments of the period could not be read yet; figures are frozen without themes if that
	// lasts.
	ReasonCommentsAwaited = "CommentsAwaited"
	// ReasonDigestMismatch means that the figures of a review are not those that were frozen: somebody has changed them.
	ReasonDigestMismatch = "DigestMismatch"
	// ReasonHeld means that a review was held.
	ReasonHeld = "Held"
	// ReasonAwaited means that a review is still to be held, and has time.
	ReasonAwaited = "Awaited"
	// ReasonHeldTooEarly means that heldTime lies before the end of the period, when there were no figures to review.
	ReasonHeldTooEarly = "HeldTooEarly"
	// ReasonSuperseded means that a review was missed, but a later one was held: nobody is asked for it any more.
	ReasonSuperseded = "Superseded"
	// ReasonAttended means that the sponsor's team took part.
	ReasonAttended = "Attended"
	// ReasonAbsent means that the sponsor's team did not take part in a review that was held.
	ReasonAbsent = "Absent"
	// ReasonNotHeld means that a review was not held, so that nobody can have taken part.
	ReasonNotHeld = "NotHeld"
	// ReasonNoSponsorTeam means that the program names no sponsor with an existing team.
	ReasonNoSponsorTeam = "NoSponsorTeam"
	// ReasonPlanNotFound means that a decision names no ActionPlan of the namespace.
	ReasonPlanNotFound = "PlanNotFound"
)
