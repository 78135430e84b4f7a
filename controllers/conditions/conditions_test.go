package conditions

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/survey"
)

func problem(reason string) survey.Problem {
	return survey.Problem{Reason: reason, Field: "spec." + strings.ToLower(reason), Message: "is wrong"}
}

func TestResolve(t *testing.T) {
	for name, c := range map[string]struct {
		problems                    []survey.Problem
		ready, stalled, reconciling string
	}{
		"nothing is wrong":     {nil, "True/Reconciled", "False/AsExpected", "False/AsExpected"},
		"something is missing": {[]survey.Problem{problem("TeamNotFound")}, "False/TeamNotFound", "False/AsExpected", "True/Waiting"},
		"a step is retried":    {[]survey.Problem{problem("Retrying")}, "False/Retrying", "False/AsExpected", "True/Waiting"},
		"the spec is wrong":    {[]survey.Problem{problem("Cycle")}, "False/Cycle", "True/Cycle", "False/AsExpected"},
		"both: the spec goes first": {[]survey.Problem{problem("StoreNotFound"), problem("InvalidSpec"), problem("Cycle")},
			"False/InvalidSpec", "True/InvalidSpec", "False/AsExpected"},
		"the first of what is missing": {[]survey.Problem{problem("StoreNotFound"), problem("TeamNotFound")},
			"False/StoreNotFound", "False/AsExpected", "True/Waiting"},
	} {
		t.Run(name, func(t *testing.T) {
			var all []metav1.Condition
			Set{Conditions: &all, Generation: 7, Now: time.Unix(1000, 0)}.Resolve(c.problems, "fine")
			for kind, want := range map[string]string{"Ready": c.ready, "Stalled": c.stalled, "Reconciling": c.reconciling} {
				got := meta.FindStatusCondition(all, kind)
				if got == nil || string(got.Status)+"/"+got.Reason != want || got.ObservedGeneration != 7 {
					t.Errorf("%s is %+v, want %s", kind, got, want)
				}
			}
		})
	}
}

// The time of a condition moves with its status alone.
func TestTransitionTime(t *testing.T) {
	var all []metav1.Condition
	set := func(sec int64) Set { return Set{Conditions: &all, Generation: sec, Now: time.Unix(sec, 0)} }
	set(1).True(v1alpha1.ConditionMeasured, "Measured", "a")
	set(2).True(v1alpha1.ConditionMeasured, "Other", "b")
	if c := all[0]; c.LastTransitionTime.Unix() != 1 || c.Reason != "Other" || c.Message != "b" || c.ObservedGeneration != 2 {
		t.Errorf("%+v", c)
	}
	set(3).Unknown(v1alpha1.ConditionMeasured, "Other", "b")
	if c := all[0]; c.LastTransitionTime.Unix() != 3 || c.Status != metav1.ConditionUnknown {
		t.Errorf("%+v", c)
	}
}

func TestMessage(t *testing.T) {
	if got := Message([]survey.Problem{problem("A"), problem("B")}); got != "spec.a: is wrong; spec.b: is wrong" {
		t.Error(got)
	}
	var many []survey.Problem
	for i := range 12 {
		many = append(many, problem(fmt.Sprint(i)))
	}
	got := Message(many)
	if strings.Count(got, ";") != 10 || !strings.HasSuffix(got, "; and more") || strings.Contains(got, "spec.10") {
		t.Error(got)
	}
	// A condition takes 32,768 bytes: the longest field and message of ten problems stay well below.
	if len(got) > 3000 {
		t.Errorf("%d bytes", len(got))
	}
}
