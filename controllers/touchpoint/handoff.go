package touchpoint

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/internal/team"
)

// handoff is what is known of where a touchpoint hands the customer over to.
type handoff struct {
	// to is the receiving touchpoint, "" where there is no handoff.
	to string
	// found says that it exists, received that an existing team owns it.
	found, received bool
}

func (r *Reconciler) readHandoff(ctx context.Context, tp *v1alpha1.Touchpoint, teams team.Lookup) (handoff, []survey.Problem, error) {
	if tp.Spec.Handoff == nil {
		return handoff{}, nil, nil
	}
	h := handoff{to: tp.Spec.Handoff.ToRef.Name}
	receiving := &v1alpha1.Touchpoint{}
	var err error
	if h.found, err = r.Find(ctx, tp.Namespace, h.to, receiving); err != nil {
		return handoff{}, nil, err
	}
	if !h.found {
		return h, []survey.Problem{{
			Reason: v1alpha1.ReasonTouchpointNotFound, Field: "spec.handoff.toRef.name",
			Message: fmt.Sprintf("no Touchpoint %q in this namespace", h.to),
		}}, nil
	}
	if owner := receiving.Spec.OwnerRef; owner != nil {
		_, h.received = teams(owner.Name)
	}
	return h, nil, nil
}

// handoffBreaches returns HandoffUncovered where a side has no owner. While the receiving touchpoint does not exist that
// cannot be told, and what was open stays: an order in which resources are applied must not accuse anybody.
func (s *scope) handoffBreaches() []v1alpha1.Breach {
	h := s.handoff
	uncovered := v1alpha1.Breach{Type: v1alpha1.BreachHandoffUncovered, Item: h.to}
	switch {
	case h.to == "" || h.found && h.received && s.owned:
		return nil
	case h.found:
		return []v1alpha1.Breach{uncovered}
	}
	for _, b := range s.touchpoint.Status.Breaches {
		if b.Type == uncovered.Type && b.Item == uncovered.Item {
			return []v1alpha1.Breach{uncovered}
		}
	}
	return nil
}

func (s *scope) setHandoff(set conditions.Set) {
	const kind = v1alpha1.ConditionHandoffCovered
	h := s.handoff
	uncovered := string(v1alpha1.BreachHandoffUncovered)
	switch {
	case h.to == "":
		set.True(kind, v1alpha1.ReasonNoHandoff, "the touchpoint hands over to no other")
	case !h.found:
		set.Unknown(kind, v1alpha1.ReasonTouchpointNotFound, fmt.Sprintf("there is no touchpoint %q to hand over to", h.to))
	case !s.owned && !h.received:
		set.False(kind, uncovered, fmt.Sprintf("neither the touchpoint nor %q, to which it hands over, has an owner", h.to))
	case !s.owned:
		set.False(kind, uncovered, "the touchpoint that hands over has no owner")
	case !h.received:
		set.False(kind, uncovered, fmt.Sprintf("touchpoint %q, to which the customer is handed over, has no owner", h.to))
	default:
		set.True(kind, v1alpha1.ReasonCovered, "existing teams own both sides of the handoff")
	}
}

// ownerChanged passes what touchpoints see of the one that they hand over to: whether it exists, and who owns it.
var ownerChanged = predicate.Funcs{UpdateFunc: func(u event.UpdateEvent) bool {
	last, ok := u.ObjectOld.(*v1alpha1.Touchpoint)
	next, ok2 := u.ObjectNew.(*v1alpha1.Touchpoint)
	return ok && ok2 && (env.Existence.Update(u) || !equality.Semantic.DeepEqual(last.Spec.OwnerRef, next.Spec.OwnerRef))
}}

// handingOverTo finds the touchpoints that hand over to one of the given.
func (r *Reconciler) handingOverTo(ctx context.Context, given []reconcile.Request) []reconcile.Request {
	var found []reconcile.Request
	for _, to := range given {
		found = append(found, r.Requests(ctx, &v1alpha1.TouchpointList{}, to.Namespace, client.MatchingFields{env.IndexTouchpoint: to.Name})...)
	}
	return found
}
