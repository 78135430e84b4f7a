package surveyprogram

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/cx-operator/cx-operator/internal/apply"
	"github.com/cx-operator/cx-operator/internal/render"
)

// rollout is how far the pods of an endpoint are.
type rollout struct {
	// found says that the Deployment or StatefulSet is there.
	found bool
	// settled says that all pods are as wanted, and take answers.
	settled bool
	// failed says that they do not get there: the time that Kubernetes gives them has passed.
	failed bool
	// wanted is the number of pods that are to be, ready that of those that take answers.
	wanted, ready int32
	message       string
}

// rolloutOf reads the state of what runs. The cache may be behind what was just applied: what is not of the last time that wanted
// was is not settled.
func rolloutOf(running, wanted render.Object) (rollout, error) {
	current := true
	if running != nil && wanted != nil {
		var err error
		if current, err = apply.Current(wanted, running); err != nil {
			return rollout{}, err
		}
	}
	switch c := running.(type) {
	case *appsv1.Deployment:
		return ofDeployment(c, current), nil
	case *appsv1.StatefulSet:
		return ofStatefulSet(c, current), nil
	}
	r := rollout{message: beingMade}
	switch w := wanted.(type) {
	case *appsv1.Deployment:
		r.wanted = pods(w.Spec.Replicas)
	case *appsv1.StatefulSet:
		r.wanted = pods(w.Spec.Replicas)
	default:
		return r, nil
	}
	r.describe(0) // as it is once it is made: that alone is no news
	return r, nil
}

const beingMade = "the endpoint is being made"

func ofDeployment(d *appsv1.Deployment, current bool) rollout {
	s := d.Status
	r := rollout{found: true, wanted: pods(d.Spec.Replicas), ready: s.ReadyReplicas}
	seen := current && s.ObservedGeneration >= d.Generation
	r.settled = seen && s.UpdatedReplicas >= r.wanted && s.Replicas == s.UpdatedReplicas && s.AvailableReplicas >= r.wanted
	for _, c := range s.Conditions {
		if c.Type == appsv1.DeploymentProgressing && c.Status == corev1.ConditionFalse && c.Reason == "ProgressDeadlineExceeded" {
			r.failed = seen && !r.settled
		}
	}
	r.describe(s.UpdatedReplicas)
	return r
}

func ofStatefulSet(d *appsv1.StatefulSet, current bool) rollout {
	s := d.Status
	r := rollout{found: true, wanted: pods(d.Spec.Replicas), ready: s.ReadyReplicas}
	r.settled = current && s.ObservedGeneration >= d.Generation && s.UpdatedReplicas >= r.wanted && s.AvailableReplicas >= r.wanted && s.Replicas <= r.wanted
	r.describe(s.UpdatedReplicas)
	return r
}

func pods(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

func (r *rollout) describe(updated int32) {
	if r.settled && r.wanted == 0 {
		r.message = "stopped, as spec.endpoint.replicas says: no page is served"
		return
	}
	if r.settled {
		r.message = "every pod takes answers, with the survey as it is to be"
		return
	}
	r.message = fmt.Sprintf("%d of %d pods are as they are to be, %d take answers", min(updated, r.wanted), r.wanted, r.ready)
}
