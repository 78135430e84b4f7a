package feedback

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation/field"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// maxNote and maxBy are what a store keeps of a note and of who acted, in bytes.
	maxNote = 2000
	maxBy   = 253
	// maxPlanName is the longest name of a plan.
	maxPlanName = 253
)

// lastApplied is what kubectl apply notes on every object. Cases do not keep it.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

var states = []feedbackv1alpha1.CaseState{
	feedbackv1alpha1.CaseOpen, feedbackv1alpha1.CaseContacted, feedbackv1alpha1.CaseResolved, feedbackv1alpha1.CaseInformed,
}

var (
	specPath = field.NewPath("spec")
	metaPath = field.NewPath("metadata")
)

// changeOf returns the change that leads from one state of a case to the next, and whether there is any. The errors name the
// fields that may not be so.
func changeOf(old, next *feedbackv1alpha1.Case, version int64, by string, at time.Time) (store.CaseChange, bool, field.ErrorList) {
	change := store.CaseChange{Version: version, Note: next.Spec.Note, By: cut(by, maxBy), At: at}
	_, change.ID, _ = splitName(old.Name)
	errs := slices.Concat(checkState(old, next), checkNote(next), checkPlan(next), checkMeta(old, next), checkStatus(old, next))
	if next.Spec.State != old.Spec.State {
		change.State = store.CaseState(next.Spec.State)
	}
	if was, is := planOf(old), planOf(next); was != is {
		change.Plan = &is
	}
	return change, change.State != "" || change.Plan != nil || change.Note != "", errs
}

func planOf(c *feedbackv1alpha1.Case) string {
	if c.Spec.PlanRef == nil {
		return ""
	}
	return c.Spec.PlanRef.Name
}

func checkState(old, next *feedbackv1alpha1.Case) field.ErrorList {
	path := specPath.Child("state")
	to := slices.Index(states, next.Spec.State)
	switch {
	case next.Spec.State == "":
		return field.ErrorList{field.Required(path, "it is one of Open, Contacted, Resolved, Informed")}
	case to < 0:
		return field.ErrorList{field.NotSupported(path, next.Spec.State, states)}
	case to < slices.Index(states, old.Spec.State):
		return field.ErrorList{backward(next.Spec.State, old.Spec.State)}
	}
	return nil
}

// backward says that a case does not move back. Both states are empty where they are not known.
func backward(to, from feedbackv1alpha1.CaseState) *field.Error {
	text := "a case moves forward only: Open, Contacted, Resolved, Informed"
	if from != "" {
		text += fmt.Sprintf("; it is %s", from)
	}
	return field.Invalid(specPath.Child("state"), to, text)
}

func checkNote(next *feedbackv1alpha1.Case) field.ErrorList {
	switch path := specPath.Child("note"); {
	case len(next.Spec.Note) > maxNote:
		return field.ErrorList{field.TooLong(path, "", maxNote)}
	case strings.ContainsRune(next.Spec.Note, 0) || !utf8.ValidString(next.Spec.Note):
		return field.ErrorList{field.Invalid(path, "", "it holds what is no text")}
	}
	return nil
}

func checkPlan(next *feedbackv1alpha1.Case) field.ErrorList {
	path := specPath.Child("planRef", "name")
	switch {
	case next.Spec.PlanRef == nil:
		return nil
	case next.Spec.PlanRef.Name == "":
		return field.ErrorList{field.Required(path, "without a plan leave planRef out")}
	case len(next.Spec.PlanRef.Name) > maxPlanName:
		return field.ErrorList{field.TooLong(path, "", maxPlanName)}
	}
	return nil
}

// checkMeta refuses metadata that would not be kept, since a client would take it for kept. What kubectl apply and field
// managers note by themselves is passed over.
func checkMeta(old, next *feedbackv1alpha1.Case) field.ErrorList {
	var errs field.ErrorList
	if !equality.Semantic.DeepEqual(old.Labels, next.Labels) {
		errs = append(errs, field.Forbidden(metaPath.Child("labels"), "a case has the labels that the operator gives it, and no others"))
	}
	for key := range next.Annotations {
		if key != lastApplied {
			errs = append(errs, field.Forbidden(metaPath.Child("annotations").Key(key), "a case keeps no annotations; add a note"))
		}
	}
	if len(next.Finalizers) > 0 {
		errs = append(errs, field.Forbidden(metaPath.Child("finalizers"), "a case has none: it is not deleted"))
	}
	if len(next.OwnerReferences) > 0 {
		errs = append(errs, field.Forbidden(metaPath.Child("ownerReferences"), "a case has none: it is not deleted"))
	}
	return errs
}

// checkStatus refuses a status that somebody changed. One that was left out is none that was changed; and what follows from
// the time, from other objects and from retention may have moved since it was read.
func checkStatus(old, next *feedbackv1alpha1.Case) field.ErrorList {
	if equality.Semantic.DeepEqual(next.Status, feedbackv1alpha1.CaseStatus{}) || equality.Semantic.DeepEqual(lasting(old), lasting(next)) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("status"), "it is what the operator knows; change spec")}
}

func lasting(c *feedbackv1alpha1.Case) feedbackv1alpha1.CaseStatus {
	s := c.Status
	s.Overdue, s.Owner, s.Answers, s.ContactErasedTime = false, "", nil, nil
	return s
}

// preview is how a case would look after a change, for a dry run.
func preview(old *feedbackv1alpha1.Case, change store.CaseChange) *feedbackv1alpha1.Case {
	out := old.DeepCopy()
	at := instant(change.At)
	if change.State != "" {
		if old.Spec.State == feedbackv1alpha1.CaseOpen {
			out.Status.ContactedTime = &at
		}
		if change.State != store.CaseContacted && out.Status.ResolvedTime == nil {
			out.Status.ResolvedTime = &at
		}
		if change.State == store.CaseInformed {
			out.Status.InformedTime = &at
		}
		out.Spec.State, out.Status.Overdue = feedbackv1alpha1.CaseState(change.State), false
	}
	if change.Plan != nil {
		out.Spec.PlanRef = nil
		if *change.Plan != "" {
			out.Spec.PlanRef = &feedbackv1alpha1.PlanRef{Name: *change.Plan}
		}
	}
	out.Status.History = append(out.Status.History, feedbackv1alpha1.CaseEvent{Time: at, By: change.By, State: out.Spec.State, Note: change.Note})
	return out
}

// cut shortens a text to so many bytes, between its runes.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
