// Package breach keeps the books on open breaches: which opened, which closed, which go on and since when. It is pure.
package breach

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Transition is the opening or the closing of one breach.
type Transition struct {
	// Breach that opened, or as it stood when it closed.
	Breach v1alpha1.Breach
	// Opened is true for an opening and false for a closing.
	Opened bool
	// Reason is the reason of the event: the breach's type when it opened; when it closed, one of the closing reasons of
	// api/v1alpha1 (Recovered, ObjectiveChanged, EvidenceExpired, Removed).
	Reason string
}

// Opened returns the transition of a breach that opens.
func Opened(b v1alpha1.Breach) Transition {
	return Transition{Breach: b, Opened: true, Reason: string(b.Type)}
}

// Closed returns the transition of a breach that closes for the reason.
func Closed(b v1alpha1.Breach, reason string) Transition {
	return Transition{Breach: b, Reason: reason}
}

// Since returns the instant as the API stores it: in UTC and whole seconds.
func Since(t time.Time) metav1.Time { return metav1.NewTime(t.UTC().Truncate(time.Second)) }

// identity is what makes two entries the same breach.
type identity struct {
	kind            v1alpha1.BreachType
	objective, item string
}

func identityOf(b v1alpha1.Breach) identity { return identity{b.Type, b.Objective, b.Item} }

// Merge returns the breaches that are open after this pass, sorted by type, objective and item, and what changed:
// closings first, then openings, each in that order.
//
// A breach is identified by type, objective and item; of several with one identity the first counts. One that was open
// before keeps its Since, and its PlanRef unless the wanted one names a plan. A new one gets the wanted Since, or now if
// that is zero. One that is no longer wanted closes as Recovered. The arguments are not changed.
func Merge(previous []v1alpha1.Breach, wanted []v1alpha1.Breach, now time.Time) ([]v1alpha1.Breach, []Transition) {
	before := index(previous)
	after := index(wanted)
	var transitions []Transition
	for _, b := range sorted(before) {
		if _, ok := after[identityOf(b)]; !ok {
			transitions = append(transitions, Closed(b, v1alpha1.ReasonRecovered))
		}
	}
	var open []v1alpha1.Breach
	for _, b := range sorted(after) {
		old, ok := before[identityOf(b)]
		if ok {
			open = append(open, continued(old, b))
			continue
		}
		if b.Since.IsZero() {
			b.Since = Since(now)
		}
		open = append(open, b)
		transitions = append(transitions, Opened(b))
	}
	return open, transitions
}

// continued is a breach that was open before and still is.
func continued(old, wanted v1alpha1.Breach) v1alpha1.Breach {
	if wanted.PlanRef != nil {
		old.PlanRef = wanted.PlanRef
	}
	return old
}

// index copies the breaches, so that a caller's plan references are never shared with a result.
func index(breaches []v1alpha1.Breach) map[identity]v1alpha1.Breach {
	m := make(map[identity]v1alpha1.Breach, len(breaches))
	for i := range breaches {
		id := identityOf(breaches[i])
		if _, ok := m[id]; !ok {
			m[id] = *breaches[i].DeepCopy()
		}
	}
	return m
}

func sorted(m map[identity]v1alpha1.Breach) []v1alpha1.Breach {
	s := make([]v1alpha1.Breach, 0, len(m))
	for _, b := range m {
		s = append(s, b)
	}
	slices.SortFunc(s, Compare)
	return s
}

// Compare orders breaches by type, objective and item, as they stand in status.
func Compare(a, b v1alpha1.Breach) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Objective, b.Objective), cmp.Compare(a.Item, b.Item))
}
