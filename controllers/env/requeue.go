package env

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// conflictRetry is how soon a pass that read a stale cache is made again.
const conflictRetry = 100 * time.Millisecond

// RetryConflicts makes a pass again that met a conflict: the cache was behind. That, and that the process ends, is no fault to tell
// anybody of.
func RetryConflicts(r reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (ctrl.Result, error) {
		result, err := r.Reconcile(ctx, req)
		switch {
		case apierrors.IsConflict(err):
			return ctrl.Result{RequeueAfter: conflictRetry}, nil
		case errors.Is(err, context.Canceled) && ctx.Err() != nil:
			return ctrl.Result{}, nil
		}
		return result, err
	})
}

// Requeue returns a result that comes back at the first of the deadlines, or after wait; zero values do not count. A
// deadline that has passed comes back at once.
func Requeue(now time.Time, wait time.Duration, deadlines ...time.Time) ctrl.Result {
	after := wait
	for _, d := range deadlines {
		if d.IsZero() {
			continue
		}
		left := max(d.Sub(now), time.Millisecond)
		if after == 0 || left < after {
			after = left
		}
	}
	return ctrl.Result{RequeueAfter: after}
}
