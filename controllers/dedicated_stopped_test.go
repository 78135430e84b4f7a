package controllers_test

import (
	"errors"
	"fmt"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// An endpoint is stopped by replicas: 0, for a restore for instance, and goes on with what it had.
func TestDedicatedStopped(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	w.postAt("visits", answer("desk", "ease", 2))
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Replicas = ptr.To[int32](0) })
	w.eventually("the endpoint is stopped", func() error {
		p := get[*v1alpha1.SurveyProgram](w, "visits")
		if e := p.Status.Endpoint; e == nil || e.Replicas == nil || *e.Replicas != 0 || e.ReadyReplicas == nil || *e.ReadyReplicas != 0 {
			return fmt.Errorf("endpoint %+v", e)
		}
		return errors.Join(is(p, "Ready", "True/Reconciled"), is(p, "EndpointReady", "True/EndpointReady"))
	})
	if w.node.isReady(t.Context(), endpointName) {
		t.Error("it still serves")
	}
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Endpoint.Replicas = nil })
	w.inService("visits")
	w.postAt("visits", answer("desk", "ease", 3))
}
