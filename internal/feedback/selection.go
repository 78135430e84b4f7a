package feedback

import (
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

// maxTouchpoints bounds how many touchpoints one list may name: each is asked for by itself.
const maxTouchpoints = 50

// wanted are the cases that a list asks for. Programs are picked by the operator, all else by their stores.
type wanted struct {
	// nothing is true where no case can be meant.
	nothing bool
	// name and namespace of the case; empty for any.
	name, namespace string
	// programs picks programs by their name.
	programs labels.Selector
	// states that are wanted; nil for any.
	states []store.CaseState
	// touchpoints that are wanted, sorted, "" for none; nil for any.
	touchpoints []string
	overdue     bool
}

// selected says which cases the options of a list ask for. What stores cannot select by is refused, since a page that is
// filtered afterwards is no page.
func selected(o *internalversion.ListOptions) (wanted, error) {
	w := wanted{programs: labels.Everything()}
	if o == nil {
		return w, nil
	}
	if o.FieldSelector != nil {
		for _, r := range o.FieldSelector.Requirements() {
			if err := w.field(r); err != nil {
				return w, apierrors.NewBadRequest("fieldSelector: " + err.Error())
			}
		}
	}
	if o.LabelSelector == nil {
		return w, nil
	}
	requirements, selectable := o.LabelSelector.Requirements()
	w.nothing = w.nothing || !selectable
	for _, r := range requirements {
		if err := w.label(r); err != nil {
			return w, apierrors.NewBadRequest("labelSelector: " + err.Error())
		}
	}
	return w, nil
}

func (w *wanted) field(r fields.Requirement) error {
	equal := r.Operator == selection.Equals || r.Operator == selection.DoubleEquals
	if !equal && r.Field != feedbackv1alpha1.FieldState {
		return fmt.Errorf("%s can be compared by = only", r.Field)
	}
	switch r.Field {
	case feedbackv1alpha1.FieldName:
		w.nothing = w.nothing || w.name != "" && w.name != r.Value
		w.name = r.Value
	case "metadata.namespace":
		w.nothing = w.nothing || w.namespace != "" && w.namespace != r.Value
		w.namespace = r.Value
	case feedbackv1alpha1.FieldState:
		return w.state(r.Value, equal)
	case feedbackv1alpha1.FieldTouchpoint:
		w.among(r.Value)
	case feedbackv1alpha1.FieldOverdue:
		if r.Value != "true" {
			return fmt.Errorf("the value of %s is true only: cases that are not overdue are those of the states Contacted, Resolved and Informed, and open ones with time left", r.Field)
		}
		w.overdue = true
	default:
		return fmt.Errorf("%s is no field to select by", r.Field)
	}
	return nil
}

func (w *wanted) state(value string, equal bool) error {
	if !slices.Contains(states, feedbackv1alpha1.CaseState(value)) {
		return fmt.Errorf("%s is one of Open, Contacted, Resolved, Informed, not %q", feedbackv1alpha1.FieldState, value)
	}
	before := w.states
	w.states = []store.CaseState{}
	for _, s := range states {
		state := store.CaseState(s)
		if (string(s) == value) == equal && (before == nil || slices.Contains(before, state)) {
			w.states = append(w.states, state)
		}
	}
	w.nothing = w.nothing || len(w.states) == 0
	return nil
}

// among narrows the touchpoints to those that are named.
func (w *wanted) among(names ...string) {
	narrowed := []string{}
	for _, name := range names {
		if w.touchpoints == nil || slices.Contains(w.touchpoints, name) {
			narrowed = append(narrowed, name)
		}
	}
	slices.Sort(narrowed)
	w.touchpoints = slices.Compact(narrowed)
	w.nothing = w.nothing || len(w.touchpoints) == 0
}

func (w *wanted) label(r labels.Requirement) error {
	switch r.Key() {
	case feedbackv1alpha1.LabelProgram:
		w.programs = w.programs.Add(r)
	case feedbackv1alpha1.LabelTouchpoint:
		values := r.Values().UnsortedList()
		switch r.Operator() {
		case selection.Equals, selection.DoubleEquals, selection.In:
			w.among(values...)
		case selection.DoesNotExist:
			w.among("")
		default:
			return fmt.Errorf("%s can be selected by =, in and ! only", r.Key())
		}
		if len(values) > maxTouchpoints {
			return fmt.Errorf("%s: at most %d touchpoints can be named", r.Key(), maxTouchpoints)
		}
	default:
		// A case has no other labels.
		w.nothing = w.nothing || !r.Matches(labels.Set{})
	}
	return nil
}

// source is one part of a list: the cases of a program, or of one of its touchpoints.
type source struct {
	program    store.Key
	touchpoint *string
}

// compare orders the sources of a list.
func (s source) compare(other source) int {
	text := func(s source) string {
		if s.touchpoint == nil {
			return ""
		}
		return *s.touchpoint
	}
	if c := strings.Compare(s.program.Namespace, other.program.Namespace); c != 0 {
		return c
	}
	if c := strings.Compare(s.program.Name, other.program.Name); c != 0 {
		return c
	}
	return strings.Compare(text(s), text(other))
}

// sources returns the parts of a list over programs, in order.
func (w wanted) sources(programs []store.Key) []source {
	var all []source
	for _, p := range programs {
		if w.nothing || w.namespace != "" && w.namespace != p.Namespace || !w.programs.Matches(labels.Set{feedbackv1alpha1.LabelProgram: p.Name}) {
			continue
		}
		if w.touchpoints == nil {
			all = append(all, source{program: p})
		}
		for i := range w.touchpoints {
			all = append(all, source{program: p, touchpoint: &w.touchpoints[i]})
		}
	}
	slices.SortFunc(all, source.compare)
	return all
}
