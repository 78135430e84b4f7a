package governance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func purposeStated(s Situation) Condition {
	const kind = v1alpha1.ConditionPurposeStated
	switch {
	case strings.TrimSpace(s.Program.Spec.Purpose) == "":
		return lacking(kind, v1alpha1.ReasonNoPurpose, "spec.purpose is empty: nobody can tell what the program is for")
	case strings.TrimSpace(s.Program.Spec.Strategy) == "":
		return lacking(kind, v1alpha1.ReasonNoStrategy, "spec.strategy is not set: which strategy of the organisation does the program serve?")
	}
	return stands(kind, v1alpha1.ReasonPurposeStated, "the program states its purpose and the strategy that it serves")
}

// lack is one thing that a pillar lacks.
type lack struct{ reason, message string }

// pillar sums up what is lacking: the first reason counts, and the message tells all of it.
func pillar(kind, success string, lacks []lack) Condition {
	if len(lacks) == 0 {
		return stands(kind, v1alpha1.ReasonInPlace, success)
	}
	var texts []string
	for _, l := range lacks {
		texts = append(texts, l.message)
	}
	return lacking(kind, lacks[0].reason, strings.Join(texts, "; "))
}

// measurement needs an objective somewhere, and one at each critical touchpoint.
func measurement(s Situation) Condition {
	const kind = v1alpha1.ConditionMeasurement
	measured := len(s.Program.Spec.Objectives) > 0
	var bare []string
	for i := range s.Touchpoints {
		tp := &s.Touchpoints[i]
		is := isMeasured(s.Program, tp)
		measured = measured || is
		if !is && tp.Spec.Importance == v1alpha1.ImportanceCritical {
			bare = append(bare, tp.Name)
		}
	}
	var lacks []lack
	if len(bare) > 0 {
		lacks = append(lacks, lack{v1alpha1.ReasonCriticalUnmeasured, "critical touchpoints without an objective: " + listed(bare)})
	}
	if !measured {
		lacks = append(lacks, lack{v1alpha1.ReasonNoObjective, "neither the program nor a touchpoint has an objective"})
	}
	return pillar(kind, "every critical touchpoint has an objective", lacks)
}

// isMeasured says whether a question that is asked at the touchpoint has an objective.
func isMeasured(program *v1alpha1.SurveyProgram, tp *v1alpha1.Touchpoint) bool {
	served := survey.ServedQuestions(tp, program)
	return slices.ContainsFunc(tp.Spec.Objectives, func(o v1alpha1.Objective) bool { return slices.Contains(served, o.Question) })
}

// integration needs owners everywhere, from several functions, and handoffs that are covered.
func integration(s Situation, functions Condition) Condition {
	const kind = v1alpha1.ConditionIntegration
	var lacks []lack
	if !ownedBy(s, s.Program.Spec.OwnerRef) {
		lacks = append(lacks, lack{v1alpha1.ReasonNoOwner, "no existing team owns the program"})
	}
	var unowned, uncovered []string
	for i := range s.Touchpoints {
		tp := &s.Touchpoints[i]
		if !ownedBy(s, tp.Spec.OwnerRef) {
			unowned = append(unowned, tp.Name)
		}
		if hasBreach(tp.Status.Breaches, v1alpha1.BreachHandoffUncovered) {
			uncovered = append(uncovered, tp.Name)
		}
	}
	if len(unowned) > 0 {
		lacks = append(lacks, lack{v1alpha1.ReasonTouchpointUnowned, "touchpoints that no existing team owns: " + listed(unowned)})
	}
	if len(uncovered) > 0 {
		lacks = append(lacks, lack{string(v1alpha1.BreachHandoffUncovered), "handoffs without an owner on both sides, from: " + listed(uncovered)})
	}
	if functions.Status == metav1.ConditionFalse && functions.Reason != v1alpha1.ReasonNoOwner { // that is said already
		lacks = append(lacks, lack{functions.Reason, functions.Message})
	}
	if len(lacks) == 0 && functions.Status == metav1.ConditionUnknown {
		return unknown(kind, functions.Reason, functions.Message)
	}
	return pillar(kind, "every touchpoint has an owner, several functions own a part, and every handoff has an owner on both sides", lacks)
}

// accountability needs a policy, a sponsor, and plans where they are due.
func accountability(s Situation, a action) Condition {
	const kind = v1alpha1.ConditionAccountability
	var lacks []lack
	if s.Governed.Status != metav1.ConditionTrue {
		lacks = append(lacks, lack{s.Governed.Reason, s.Governed.Message})
	}
	if s.Program.Spec.ExecutiveSponsor == nil {
		lacks = append(lacks, lack{v1alpha1.ReasonNoSponsor, "nobody stands for the program: set spec.executiveSponsor"})
	}
	if !a.since.IsZero() {
		lacks = append(lacks, lack{string(v1alpha1.BreachNoActionTaken), a.condition(s).Message})
	}
	for _, due := range []struct {
		breach v1alpha1.BreachType
		text   string
	}{
		{v1alpha1.BreachPlanMissing, "missed objectives without a plan: %d"},
		{v1alpha1.BreachPlanUnacknowledged, "plans that nobody took over in time: %d"},
		{v1alpha1.BreachPlanOverdue, "plans past their due date: %d"},
	} {
		if n := countBreaches(s, due.breach); n > 0 {
			lacks = append(lacks, lack{string(due.breach), fmt.Sprintf(due.text, n)})
		}
	}
	return pillar(kind, "a policy applies, somebody stands for the program, and no plan is missing, unacknowledged or overdue", lacks)
}

// awareness needs reviews that are held and told of, with the sponsor.
func awareness(s Situation) Condition {
	const kind = v1alpha1.ConditionAwareness
	last, missed := lastHeld(s)
	var lacks []lack
	if missed > 0 {
		lacks = append(lacks, lack{string(v1alpha1.BreachReviewMissed), fmt.Sprintf("reviews that were not held in time: %d", missed)})
	}
	if s.SponsorSilent {
		lacks = append(lacks, lack{string(v1alpha1.BreachSponsorSilent), "the sponsor's team takes no part in reviews"})
	}
	if last == nil && missed == 0 && !s.ReviewsAsked {
		lacks = append(lacks, lack{v1alpha1.ReasonNoReviews, "no policy asks for reviews, and none was held"})
	}
	if last != nil && !says(last) {
		lacks = append(lacks, lack{v1alpha1.ReasonNoInsight, "review " + last.Name + " was held but states no insight, point of view or question"})
	}
	if len(s.Program.Spec.Communication) == 0 {
		lacks = append(lacks, lack{v1alpha1.ReasonNoCommunication, "spec.communication does not say where insights are told"})
	}
	if len(lacks) == 0 && last == nil {
		return unknown(kind, v1alpha1.ReasonNoReviewYet, "no review was due yet")
	}
	return pillar(kind, "reviews are held and told of, and the sponsor takes part", lacks)
}

// lastHeld returns the review of the latest period that was held, nil for none, and how many are missed.
func lastHeld(s Situation) (last *v1alpha1.Review, missed int) {
	for i := range s.Reviews {
		r := &s.Reviews[i]
		if hasBreach(r.Status.Breaches, v1alpha1.BreachReviewMissed) {
			missed++
		}
		if r.Spec.HeldTime == nil || r.Spec.HeldTime.After(s.Now) {
			continue
		}
		if last == nil || r.Spec.Period.To > last.Spec.Period.To || r.Spec.Period.To == last.Spec.Period.To && r.Name > last.Name {
			last = r
		}
	}
	return last, missed
}

// nextHeld returns when a review that is dated ahead will have been held; zero for none.
func nextHeld(s Situation) time.Time {
	var next time.Time
	for i := range s.Reviews {
		held := s.Reviews[i].Spec.HeldTime
		if held == nil || !held.After(s.Now) {
			continue
		}
		if next.IsZero() || held.Time.Before(next) {
			next = held.Time
		}
	}
	return next
}

// says says whether a review tells the organisation anything.
func says(r *v1alpha1.Review) bool {
	return strings.TrimSpace(r.Spec.Insight+r.Spec.PointOfView+r.Spec.Question) != ""
}

func hasBreach(breaches []v1alpha1.Breach, kind v1alpha1.BreachType) bool {
	return slices.ContainsFunc(breaches, func(b v1alpha1.Breach) bool { return b.Type == kind })
}

// countBreaches counts the breaches of a type on the program, its touchpoints and their plans.
func countBreaches(s Situation, kind v1alpha1.BreachType) int {
	n := 0
	count := func(breaches []v1alpha1.Breach) {
		for _, b := range breaches {
			if b.Type == kind {
				n++
			}
		}
	}
	count(s.Program.Status.Breaches)
	for i := range s.Touchpoints {
		count(s.Touchpoints[i].Status.Breaches)
	}
	for i := range s.Plans {
		count(s.Plans[i].Status.Breaches)
	}
	return n
}

// mostListed is how many names a message lists.
const mostListed = 5

// listed writes names in order, the first of many.
func listed(names []string) string {
	slices.Sort(names)
	if more := len(names) - mostListed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:mostListed], ", "), more)
	}
	return strings.Join(names, ", ")
}
