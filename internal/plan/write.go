package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// fairness goes with every text about a score.
const fairness = "This is a signal about the customers' experience, not about anyone's performance."

// Name is the name of the plan that the operator opens for an objective of an object (a touchpoint or program) on the day
// of an instant in a place: object-objective-20261121. For names that the API admits it is a DNS-1123 name of at most 136
// characters. Equal arguments give equal names.
func Name(object, objective string, opened time.Time, loc *time.Location) string {
	return object + "-" + objective + "-" + dayOf(opened, loc).Format("20060102")
}

// name is the Name of the plan for the situation. Where that belongs to a plan for something else, a digest of what the
// plan is for makes it unique.
func (s Situation) name(opened time.Time) string {
	name := Name(s.object(), s.Objective.Name, opened, s.Location)
	if s.find(name) != nil || s.Taken == nil || !s.Taken(name) {
		return name
	}
	digest := sha256.Sum256([]byte(s.Program + "/" + s.Touchpoint + "/" + s.Objective.Name))
	return name + "-" + hex.EncodeToString(digest[:4])
}

// object is the touchpoint, or the program for its own objective.
func (s Situation) object() string {
	if s.Touchpoint != "" {
		return s.Touchpoint
	}
	return s.Program
}

// write is the plan that the operator opens. It has no owner references, since it belongs to people and outlives the
// touchpoint.
func (s Situation) write(name string) *v1alpha1.ActionPlan {
	p := &v1alpha1.ActionPlan{
		TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ActionPlan"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.Namespace,
			Name:      name,
			Labels: map[string]string{
				v1alpha1.LabelManagedBy: v1alpha1.ManagedByValue,
				v1alpha1.LabelOpenedBy:  v1alpha1.ManagedByValue,
				v1alpha1.LabelProgram:   s.Program,
			},
		},
		Spec: v1alpha1.ActionPlanSpec{
			Objective: s.Objective.Name,
			Problem:   s.problem(),
			OwnerRef:  s.OwnerRef.DeepCopy(),
			DueDate:   dayOf(s.Now, s.Location).AddDate(0, 0, int(s.Rule.DueWithinDays)).Format(time.DateOnly),
			State:     v1alpha1.WorkNotStarted,
		},
	}
	if s.Touchpoint != "" {
		p.Spec.TouchpointRef = &v1alpha1.NameRef{Name: s.Touchpoint}
	} else {
		p.Spec.ProgramRef = &v1alpha1.NameRef{Name: s.Program}
	}
	return p
}

// problem says in words what customers say, with the figures as they were published: none below the privacy floor.
func (s Situation) problem() string {
	subject := s.DisplayName
	if subject == "" {
		subject = s.object()
	}
	subject = fmt.Sprintf("%s: %s (%s)", subject, s.Objective.Name, s.Objective.Metric)
	target := s.Objective.Target.String()
	if s.Status.Score == "" {
		return fmt.Sprintf("%s is below its target of %s. %s", subject, target, fairness)
	}
	return fmt.Sprintf("%s is %s%s of %s in the last %s; the target is %s. %s",
		subject, s.Status.Score, s.interval(), count(s.answers(), "answer"), count(int64(s.Objective.WindowDays), "day"),
		target, fairness)
}

func (s Situation) interval() string {
	if s.Status.Lower == "" || s.Status.Upper == "" {
		return ""
	}
	percent := ""
	if s.ConfidencePercent > 0 {
		percent = fmt.Sprintf("%d %% ", s.ConfidencePercent)
	}
	return fmt.Sprintf(" (%sinterval %s to %s)", percent, s.Status.Lower, s.Status.Upper)
}

// answers is the number of answers that the published figures are made of.
func (s Situation) answers() int64 {
	if s.Status.ReleasedResponses > 0 {
		return s.Status.ReleasedResponses
	}
	return s.Status.Responses
}

// count writes a number of things: 1 day, 2,421 answers.
func count(n int64, thing string) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	b.WriteString(" " + thing)
	if n != 1 {
		b.WriteByte('s')
	}
	return b.String()
}
