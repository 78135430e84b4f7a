package notifier

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/escalation"
	"github.com/cx-operator/cx-operator/internal/notify"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// Three weeks of a breach that nobody answers pass in seconds: it is told to the owner, to its lead, to the team above and to
// the sponsor, never at night or on a weekend, each step once, although a new leader takes over every day.
func TestEscalatesOverWeeks(t *testing.T) {
	w := newWorld(t)
	w.apply(fmt.Sprintf(`
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: retail}
spec:
  displayName: Retail
  level: Department
  parentRef: {name: airport}
  notify:
    channels:
    - {name: hook, webhook: {url: "%[1]s/hook"}}
    - {name: lead, audience: Lead, webhook: {url: "%[1]s/lead"}}
    quietHours: {from: "18:00", to: "08:00", days: [Saturday, Sunday], timeZone: Europe/Madrid}
---
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: chief}
spec:
  displayName: Chief Customer Officer
  level: Department
  notify: {channels: [{name: desk, webhook: {url: "%[1]s/desk"}}]}
---
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: ann}
spec:
  displayName: A person
  level: Person
  parentRef: {name: retail}
  notify: {channels: [{name: private, webhook: {url: "%[1]s/private"}}]}
---
apiVersion: cx-operator.io/v1alpha1
kind: SurveyProgram
metadata: {name: visits}
spec:
  displayName: Visits
  purpose: Know whether it is easy.
  ownerRef: {name: airport}
  executiveSponsor: {displayName: Chief, teamRef: {name: chief}}
  storeRef: {name: answers}
  survey:
    defaultLanguage: en
    title: {en: Your visit}
    questions: [{name: ease, type: CES, text: {en: "Was it easy?"}}]
`, w.receiver.URL))
	w.touchpoint("gate", "ann")
	madrid, err := time.LoadLocation("Europe/Madrid")
	if err != nil {
		t.Fatal(err)
	}
	w.now = time.Date(2026, time.November, 13, 19, 0, 0, 0, madrid) // a Friday evening
	steps := []v1alpha1.EscalationStep{
		{AfterHours: 48, To: v1alpha1.EscalateLead}, {AfterHours: 168, To: v1alpha1.EscalateParentTeam}, {AfterHours: 336, To: v1alpha1.EscalateSponsor},
	}
	var told []string
	for hour := range 21 * 24 {
		if hour%24 == 0 {
			w.lead()
		}
		w.escalates("gate", steps)
		w.runs(time.Hour)
		got := w.receiver.taken() // the channels are served beside each other
		slices.SortFunc(got, func(a, b message) int { return strings.Compare(a.kind, b.kind) })
		for _, m := range got {
			_, channel, _ := strings.Cut(m.id, "_")
			told = append(told, fmt.Sprintf("%s %s %s", w.clock().In(madrid).Format("Mon 01-02 15h"), channel, strings.TrimPrefix(m.kind, "io.cx-operator.breach.")))
		}
	}
	want := []string{
		"Mon 11-16 08h retail_lead escalated", "Mon 11-16 08h retail_hook opened",
		"Fri 11-20 20h airport_board escalated", "Fri 11-27 20h chief_desk escalated",
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
}

// escalates does what the controller of a touchpoint does in each pass: the breach, its steps and its notices in one write.
func (w *world) escalates(name string, steps []v1alpha1.EscalationStep) {
	w.t.Helper()
	tp := w.get(name)
	before := tp.DeepCopy()
	now := w.clock()
	wanted := []v1alpha1.Breach{{Type: v1alpha1.BreachPlanMissing, Objective: "easy"}}
	open, transitions := breach.Merge(before.Status.Breaches, wanted, now)
	open, taken, _ := escalation.Advance(open, steps, now)
	ts := append(notify.FromBreaches(transitions, now), notify.FromEscalation(taken, now)...)
	if len(ts) == 0 {
		return
	}
	tp.Status.Breaches, tp.Status.Outbox = open, notify.Enqueue(tp.Status.Outbox, tp.UID, ts, now)
	if err := w.r.PatchStatus(w.t.Context(), tp, before); err != nil {
		w.t.Fatal(err)
	}
}

// Cases are told from the outbox of a real store: when they are opened, and when they are overdue.
func TestCases(t *testing.T) {
	w := newWorld(t)
	w.touchpoint("gate", "retail")
	tp := w.get("gate")
	before := tp.DeepCopy()
	tp.Status.Cases = &v1alpha1.CaseFigures{}
	if err := w.r.PatchStatus(t.Context(), tp, before); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "answers.sqlite"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	program := store.Key{Namespace: w.ns, Name: "visits"}
	id := uuid.NewString()
	results, err := s.Append(t.Context(), []store.Response{{
		Program: program, ID: uuid.NewString(), Digest: sha256.Sum256([]byte("x")), Receipt: "receipt", Touchpoint: "gate", Language: "en",
		SubmittedAt: w.clock(), Answers: []store.Answer{{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"1"}}},
		Case: &store.CaseOpening{
			ID: id, Reasons: []string{"LowScore"}, PromisedBy: w.clock().Add(49 * time.Hour).Truncate(time.Hour), Contact: []byte("sealed"),
			ContactHash: make([]byte, 32), RetentionDays: 90,
		},
	}})
	if err != nil {
		t.Fatal(results, err)
	}
	desks := func(*v1alpha1.SurveyProgram) (desk.Desk, error) { return desk.Of(s, desk.Keys{}), nil }
	w.r.Desks = desks
	w.receiver.answers(func(rw http.ResponseWriter, _ message) { rw.WriteHeader(http.StatusServiceUnavailable) })
	w.runs(time.Minute)
	failed := w.receiver.taken()
	if len(failed) == 0 || failed[0].kind != "io.cx-operator.case.opened" || failed[0].data.Case != id || failed[0].data.Touchpoint != "gate" {
		t.Fatalf("%+v", failed)
	}
	w.receiver.answers(nil)
	w.lead()
	w.r.Desks = desks
	w.runs(time.Hour)
	if got := w.receiver.taken(); len(got) != 1 || got[0].id != failed[0].id {
		t.Fatalf("a new leader: %+v", got)
	}
	w.advance(49 * time.Hour)
	w.runs(time.Hour)
	if got := w.receiver.taken(); len(got) != 1 || got[0].kind != "io.cx-operator.case.overdue" || got[0].data.Case != id {
		t.Fatalf("%+v", got)
	}
	for _, state := range []v1alpha1.DeliveryState{v1alpha1.DeliveryPending, v1alpha1.DeliveryDead} {
		if left, err := s.Notices(context.Background(), program, string(state), 0, 10, w.clock()); err != nil || len(left) > 0 {
			t.Errorf("%s: %+v, %v", state, left, err)
		}
	}
}

// The Secrets of channels are read when a message is sent: one that is made later counts then.
func TestSecrets(t *testing.T) {
	w := newWorld(t)
	w.apply(`
apiVersion: cx-operator.io/v1alpha1
kind: Team
metadata: {name: retail}
spec:
  displayName: Retail
  level: Department
  notify: {channels: [{name: hook, webhook: {urlSecretRef: {name: hook, key: url}}}]}
`)
	w.touchpoint("gate", "retail")
	w.happens("gate", planMissing)
	w.runs(20 * time.Second)
	if d := w.delivery("gate"); d.State != v1alpha1.DeliveryPending || d.Problem != "there is no Secret hook" {
		t.Fatalf("%+v", d)
	}
	w.apply(fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {name: hook}
stringData: {url: "%s/x\n"}
`, w.receiver.URL))
	w.runs(5 * time.Minute)
	if got := w.receiver.taken(); len(got) != 1 || w.delivery("gate").State != v1alpha1.DeliveryDelivered {
		t.Errorf("%+v, %+v", got, w.delivery("gate"))
	}
}

// Whose an outbox's notices are: an action's team, then the plan's, the touchpoint's and the program's.
func TestOwners(t *testing.T) {
	ref := func(name string) *v1alpha1.NameRef { return &v1alpha1.NameRef{Name: name} }
	program := &v1alpha1.SurveyProgram{ObjectMeta: metav1.ObjectMeta{Name: "visits"}}
	program.Spec.OwnerRef = ref("airport")
	touchpoint := &v1alpha1.Touchpoint{ObjectMeta: metav1.ObjectMeta{Name: "gate"}}
	touchpoint.Spec.ProgramRef.Name, touchpoint.Spec.OwnerRef = "visits", ref("retail")
	plan := &v1alpha1.ActionPlan{}
	plan.Spec.TouchpointRef, plan.Spec.OwnerRef = ref("gate"), ref("planners")
	plan.Spec.Actions = []v1alpha1.Action{{Name: "signs", OwnerRef: ref("signs-team")}, {Name: "other"}}
	whole := &v1alpha1.ActionPlan{}
	whole.Spec.ProgramRef = ref("visits")
	review := &v1alpha1.Review{}
	review.Spec.ProgramRef.Name = "visits"
	p := &pass{
		programs:    map[string]*v1alpha1.SurveyProgram{"visits": program},
		touchpoints: map[string]*v1alpha1.Touchpoint{"gate": touchpoint},
	}
	overdue := func(action string) *v1alpha1.Notice {
		return &v1alpha1.Notice{Breach: v1alpha1.BreachActionOverdue, Item: action}
	}
	for _, tt := range []struct {
		of   client.Object
		n    *v1alpha1.Notice
		want []string
	}{
		{program, overdue(""), []string{"airport"}},
		{touchpoint, overdue(""), []string{"retail", "airport"}},
		{plan, overdue("signs"), []string{"signs-team", "planners", "retail", "airport"}},
		{plan, overdue("other"), []string{"planners", "retail", "airport"}},
		{plan, &v1alpha1.Notice{Breach: v1alpha1.BreachPlanOverdue, Item: "signs"}, []string{"planners", "retail", "airport"}},
		{whole, overdue(""), []string{"airport"}},
		{review, overdue(""), []string{"airport"}},
	} {
		if diff := cmp.Diff(tt.want, p.owners(tt.of, tt.n)); diff != "" {
			t.Errorf("%T %s:\n%s", tt.of, tt.n.Item, diff)
		}
	}
}
