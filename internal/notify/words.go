package notify

import (
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// docs is where people read on.
const docs = "https://github.com/cx-operator/cx-operator/blob/main/docs/"

// means says what each breach means, in a sentence that blames nobody.
var means = map[v1alpha1.BreachType]string{
	v1alpha1.BreachObjectiveMissed:    "The figures say, with the evidence that was asked for, that the objective is missed. What is wanted now is a plan.",
	v1alpha1.BreachPlanMissing:        "A missed objective has no plan yet.",
	v1alpha1.BreachPlanUnacknowledged: "Nobody has acknowledged the plan within the time allowed.",
	v1alpha1.BreachPlanOverdue:        "The plan is past its due date and neither complete nor cancelled.",
	v1alpha1.BreachActionOverdue:      "An action of the plan is past its due date and neither complete nor cancelled.",
	v1alpha1.BreachOwnerMissing:       "Nobody owns this: name a team in ownerRef.",
	v1alpha1.BreachUnmeasured:         "The touchpoint is critical, but nothing about it is measured.",
	v1alpha1.BreachSponsorMissing:     "The program has no executive sponsor.",
	v1alpha1.BreachFollowUpOverdue:    "Customers wait longer to be contacted than they were promised.",
	v1alpha1.BreachReviewMissed:       "The review was not held by its due time.",
	v1alpha1.BreachSponsorSilent:      "The sponsor's team has been absent from the reviews, or none was held, for several periods.",
	v1alpha1.BreachHandoffUncovered:   "A handoff between touchpoints lacks an owner on one of its sides.",
	v1alpha1.BreachConsistentlyLow:    "The objective was missed in several separate windows in a row.",
	v1alpha1.BreachNoActionTaken:      "The program listens and understands, but acts on nothing yet.",
}

// toWhom names the target of a step.
var toWhom = map[v1alpha1.EscalationTarget]string{
	v1alpha1.EscalateLead:       "the team's lead",
	v1alpha1.EscalateParentTeam: "the parent team",
	v1alpha1.EscalateSponsor:    "the sponsor",
}

// kinds names the kinds of resources in a sentence.
var kinds = map[string]string{
	"SurveyProgram": "program", "Touchpoint": "touchpoint", "ActionPlan": "plan", "Review": "review",
}

// About says what a notice is about. Names are those of the API; none of them is a respondent's or a person's.
type About struct {
	Namespace, Kind, Name string
	// DisplayName of the program or touchpoint; empty for none.
	DisplayName string
	// Program and Touchpoint that it belongs to; the touchpoint is empty where there is none.
	Program, Touchpoint string
	// Case is the id of the case that it is about; empty for none.
	Case string
	// Page is the address of the survey page; empty where none is served.
	Page string
	// Since is when the breach opened that is escalated; zero where that is not known.
	Since time.Time
}

// place names the resource, in a line.
func (a About) place() string {
	kind := kinds[a.Kind]
	if kind == "" {
		kind = clean(a.Kind)
	}
	name := clean(a.Namespace) + "/" + clean(a.Name)
	if display := cut(clean(a.DisplayName), 120); display != "" {
		return fmt.Sprintf("%s %s (%s)", kind, display, name)
	}
	return kind + " " + name
}

// title says in one line what happened.
func title(n *v1alpha1.Notice, a About) string {
	what := string(n.Breach)
	if n.Objective != "" {
		what += " of objective " + clean(n.Objective)
	}
	if n.Item != "" {
		what += ", " + clean(n.Item)
	}
	switch n.Class {
	case v1alpha1.NoticeCase:
		if n.Transition == v1alpha1.NoticeOverdue {
			return "A customer has waited longer than promised: " + a.place()
		}
		return "A customer waits to be contacted: " + a.place()
	case v1alpha1.NoticeReview:
		return "Review opened: " + a.place()
	case v1alpha1.NoticeRecognition:
		return fmt.Sprintf("Well done: objective %s is met: %s", clean(n.Objective), a.place())
	}
	switch n.Transition {
	case v1alpha1.NoticeClosed:
		return fmt.Sprintf("Breach closed: %s: %s", what, a.place())
	case v1alpha1.NoticeEscalated:
		return fmt.Sprintf("Breach still open: %s: %s", what, a.place())
	}
	return fmt.Sprintf("Breach opened: %s: %s", what, a.place())
}

// lines are the text behind the title: what it means, since when, and where to read on.
func lines(n *v1alpha1.Notice, a About, zone *time.Location) []string {
	out := []string{explain(n)}
	if n.Step > 0 {
		out = append(out, fmt.Sprintf("This is step %d of the escalation, to %s.", n.Step, toWhom[n.To]))
	}
	if !a.Since.IsZero() {
		out = append(out, "Open since "+clock(a.Since, zone)+".")
	}
	out = append(out, "Time: "+clock(n.Time.Time, zone))
	if a.Program != "" && a.Kind != "SurveyProgram" {
		out = append(out, "Program: "+clean(a.Program))
	}
	if a.Case != "" {
		out = append(out, "Case: "+clean(a.Case))
	}
	out = append(out, "What to do: "+guide(n))
	if a.Page != "" {
		out = append(out, "Survey page: "+clean(a.Page))
	}
	if n.Merged > 0 {
		out = append(out, fmt.Sprintf("There were %d further changes that the outbox had no room for: look at the status of the resource.", n.Merged))
	}
	return out
}

func explain(n *v1alpha1.Notice) string {
	switch n.Class {
	case v1alpha1.NoticeCase:
		return "A respondent left a way to be contacted and agreed to it. Who may see it finds it in the case; it is never sent."
	case v1alpha1.NoticeReview:
		return "The figures of the period are frozen. Look at them together, and note what was decided."
	case v1alpha1.NoticeRecognition:
		return "The figures say, with the evidence that was asked for, that the objective is met. Tell those who made it so."
	}
	if n.Transition == v1alpha1.NoticeClosed {
		return "It is settled: " + clean(n.Reason) + "."
	}
	return means[n.Breach]
}

// guide is the page that says how to go on.
func guide(n *v1alpha1.Notice) string {
	switch n.Class {
	case v1alpha1.NoticeCase:
		return docs + "cases.md"
	case v1alpha1.NoticeReview:
		return docs + "kinds/review.md"
	case v1alpha1.NoticeRecognition:
		return docs + "kinds/accountabilitypolicy.md"
	}
	return docs + "runbooks/CX" + clean(string(n.Breach)) + ".md"
}

func clock(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("2006-01-02 15:04 MST")
}
