package feedback

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// caseName is the name under which a case stands in the API: the program's, a dot, and the case's ID. A program's name has no
// dot.
func caseName(program, id string) string { return program + "." + id }

// splitName is the reverse of caseName; false for what is no such name.
func splitName(name string) (program, id string, ok bool) {
	program, id, ok = strings.Cut(name, ".")
	return program, id, ok && program != "" && isID(id)
}

// isID says whether a text is a UUID in canonical form.
func isID(text string) bool {
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	if len(text) != len(form) {
		return false
	}
	for i := range len(form) {
		dash := form[i] == '-'
		if dash != (text[i] == '-') || !dash && !strings.ContainsRune("0123456789abcdef", rune(text[i])) {
			return false
		}
	}
	return true
}

// caseOf returns a case as the API shows it at a time.
func caseOf(c store.Case, owner string, now time.Time) *feedbackv1alpha1.Case {
	out := &feedbackv1alpha1.Case{
		TypeMeta: metav1.TypeMeta{APIVersion: feedbackv1alpha1.GroupVersion.String(), Kind: "Case"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: c.Program.Namespace, Name: caseName(c.Program.Name, c.ID), UID: types.UID(c.ID),
			ResourceVersion: strconv.FormatInt(c.Version, 10), CreationTimestamp: instant(c.OpenedAt),
			Labels: map[string]string{feedbackv1alpha1.LabelProgram: c.Program.Name},
		},
		Spec: feedbackv1alpha1.CaseSpec{State: feedbackv1alpha1.CaseState(c.State)},
		Status: feedbackv1alpha1.CaseStatus{
			Program: c.Program.Name, Touchpoint: c.Touchpoint, Owner: owner, Language: c.Language,
			PromisedBy: instant(c.PromisedBy), Overdue: c.State == store.CaseOpen && !now.Before(c.PromisedBy),
			ContactedTime: moment(c.ContactedAt), ResolvedTime: moment(c.ResolvedAt), InformedTime: moment(c.InformedAt),
			ContactErasedTime: moment(c.ContactErasedAt),
		},
	}
	if c.Touchpoint != "" {
		out.Labels[feedbackv1alpha1.LabelTouchpoint] = c.Touchpoint
	}
	if c.Plan != "" {
		out.Spec.PlanRef = &feedbackv1alpha1.PlanRef{Name: c.Plan}
	}
	for _, r := range c.Reasons {
		out.Status.Reasons = append(out.Status.Reasons, feedbackv1alpha1.CaseReason(r))
	}
	for _, a := range c.Answers {
		out.Status.Answers = append(out.Status.Answers, feedbackv1alpha1.CaseAnswer{Question: a.Question, Revision: a.Revision, Values: a.Values})
	}
	for _, e := range c.History {
		out.Status.History = append(out.Status.History, feedbackv1alpha1.CaseEvent{
			Time: instant(e.At), By: e.By, State: feedbackv1alpha1.CaseState(e.State), Note: e.Note,
		})
	}
	return out
}

// instant is a time as JSON has it: in whole seconds. What was read and is sent back unchanged is then what it was.
func instant(t time.Time) metav1.Time {
	if t.IsZero() {
		return metav1.Time{}
	}
	return metav1.NewTime(t.UTC().Truncate(time.Second))
}

// moment is an instant that may be absent.
func moment(t time.Time) *metav1.Time {
	if t.IsZero() {
		return nil
	}
	at := instant(t)
	return &at
}
