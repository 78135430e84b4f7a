package attention

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

var now = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func meta(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Namespace: "sfo", Name: name} }

func ref(name string) *v1alpha1.NameRef { return &v1alpha1.NameRef{Name: name} }

func since(hours int) metav1.Time { return metav1.NewTime(now.Add(time.Duration(hours) * time.Hour)) }

// airport has everything that can need attention.
func airport() Inventory {
	team := func(name string, level v1alpha1.TeamLevel, parent string) v1alpha1.Team {
		t := v1alpha1.Team{ObjectMeta: meta(name), Spec: v1alpha1.TeamSpec{DisplayName: name, Level: level}}
		if parent != "" {
			t.Spec.ParentRef = ref(parent)
		}
		return t
	}
	program := v1alpha1.SurveyProgram{ObjectMeta: meta("passengers")}
	program.Spec.OwnerRef = ref("airport")
	program.Status.Breaches = []v1alpha1.Breach{{Type: v1alpha1.BreachSponsorMissing, Since: since(-10)}}
	food := v1alpha1.Touchpoint{ObjectMeta: meta("food")}
	food.Spec.OwnerRef, food.Spec.ProgramRef = ref("anna"), *ref("passengers")
	food.Status.Breaches = []v1alpha1.Breach{{Type: v1alpha1.BreachObjectiveMissed, Objective: "satisfaction", Since: since(-100)}}
	cars := v1alpha1.Touchpoint{ObjectMeta: meta("cars")}
	cars.Spec.ProgramRef = *ref("passengers")
	cars.Status.Breaches = []v1alpha1.Breach{{Type: v1alpha1.BreachOwnerMissing, Since: since(-1)}}
	plan := v1alpha1.ActionPlan{ObjectMeta: meta("better-food")}
	plan.Spec.TouchpointRef, plan.Spec.Objective, plan.Spec.State = ref("food"), "satisfaction", v1alpha1.WorkNotStarted
	ack, due := since(20), since(24*30)
	plan.Status.AcknowledgeBy, plan.Status.DueTime = &ack, &due
	done := *plan.DeepCopy()
	done.Name, done.Spec.State = "done", v1alpha1.WorkComplete
	review := v1alpha1.Review{ObjectMeta: meta("w46")}
	review.Spec.ProgramRef = *ref("passengers")
	hold := since(48)
	review.Status.DueTime = &hold
	return Inventory{
		Programs: []v1alpha1.SurveyProgram{program}, Touchpoints: []v1alpha1.Touchpoint{food, cars},
		Plans: []v1alpha1.ActionPlan{plan, done}, Reviews: []v1alpha1.Review{review},
		Teams: []v1alpha1.Team{
			team("airport", v1alpha1.TeamCompany, ""), team("concessions", v1alpha1.TeamDepartment, "airport"), team("anna", v1alpha1.TeamPerson, "concessions"),
		},
	}
}

// said is an item in short.
func said(i Item) string {
	return strings.TrimSpace(strings.Join([]string{i.Name, string(i.Breach) + i.Due, i.Objective, i.Team}, " "))
}

func all(items []Item) string {
	var texts []string
	for _, i := range items {
		texts = append(texts, said(i))
	}
	return strings.Join(texts, "; ")
}

// The oldest breach comes first, then what falls due first; a person's team stands for the person.
func TestOf(t *testing.T) {
	tests := map[string]string{
		"":            "food ObjectiveMissed satisfaction concessions; passengers SponsorMissing  airport; cars OwnerMissing  airport; better-food acknowledge satisfaction concessions; w46 hold  airport",
		"concessions": "food ObjectiveMissed satisfaction concessions; better-food acknowledge satisfaction concessions",
		"anna":        "food ObjectiveMissed satisfaction concessions; better-food acknowledge satisfaction concessions",
		"airport":     "food ObjectiveMissed satisfaction concessions; passengers SponsorMissing  airport; cars OwnerMissing  airport; better-food acknowledge satisfaction concessions; w46 hold  airport",
		"security":    "",
	}
	for team, want := range tests {
		if got := all(Of(airport(), team, now)); got != want {
			t.Errorf("team %q\n got %s\nwant %s", team, got, want)
		}
	}
}

// What is past is a breach, not something that falls due; what is far ahead is neither.
func TestDue(t *testing.T) {
	for hours, want := range map[int]bool{-1: false, 0: false, 1: true, 7 * 24: true, 7*24 + 1: false} {
		in := airport()
		by := since(hours)
		in.Reviews[0].Status.DueTime = &by
		if got := strings.Contains(all(Of(in, "", now)), "w46"); got != want {
			t.Errorf("due in %d h: shown %t", hours, got)
		}
	}
	in := airport()
	held := since(-1)
	in.Reviews[0].Spec.HeldTime = &held
	if strings.Contains(all(Of(in, "", now)), "w46") {
		t.Error("a review that was held is to be held")
	}
}

func TestTeamsInACircle(t *testing.T) {
	in := airport()
	in.Teams[0].Spec.Level, in.Teams[0].Spec.ParentRef = v1alpha1.TeamDepartment, ref("concessions")
	if got := Of(in, "security", now); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// Every type of breach is explained, and has a runbook.
func TestExplain(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "..", "api", "v1alpha1", "common_types.go"))
	if err != nil {
		t.Fatal(err)
	}
	_, enum, _ := strings.Cut(string(source), "+kubebuilder:validation:Enum=ObjectiveMissed")
	enum, _, _ = strings.Cut("ObjectiveMissed"+enum, "\n")
	kinds := strings.Split(enum, ";")
	if len(kinds) != len(Types()) {
		t.Errorf("%d types are listed, the API has %d", len(Types()), len(kinds))
	}
	for _, kind := range kinds {
		a, ok := Explain(v1alpha1.BreachType(kind))
		if !ok || a.Meaning == "" || a.Do == "" || a.Clears == "" {
			t.Errorf("%s is not explained: %+v", kind, a)
		}
		if _, err := os.Stat(filepath.Join("..", "..", "..", "docs", "runbooks", "CX"+kind+".md")); err != nil {
			t.Error(err)
		}
	}
}
