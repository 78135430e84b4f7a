package env

import (
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

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
