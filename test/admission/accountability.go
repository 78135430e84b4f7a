package admission

const (
	// NotifiedTeam is a team that is told by every kind of channel.
	NotifiedTeam = `apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: notified}
spec:
  displayName: Notified
  level: Department
  notify:
    channels:
    - name: hook
      webhook: {url: "https://hooks.example.org/cx", signingSecretRef: {name: hooks, key: secret}}
    - name: hidden
      webhook: {urlSecretRef: {name: hooks, key: url}}
    - {name: chat, classes: [Breach], slack: {urlSecretRef: {name: chat, key: url}}}
    - {name: mail, audience: Lead, email: {to: [concessions@example.org]}}
    quietHours: {from: "18:00", to: "08:00", days: [Sunday], timeZone: America/Los_Angeles}
`
	// Policy states everything that a policy can.
	Policy = `apiVersion: cx-operator.io/v1alpha1
kind: AccountabilityPolicy
metadata: {name: house-rules}
spec:
  selector:
    matchLabels: {tier: gold}
    matchExpressions: [{key: region, operator: In, values: [west, east]}]
  priority: 10
  use: CoachingOnly
  evidence: {minimumResponses: 50, confidencePercent: 95, consecutiveWindows: 3, confirmDays: 21}
  deadlines: {acknowledgeWithinHours: 24, missingAfterHours: 8, planDueWithinDays: 14, actionDueWithinDays: 10, actWithinDays: 45}
  followUp: {openOn: [Detractor, ContactRequested], npsAtMost: 6, lowPercent: 25, contactWithinHours: 48, sharePercent: 90, contactRetentionDays: 30}
  review: {cadence: Auto, detectChange: "7.5", heldWithinDays: 7, sponsorSilentAfterPeriods: 3}
  escalation:
  - {afterHours: 72, to: Lead}
  - {afterHours: 168, to: ParentTeam}
  - {afterHours: 336, to: Sponsor}
  recognition: {mode: Notify, afterDays: 30}
`
	// Review was held.
	Review = `apiVersion: cx-operator.io/v1alpha1
kind: Review
metadata: {name: passenger-experience-20261116}
spec:
  programRef: {name: passenger-experience}
  period: {from: "2026-11-16", to: "2026-11-22"}
  insight: The late departures find nothing open.
  attendees: [{name: airport}, {name: concessions}]
  decisions: [{name: late-hours, text: Open two restaurants until the last departure., planRef: {name: better-food}}]
  heldTime: "2026-11-25T09:00:00Z"
`
	// CostedPlan declares what it costs and brings.
	CostedPlan = `apiVersion: cx-operator.io/v1alpha1
kind: ActionPlan
metadata: {name: costed}
spec:
  touchpointRef: {name: food}
  objective: satisfaction
  problem: Too few places are open late.
  dueDate: "2026-12-31"
  business:
    cost: {amount: "12500.00", currency: EUR}
    valuePerPoint: {amount: "900", currency: EUR}
`
)

func policies() []Case {
	return []Case{
		{"policy's name is too long", Policy, "{name: house-rules}", "{name: " + long(64) + "}", []string{name63}},
		{"policy's name with a dot", Policy, "{name: house-rules}", "{name: house.rules}", []string{name63}},
		{"scores for anything but coaching", Policy, "use: CoachingOnly", "use: Appraisal", []string{"spec.use", `"CoachingOnly"`}},
		{"two steps at one time", Policy, "{afterHours: 168, to: ParentTeam}", "{afterHours: 72, to: ParentTeam}",
			[]string{"spec.escalation", "each step of escalation has its own afterHours"}},
		{"a step at once", Policy, "{afterHours: 72, to: Lead}", "{afterHours: 0, to: Lead}", []string{"spec.escalation[0].afterHours", "greater than or equal to 1"}},
		{"a step to nobody known", Policy, "to: Sponsor}", "to: Press}", []string{"spec.escalation[2].to", `"Lead", "ParentTeam", "Sponsor"`}},
		{"too little evidence", Policy, "minimumResponses: 50", "minimumResponses: 4", []string{"spec.evidence.minimumResponses", "greater than or equal to 5"}},
		{"one window in a row", Policy, "consecutiveWindows: 3", "consecutiveWindows: 1", []string{"spec.evidence.consecutiveWindows", "greater than or equal to 2"}},
		{"confidence of a coin", Policy, "confidencePercent: 95", "confidencePercent: 50", []string{"spec.evidence.confidencePercent", "greater than or equal to 80"}},
		{"no time to acknowledge", Policy, "acknowledgeWithinHours: 24", "acknowledgeWithinHours: 0", []string{"spec.deadlines.acknowledgeWithinHours", "greater than or equal to 1"}},
		{"a case for anything", Policy, "openOn: [Detractor, ContactRequested]", "openOn: [Any]", []string{"spec.followUp.openOn[0]", `"ContactRequested"`}},
		{"a case for nothing", Policy, "openOn: [Detractor, ContactRequested]", "openOn: []", []string{"spec.followUp.openOn", "at least 1 items"}},
		{"a promise of no time", Policy, "contactWithinHours: 48", "contactWithinHours: 0", []string{"spec.followUp.contactWithinHours", "greater than or equal to 1"}},
		{"unknown cadence", Policy, "cadence: Auto", "cadence: Daily", []string{"spec.review.cadence", `"Auto"`}},
		{"change that is no number", Policy, `detectChange: "7.5"`, `detectChange: "much"`, []string{"spec.review.detectChange", "should match"}},
		{"priority out of bounds", Policy, "priority: 10", "priority: 1001", []string{"spec.priority", "less than or equal to 1000"}},
	}
}

func reviews() []Case {
	return []Case{
		{"a period that begins on no day", Review, `from: "2026-11-16"`, `from: "2026-11-31"`, []string{"spec.period.from", "date"}},
		{"a decision without a text", Review, "text: Open two restaurants until the last departure., ", "", []string{"spec.decisions[0].text", "Required value"}},
		{"a decision twice", Review, "decisions: [", "decisions: [{name: late-hours, text: Again.}, ", []string{"spec.decisions", "Duplicate value"}},
		{"a review of nothing", Review, "  programRef: {name: passenger-experience}\n", "", []string{"spec.programRef", "Required value"}},
	}
}

func channels() []Case {
	const (
		address = "exactly one of url and urlSecretRef must be set"
		kind    = "exactly one of webhook, slack and email must be set"
		first   = "spec.notify.channels[0]"
	)
	return []Case{
		{"webhook without an address", NotifiedTeam, `url: "https://hooks.example.org/cx", `, "", []string{first + ".webhook", address}},
		{"webhook with two addresses", NotifiedTeam, `url: "https://hooks.example.org/cx"`, `url: "https://hooks.example.org/cx", urlSecretRef: {name: hooks, key: url}`,
			[]string{first + ".webhook", address}},
		{"channel of no kind", NotifiedTeam, `      webhook: {url: "https://hooks.example.org/cx", signingSecretRef: {name: hooks, key: secret}}` + "\n", "", []string{first, kind}},
		{"channel of two kinds", NotifiedTeam, "email: {to: [concessions@example.org]}", "email: {to: [concessions@example.org]}, slack: {urlSecretRef: {name: chat, key: url}}",
			[]string{"spec.notify.channels[3]", kind}},
		{"quiet at no time", NotifiedTeam, `from: "18:00"`, `from: "24:00"`, []string{"spec.notify.quietHours.from", "should match"}},
		{"mail to nobody", NotifiedTeam, "to: [concessions@example.org]", "to: [concessions]", []string{"spec.notify.channels[3].email.to[0]", "should match"}},
	}
}

func costs() []Case {
	return []Case{
		{"cost and value in two currencies", CostedPlan, `{amount: "900", currency: EUR}`, `{amount: "900", currency: USD}`,
			[]string{"spec.business.valuePerPoint", "cost and valuePerPoint must have one currency"}},
		{"cost that is no amount", CostedPlan, `amount: "12500.00"`, `amount: much`, []string{"spec.business.cost.amount", "should match"}},
	}
}

// accountabilityUpdates are changes of what people and the operator run a program by.
func accountabilityUpdates() []Update {
	return []Update{
		{"another program's review", Review, "programRef: {name: passenger-experience}", "programRef: {name: other}", []string{"spec.programRef", "programRef is fixed"}},
		{"a review of another period", Review, `to: "2026-11-22"`, `to: "2026-11-29"`, []string{"spec.period", "period is fixed"}},
		{"a review's point of view", Review, "  attendees:", "  pointOfView: We close too early.\n  attendees:", nil},
		{"a policy for others", Policy, "matchLabels: {tier: gold}", "matchLabels: {tier: silver}", nil},
		{"a policy without a promise", Policy,
			"  followUp: {openOn: [Detractor, ContactRequested], npsAtMost: 6, lowPercent: 25, contactWithinHours: 48, sharePercent: 90, contactRetentionDays: 30}\n", "", nil},
	}
}

// frozen is the status of a review whose figures were written; Old stands in it once.
const frozen = `frozenTime: "2026-11-23T08:00:00Z"
use: Scores are for coaching and improvement only.
previous: {from: "2026-11-09", to: "2026-11-15"}
objectives: [{objective: promise, metric: NPS, responses: 250}]
`

// StatusUpdate is a change of a status that the operator, or whoever may write it, must not make.
type StatusUpdate struct {
	Name string
	// Edit changes a review's status, of which figures and digest are written.
	Edit func(status map[string]any)
	// Want are parts of the refusal; empty where it is taken.
	Want []string
}

// StatusUpdates are changes of the status of a review that is frozen.
func StatusUpdates() []StatusUpdate {
	const never = "what a review has frozen never changes"
	return []StatusUpdate{
		{"another figure", func(s map[string]any) { s["figures"].(map[string]any)["use"] = "Anything." }, []string{"status.figures", never}},
		{"no figures", func(s map[string]any) { delete(s, "figures") }, []string{"status.figures", never}},
		{"another digest", func(s map[string]any) { s["digest"] = "sha256:00" }, []string{"status.digest", never}},
		{"no digest", func(s map[string]any) { delete(s, "digest") }, []string{"status.digest", never}},
		{"what is beside them", func(s map[string]any) { s["dueTime"] = "2026-11-29T08:00:00Z" }, nil},
	}
}
