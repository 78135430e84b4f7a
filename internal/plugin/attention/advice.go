package attention

import "github.com/cx-operator/cx-operator/api/v1alpha1"

// Advice is what a type of breach means and what to do about it.
type Advice struct {
	// Meaning in two sentences, and Do as the next step.
	Meaning, Do string
	// Clears says when the breach closes.
	Clears string
}

// Explain returns the advice on a type of breach; false for one that does not exist.
func Explain(t v1alpha1.BreachType) (Advice, bool) {
	a, ok := advice[t]
	return a, ok
}

// Types returns every type of breach, in the order in which people meet them.
func Types() []v1alpha1.BreachType {
	return []v1alpha1.BreachType{
		v1alpha1.BreachOwnerMissing, v1alpha1.BreachSponsorMissing, v1alpha1.BreachUnmeasured, v1alpha1.BreachHandoffUncovered,
		v1alpha1.BreachObjectiveMissed, v1alpha1.BreachConsistentlyLow, v1alpha1.BreachPlanMissing,
		v1alpha1.BreachPlanUnacknowledged, v1alpha1.BreachPlanOverdue, v1alpha1.BreachActionOverdue,
		v1alpha1.BreachFollowUpOverdue, v1alpha1.BreachReviewMissed, v1alpha1.BreachSponsorSilent, v1alpha1.BreachNoActionTaken,
	}
}

var advice = map[v1alpha1.BreachType]Advice{
	v1alpha1.BreachOwnerMissing: {
		"No existing team owns the resource, so nobody is asked to act on what customers say.",
		"Name the team in spec.ownerRef.", "when an existing team is named"},
	v1alpha1.BreachSponsorMissing: {
		"No executive stands for the program. Nobody can decide what crosses the borders of teams.",
		"Name one in spec.executiveSponsor.", "when a sponsor is named"},
	v1alpha1.BreachUnmeasured: {
		"A critical touchpoint serves no question that has an objective. Nobody would know if customers were let down there.",
		"Give it a question and an objective, or say that it is not critical.", "when a served question has an objective"},
	v1alpha1.BreachHandoffUncovered: {
		"The customer is handed over, and one side of the handoff has no owner. That is where customers get lost.",
		"Name the owners of both touchpoints.", "when both touchpoints have an existing owner"},
	v1alpha1.BreachObjectiveMissed: {
		"With enough answers, the whole confidence interval of the score lay below the target. It is no verdict on anybody.",
		"Read what customers wrote, then take over the plan or write one.", "when the objective is OnTrack or Met"},
	v1alpha1.BreachConsistentlyLow: {
		"The objective was missed in several windows in a row that do not overlap. That is no accident, and no bad week.",
		"Find out what the team lacks: training, tools, people, or a decision that it cannot take alone.", "when the objective is OnTrack or Met"},
	v1alpha1.BreachPlanMissing: {
		"A missed objective has no plan.", "Write an ActionPlan for it, with an owner and a due date.", "when there is a plan"},
	v1alpha1.BreachPlanUnacknowledged: {
		"Nobody has taken the plan over within the hours allowed.", "kubectl cx plan ack NAME", "when the plan is acknowledged, complete or cancelled"},
	v1alpha1.BreachPlanOverdue: {
		"The plan is neither complete nor cancelled after its due date.",
		"kubectl cx plan complete NAME, or agree on another date: kubectl cx plan update NAME --due DATE", "when it is complete, cancelled, or due later"},
	v1alpha1.BreachActionOverdue: {
		"An action of the plan is neither complete nor cancelled after its due date.",
		"kubectl cx plan update NAME --action ACTION=Complete", "when the action is complete, cancelled, or due later"},
	v1alpha1.BreachFollowUpOverdue: {
		"Customers who agreed to be contacted wait longer than promised. The clock runs through weekends.",
		"kubectl cx case list --overdue, then contact them and say so: kubectl cx case contact NAME", "when nobody waits past the promise any more"},
	v1alpha1.BreachReviewMissed: {
		"A period's figures were frozen, and no group has looked at them by the due time.",
		"Meet, then kubectl cx review hold NAME", "when spec.heldTime is set"},
	v1alpha1.BreachSponsorSilent: {
		"The sponsor's team has been at no review for as many periods as the policy allows. Silence brings programs to a halt.",
		"Ask the sponsor to take part, and list the team among the attendees.", "when a review is held with the sponsor's team"},
	v1alpha1.BreachNoActionTaken: {
		"The program listens and understands, but for longer than the policy allows no plan has been in progress.",
		"Start one of the plans: kubectl cx plan update NAME --state InProgress", "when a plan is in progress, or nothing is missed"},
}
