// Package accountabilitypolicy reconciles AccountabilityPolicies: it says what each governs, where policies overlap, and how
// often the programs are reviewed. The rules themselves take effect in the controllers of what is governed.
package accountabilitypolicy

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/controllers/conditions"
	"github.com/cx-operator/cx-operator/controllers/env"
	"github.com/cx-operator/cx-operator/internal/policy"
)

// +kubebuilder:rbac:groups=cx-operator.io,resources=accountabilitypolicies,verbs=get;list;watch
// +kubebuilder:rbac:groups=cx-operator.io,resources=accountabilitypolicies/status,verbs=get;patch

const (
	// cadenceInterval is how often the answers that a week is expected to bring are counted anew.
	cadenceInterval = time.Hour
	// paceShare keeps the counting of what a policy governs, which looks at the whole namespace, to a twentieth of the time.
	paceShare = 20
	// pendingInterval is how soon counts that could not be read are asked for again.
	pendingInterval = 10 * time.Second
)

// Reconciler reconciles AccountabilityPolicies.
type Reconciler struct {
	*env.Env
	pace env.Pace
}

// Reconcile describes what one policy governs.
func (r *Reconciler) Reconcile(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
	before := &v1alpha1.AccountabilityPolicy{}
	if err := r.Client.Get(ctx, req.NamespacedName, before); err != nil {
		if apierrors.IsNotFound(err) {
			r.pace.Forget(req.NamespacedName)
			r.Gone(before, req.NamespacedName)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("get policy: %w", err)
	}
	if !before.DeletionTimestamp.IsZero() || r.Behind(before) {
		return ctrl.Result{}, nil
	}
	now := r.Clock()
	if wait := r.pace.Wait(req.NamespacedName, now); wait > 0 && before.Generation == before.Status.ObservedGeneration {
		return ctrl.Result{RequeueAfter: wait}, nil
	}
	defer func() { r.pace.Took(req.NamespacedName, now, r.Clock()) }()
	d, err := r.domainOf(ctx, before)
	if err != nil {
		return ctrl.Result{}, err
	}
	p := before.DeepCopy()
	p.Status.ObservedGeneration = p.Generation
	p.Status.Programs, p.Status.Touchpoints = int32(len(d.programs)), d.touchpoints
	var pending bool
	p.Status.Cadences, pending = r.cadences(d, before.Status.Cadences, now)
	set := conditions.Set{Conditions: &p.Status.Conditions, Generation: p.Generation, Now: now}
	set.Resolve(policy.Check(p), "the policy applies to what it selects")
	d.setExclusive(set)
	if !equality.Semantic.DeepEqual(p.Status, before.Status) {
		if err := r.PatchStatus(ctx, p, before); err != nil {
			return ctrl.Result{}, err
		}
	}
	switch {
	case pending:
		return ctrl.Result{RequeueAfter: pendingInterval}, nil
	case p.Spec.Review != nil && len(d.programs) > 0:
		return env.Requeue(now, 0, now.Truncate(cadenceInterval).Add(cadenceInterval)), nil
	}
	return ctrl.Result{}, nil
}
