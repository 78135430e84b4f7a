package controllers_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/render"
	"github.com/cx-operator/cx-operator/internal/store"
)

// The promise of each page's policy is in the survey that is served, and follows the policies.
func TestPromisesAreCompiled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	w.applyYAML(governedVisits())
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Contact = &v1alpha1.ContactForm{} })
	becomes[*v1alpha1.SurveyProgram](w, "visits", "Ready", "True/Reconciled")
	expect := func(want map[string]int32) {
		t.Helper()
		w.eventually("the promises are served", func() error {
			served, err := w.op.endpoint.LastGood(store.Key{Namespace: w.ns, Name: "visits"})
			if err != nil {
				return err
			}
			if served == nil {
				return errors.New("nothing is served")
			}
			got := map[string]int32{}
			for page, rule := range served.FollowUps {
				got[page] = rule.WithinHours
			}
			if diff := cmp.Diff(want, got); diff != "" {
				return fmt.Errorf("(-want +got):\n%s", diff)
			}
			return nil
		})
	}
	expect(map[string]int32{})
	change(w, "protocol", func(p *v1alpha1.AccountabilityPolicy) { p.Spec.FollowUp = &v1alpha1.FollowUp{ContactWithinHours: 48} })
	expect(map[string]int32{"": 48, "desk": 48, "rooms": 48})
	w.applyYAML(`
kind: AccountabilityPolicy
apiVersion: cx-operator.io/v1alpha1
metadata: {name: fast}
spec:
  selector: {matchLabels: {promise: fast}}
  priority: 1
  followUp: {contactWithinHours: 4}
`)
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Labels = map[string]string{"promise": "fast"} })
	expect(map[string]int32{"": 48, "desk": 4, "rooms": 48})
	change(w, "desk", func(tp *v1alpha1.Touchpoint) { tp.Labels = nil })
	remove[*v1alpha1.AccountabilityPolicy](w, "protocol")
	expect(map[string]int32{})
}

// The promises reach the pods of a Dedicated program as well: in the survey that they serve.
func TestPromisesReachDedicatedEndpoints(t *testing.T) {
	t.Parallel()
	w := startDedicated(t)
	change(w, "visits", func(p *v1alpha1.SurveyProgram) { p.Spec.Survey.Contact = &v1alpha1.ContactForm{} })
	w.applyYAML(protocol + "  followUp: {contactWithinHours: 12}\n")
	w.eventually("the promise is in the survey", func() error {
		served, err := render.SurveyOf(get[*corev1.ConfigMap](w, endpointName))
		if err != nil {
			return err
		}
		if got := served.FollowUps["desk"].WithinHours; got != 12 {
			return fmt.Errorf("contact within %d hours, want 12", got)
		}
		return nil
	})
}
