package feedback

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
)

const caseID = "0b6b1c1e-2f4e-4c3a-9a55-0123456789ab"

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// stored is a case that has been resolved, with microseconds that JSON does not have.
func stored() store.Case {
	return store.Case{
		Program: store.Key{Namespace: "sfo", Name: "stay"}, ID: caseID, Touchpoint: "gate", Language: "en", Reasons: []string{"ContactRequested", "Detractor"},
		State: store.CaseContacted, OpenedAt: noon.Add(1234 * time.Microsecond), PromisedBy: noon.Add(48 * time.Hour), ContactedAt: noon.Add(time.Hour + 999*time.Microsecond),
		Plan: "queues", Answers: []store.Answer{{Question: "recommend", Revision: 2, Kind: store.KindScale, Values: []string{"3"}}},
		History: []store.CaseEvent{{At: noon, State: store.CaseOpen}, {At: noon.Add(time.Hour), By: "ada", State: store.CaseContacted, Note: "Called"}}, Version: 7,
	}
}

func TestCaseOf(t *testing.T) {
	got := caseOf(stored(), "care", noon.Add(72*time.Hour))
	if got.Name != "stay."+caseID || got.Namespace != "sfo" || got.ResourceVersion != "7" || string(got.UID) != caseID || !got.CreationTimestamp.Equal(&metav1.Time{Time: noon}) {
		t.Errorf("metadata = %+v", got.ObjectMeta)
	}
	if want := map[string]string{"cx-operator.io/program": "stay", "cx-operator.io/touchpoint": "gate"}; !reflect.DeepEqual(got.Labels, want) {
		t.Errorf("labels = %v, want %v", got.Labels, want)
	}
	// Contacted late, but contacted: nobody is overdue.
	if got.Status.Overdue || got.Status.Owner != "care" || got.Spec.PlanRef.Name != "queues" || len(got.Status.History) != 2 || got.Status.ResolvedTime != nil {
		t.Errorf("got %+v", got)
	}
	open := stored()
	open.State, open.Touchpoint, open.Plan = store.CaseOpen, "", ""
	for at, want := range map[time.Time]bool{open.PromisedBy.Add(-time.Nanosecond): false, open.PromisedBy: true} {
		if c := caseOf(open, "", at); c.Status.Overdue != want || c.Spec.PlanRef != nil || len(c.Labels) != 1 {
			t.Errorf("at %s: %+v, want overdue %t", at, c, want)
		}
	}
}

// roundTrip is what a client sends that changes nothing of what it read.
func roundTrip(t *testing.T, c *feedbackv1alpha1.Case) *feedbackv1alpha1.Case {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out := &feedbackv1alpha1.Case{}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestChangeOf(t *testing.T) {
	plan := func(s string) *string { return &s }
	for name, c := range map[string]struct {
		edit func(c *feedbackv1alpha1.Case)
		want store.CaseChange // of State, Plan and Note
		errs []string
	}{
		"nothing":          {edit: func(*feedbackv1alpha1.Case) {}},
		"a state":          {edit: func(c *feedbackv1alpha1.Case) { c.Spec.State = "Informed" }, want: store.CaseChange{State: store.CaseInformed}},
		"a note":           {edit: func(c *feedbackv1alpha1.Case) { c.Spec.Note = "Hm" }, want: store.CaseChange{Note: "Hm"}},
		"another plan":     {edit: func(c *feedbackv1alpha1.Case) { c.Spec.PlanRef.Name = "signs" }, want: store.CaseChange{Plan: plan("signs")}},
		"no plan any more": {edit: func(c *feedbackv1alpha1.Case) { c.Spec.PlanRef = nil }, want: store.CaseChange{Plan: plan("")}},
		"no status":        {edit: func(c *feedbackv1alpha1.Case) { c.Status = feedbackv1alpha1.CaseStatus{} }},
		"what moves by itself": {edit: func(c *feedbackv1alpha1.Case) {
			c.Status.Overdue, c.Status.Owner, c.Status.Answers, c.Status.ContactErasedTime = true, "other", nil, &metav1.Time{Time: noon}
		}},
		"what kubectl apply notes":  {edit: func(c *feedbackv1alpha1.Case) { c.Annotations = map[string]string{lastApplied: "{}"} }},
		"what field managers note":  {edit: func(c *feedbackv1alpha1.Case) { c.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}} }},
		"a state before":            {edit: func(c *feedbackv1alpha1.Case) { c.Spec.State = "Open" }, errs: []string{"spec.state", "it is Contacted"}},
		"no state":                  {edit: func(c *feedbackv1alpha1.Case) { c.Spec.State = "" }, errs: []string{"spec.state: Required"}},
		"a state that is none":      {edit: func(c *feedbackv1alpha1.Case) { c.Spec.State = "closed" }, errs: []string{"spec.state: Unsupported"}},
		"a long note":               {edit: func(c *feedbackv1alpha1.Case) { c.Spec.Note = strings.Repeat("n", 2001) }, errs: []string{"spec.note: Too long"}},
		"a note that is no text":    {edit: func(c *feedbackv1alpha1.Case) { c.Spec.Note = "a\x00" }, errs: []string{"spec.note"}},
		"a plan without a name":     {edit: func(c *feedbackv1alpha1.Case) { c.Spec.PlanRef.Name = "" }, errs: []string{"spec.planRef.name: Required"}},
		"a plan with too long one":  {edit: func(c *feedbackv1alpha1.Case) { c.Spec.PlanRef.Name = strings.Repeat("p", 254) }, errs: []string{"spec.planRef.name: Too long"}},
		"a label":                   {edit: func(c *feedbackv1alpha1.Case) { c.Labels["a"] = "b" }, errs: []string{"metadata.labels"}},
		"no labels":                 {edit: func(c *feedbackv1alpha1.Case) { c.Labels = nil }, errs: []string{"metadata.labels"}},
		"an annotation":             {edit: func(c *feedbackv1alpha1.Case) { c.Annotations = map[string]string{"a": "b"} }, errs: []string{"metadata.annotations[a]"}},
		"a finalizer":               {edit: func(c *feedbackv1alpha1.Case) { c.Finalizers = []string{"a"} }, errs: []string{"metadata.finalizers"}},
		"an owner":                  {edit: func(c *feedbackv1alpha1.Case) { c.OwnerReferences = []metav1.OwnerReference{{}} }, errs: []string{"metadata.ownerReferences"}},
		"another promise":           {edit: func(c *feedbackv1alpha1.Case) { c.Status.PromisedBy = metav1.Time{} }, errs: []string{"status: Forbidden"}},
		"another history":           {edit: func(c *feedbackv1alpha1.Case) { c.Status.History = nil }, errs: []string{"status: Forbidden"}},
		"two things at once":        {edit: func(c *feedbackv1alpha1.Case) { c.Spec.State, c.Spec.Note = "", strings.Repeat("n", 3000) }, errs: []string{"spec.state", "spec.note"}},
		"a state and what is noted": {edit: func(c *feedbackv1alpha1.Case) { c.Spec.State, c.Spec.Note = "Resolved", "Done" }, want: store.CaseChange{State: store.CaseResolved, Note: "Done"}},
	} {
		t.Run(name, func(t *testing.T) {
			old := caseOf(stored(), "care", noon)
			next := roundTrip(t, old)
			c.edit(next)
			got, changed, errs := changeOf(old, next, 7, "ada", noon)
			if len(errs) != len(c.errs) && len(c.errs) == 0 {
				t.Fatalf("errors %v", errs)
			}
			for _, word := range c.errs {
				if !strings.Contains(errs.ToAggregate().Error(), word) {
					t.Errorf("errors %v, want %q", errs, word)
				}
			}
			if len(c.errs) > 0 {
				return
			}
			c.want.ID, c.want.Version, c.want.By, c.want.At = caseID, 7, "ada", noon
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if want := c.want.State != "" || c.want.Plan != nil || c.want.Note != ""; changed != want {
				t.Errorf("changed = %t, want %t", changed, want)
			}
		})
	}
}

// A preview says what the store will say.
func TestPreview(t *testing.T) {
	s := stored()
	s.State, s.ContactedAt = store.CaseOpen, time.Time{}
	old := caseOf(s, "care", noon.Add(100*time.Hour))
	plan := "signs"
	got := preview(old, store.CaseChange{State: store.CaseInformed, Plan: &plan, Note: "Done", By: "ada", At: noon})
	if got.Spec.State != "Informed" || got.Spec.PlanRef.Name != "signs" || got.Status.ContactedTime == nil || got.Status.ResolvedTime == nil ||
		got.Status.InformedTime == nil || got.Status.Overdue || len(got.Status.History) != 3 {
		t.Errorf("got %+v", got)
	}
	none := ""
	if got = preview(old, store.CaseChange{Plan: &none, At: noon}); got.Spec.PlanRef != nil || got.Spec.State != "Open" || got.Status.ContactedTime != nil {
		t.Errorf("got %+v", got)
	}
	if old.Spec.PlanRef.Name != "queues" || len(old.Status.History) != 2 {
		t.Error("the case itself was changed")
	}
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{"": "", "ada": "ada", "adam": "adam", "adams": "adam", "adañ": "ada", "añañ": "aña", "€€": "€"} {
		if got := cut(text, 4); got != want {
			t.Errorf("cut(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestSplitName(t *testing.T) {
	for name, want := range map[string]bool{
		"stay." + caseID: true, "stay": false, "." + caseID: false, caseID: false, "stay." + strings.ToUpper(caseID): false,
		"stay.x" + caseID: false, "stay." + caseID[1:]: false, "stay.0b6b1c1e+2f4e-4c3a-9a55-0123456789ab": false, "a.b." + caseID: false,
	} {
		program, id, ok := splitName(name)
		if ok != want || ok && caseName(program, id) != name {
			t.Errorf("splitName(%q) = %q, %q, %t, want %t", name, program, id, ok, want)
		}
	}
}
