package plan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestPlanThatIsOpened(t *testing.T) {
	s := situation(t)
	got := Decide(s).Create
	want := &v1alpha1.ActionPlan{
		TypeMeta: metav1.TypeMeta{APIVersion: "cx-operator.io/v1alpha1", Kind: "ActionPlan"},
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "sfo", Name: "food-satisfaction-20261121",
			Labels: map[string]string{
				"app.kubernetes.io/managed-by": "cx-operator",
				"cx-operator.io/opened-by":     "cx-operator",
				"cx-operator.io/program":       "passenger-experience",
			},
		},
		Spec: v1alpha1.ActionPlanSpec{
			TouchpointRef: &v1alpha1.NameRef{Name: "food"},
			Objective:     "satisfaction",
			Problem: "Restaurants: satisfaction (CSAT) is 55.72 (95 % interval 53.74 to 57.69) of 2,421 answers in the last 90 days; " +
				"the target is 65. This is a signal about the customers' experience, not about anyone's performance.",
			OwnerRef: &v1alpha1.NameRef{Name: "concessions"},
			DueDate:  "2026-12-21",
			State:    v1alpha1.WorkNotStarted,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.Spec.OwnerRef.Name = "other"
	if s.OwnerRef.Name != "concessions" {
		t.Error("the plan shares the owner with the situation")
	}
}

func TestPlanForAProgramWithoutOwner(t *testing.T) {
	s := situation(t)
	s.Touchpoint, s.DisplayName, s.OwnerRef = "", "", nil
	got := Decide(s).Create
	if got.Spec.TouchpointRef != nil || got.Spec.ProgramRef.Name != "passenger-experience" || got.Spec.OwnerRef != nil {
		t.Errorf("%+v", got.Spec)
	}
	if !strings.HasPrefix(got.Spec.Problem, "passenger-experience: satisfaction (CSAT) is") {
		t.Errorf("problem %q", got.Spec.Problem)
	}
}

func TestProblem(t *testing.T) {
	for _, c := range []struct {
		name string
		set  set
		want string
	}{
		{"below the privacy floor", func(s *Situation) { s.Status.Score, s.Status.Lower, s.Status.Upper = "", "", "" },
			"Restaurants: satisfaction (CSAT) is below its target of 65."},
		{"without an interval", func(s *Situation) { s.Status.Lower = "" },
			"Restaurants: satisfaction (CSAT) is 55.72 of 2,421 answers in the last 90 days; the target is 65."},
		{"without a known confidence", func(s *Situation) { s.ConfidencePercent = 0 },
			"Restaurants: satisfaction (CSAT) is 55.72 (interval 53.74 to 57.69) of 2,421 answers in the last 90 days; the target is 65."},
		{"one day, one answer, a decimal target", func(s *Situation) {
			s.Objective.WindowDays, s.Objective.Target = 1, intstr.FromString("62.5")
			s.Status.ReleasedResponses, s.Status.Responses = 0, 1
		}, "Restaurants: satisfaction (CSAT) is 55.72 (95 % interval 53.74 to 57.69) of 1 answer in the last 1 day; the target is 62.5."},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := c.want + " " + fairness
			if got := situation(t, c.set).problem(); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 days", 1: "1 day", 999: "999 days", 1000: "1,000 days", 123456: "123,456 days", 1234567: "1,234,567 days",
		-1: "-1 days", -123456: "-123,456 days",
	} {
		if got := count(n, "day"); got != want {
			t.Errorf("count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestDueDateCountsCalendarDays(t *testing.T) {
	for _, c := range []struct {
		now  string
		days int32
		want string
	}{
		{"2026-11-21T08:00:00Z", 30, "2026-12-21"},
		{"2026-11-21T07:59:59Z", 30, "2026-12-20"},
		{"2026-10-31T12:00:00Z", 1, "2026-11-01"},
		{"2026-11-01T12:00:00Z", 1, "2026-11-02"},
		{"2028-02-28T12:00:00Z", 1, "2028-02-29"},
		{"2026-12-31T12:00:00Z", 366, "2028-01-01"},
	} {
		s := situation(t, at(t, c.now))
		s.Rule.DueWithinDays = c.days
		if got := Decide(s).Create.Spec.DueDate; got != c.want {
			t.Errorf("%s + %d days = %s, want %s", c.now, c.days, got, c.want)
		}
	}
}

func TestName(t *testing.T) {
	los := zone(t, "America/Los_Angeles")
	if got := Name("food", "satisfaction", instant(t, "2026-11-22T07:59:59Z"), los); got != "food-satisfaction-20261121" {
		t.Error(got)
	}
	if got := Name("food", "satisfaction", instant(t, "2026-11-22T07:59:59Z"), nil); got != "food-satisfaction-20261122" {
		t.Error(got)
	}
	longest := Name(strings.Repeat("a", 63), strings.Repeat("b", 63), instant(t, "2026-11-22T07:59:59Z"), los)
	if problems := validation.IsDNS1123Subdomain(longest); len(longest) != 136 || len(problems) > 0 {
		t.Errorf("%d characters: %v", len(longest), problems)
	}
}

func TestNameThatBelongsToAnotherPlan(t *testing.T) {
	taken := func(name string) bool { return name == planName }
	s := situation(t)
	s.Taken = taken
	unique := Decide(s).Create.Name
	if !strings.HasPrefix(unique, planName+"-") || len(unique) != len(planName)+9 {
		t.Fatalf("name %q", unique)
	}
	if again := Decide(s).Create.Name; again != unique {
		t.Errorf("first %q, then %q", unique, again)
	}
	if problems := validation.IsDNS1123Subdomain(unique); len(problems) > 0 {
		t.Error(problems)
	}
	other := s
	other.Touchpoint = ""
	if got := other.name(other.Now); got == unique {
		t.Errorf("two objects, one name: %q", got)
	}
	// Its own plan does not stand in its way.
	s.Plans = []v1alpha1.ActionPlan{{ObjectMeta: metav1.ObjectMeta{Name: planName}, Spec: v1alpha1.ActionPlanSpec{State: v1alpha1.WorkCancelled}}}
	if d := Decide(s); d.Create != nil || d.PlanRef.Name != planName {
		t.Errorf("%+v", tell(d))
	}
}
