package monitoring

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/monitoring/harness"
)

const (
	cafeNamespace = "cafe"
	cafeProgram   = "visits"
)

// reviewed are the café's last two weeks: one was talked about, the other is to be.
const reviewed = `apiVersion: cx-operator.io/v1alpha1
kind: Review
metadata: {name: held, namespace: cafe}
spec:
  programRef: {name: visits}
  period: {from: %q, to: %q}
  attendees: [{name: baristas}]
  heldTime: %q
---
apiVersion: cx-operator.io/v1alpha1
kind: Review
metadata: {name: awaited, namespace: cafe}
spec:
  programRef: {name: visits}
  period: {from: %q, to: %q}
`

// newGrinder is a plan that was carried out three weeks ago.
const newGrinder = `apiVersion: cx-operator.io/v1alpha1
kind: ActionPlan
metadata: {name: new-grinder, namespace: cafe}
spec:
  touchpointRef: {name: counter}
  objective: satisfaction
  problem: The coffee tastes burnt.
  dueDate: %q
  state: Complete
  acknowledgement: {by: Head barista, time: %q}
  effect: {washoutDays: 0, windowDays: 7}
`

// visitCafe has the café's customers say what they think before and after a plan, and one of them leave an address. The operator
// runs, and is ended in it.
func (k *cluster) visitCafe() {
	k.Helper()
	now := time.Now().UTC()
	before := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	day := func(days int) string { return before(days).Format(time.DateOnly) }
	k.importCafe(24, 40, before(24))
	k.importCafe(37, 40, before(16))
	k.complain()
	k.applyText(fmt.Sprintf(reviewed, day(14), day(8), before(1).Format(time.RFC3339), day(7), day(1)))
	// A plan is judged by when the operator saw it begin and end, and it has seen this one: it is written while none looks.
	k.rest()
	k.applyText(fmt.Sprintf(newGrinder, day(20), before(22).Format(time.RFC3339)))
	seen := fmt.Sprintf(`{"status":{"state":"Complete","startedTime":%q,"stateSince":%q}}`,
		before(22).Format(time.RFC3339), before(20).Format(time.RFC3339))
	plan := &v1alpha1.ActionPlan{}
	plan.Namespace, plan.Name = cafeNamespace, "new-grinder"
	if err := k.c.Status().Patch(k.Context(), plan, client.RawPatch("application/merge-patch+json", []byte(seen))); err != nil {
		k.Fatal(err)
	}
}

// importCafe imports answers of which so many liked their coffee.
func (k *cluster) importCafe(liked, of int, at time.Time) {
	k.Helper()
	var lines strings.Builder
	for i := range of {
		value := 2
		if i < liked {
			value = 5
		}
		fmt.Fprintf(&lines, `{"id":%q,"touchpoint":"counter","answers":{"coffee":%d},"submittedAt":%q}`+"\n",
			uuid.NewString(), value, at.Format(time.RFC3339))
	}
	k.send(http.StatusOK, http.MethodPost, k.api(cafeNamespace, cafeProgram)+"/responses:import",
		k.secret(cafeNamespace, cafeProgram+"-tokens", "import"), "application/x-ndjson", lines.String())
}

// complain is a customer who may be contacted, once the promise to do so is served, and whom nobody contacts.
func (k *cluster) complain() {
	k.Helper()
	body := fmt.Sprintf(`{"id":%q,"touchpoint":"counter","answers":{"coffee":1},"contact":{"address":"ana@example.org","consent":true}}`, uuid.NewString())
	harness.Eventually(k.T, patience, "an answer with an address is taken", func() error {
		status, text, err := k.call(http.MethodPost, k.api(cafeNamespace, cafeProgram)+"/responses", "", "application/json", body)
		if err == nil && status != http.StatusCreated {
			err = fmt.Errorf("%d: %.500s", status, text)
		}
		return err
	})
}
