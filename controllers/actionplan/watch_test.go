package actionplan

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

func TestFiguresAppeared(t *testing.T) {
	verdict := func(name string, score string) v1alpha1.ObjectiveStatus {
		return v1alpha1.ObjectiveStatus{Name: name, Score: score}
	}
	status := func(through string, verdicts ...v1alpha1.ObjectiveStatus) v1alpha1.TouchpointStatus {
		return v1alpha1.TouchpointStatus{Objectives: verdicts, Judged: &v1alpha1.Judging{Through: through}}
	}
	for name, c := range map[string]struct {
		last, next v1alpha1.TouchpointStatus
		want       bool
	}{
		"nothing": {status("", verdict("a", "1")), status("", verdict("a", "1")), false},
		"figures that moved": {
			status("", verdict("a", "1")), status("", verdict("a", "2")), false,
		},
		"the first figures": {
			status("", verdict("a", "")), status("", verdict("a", "2")), true,
		},
		"a new objective with figures": {
			status("", verdict("a", "1")), status("", verdict("a", "1"), verdict("b", "1")), true,
		},
		"a new objective without figures": {
			status("", verdict("a", "1")), status("", verdict("a", "1"), verdict("b", "")), false,
		},
		"figures that went": {
			status("", verdict("a", "1")), status("", verdict("a", "")), false,
		},
		"the first figures while others went": {
			status("", verdict("a", "1"), verdict("b", "")), status("", verdict("a", ""), verdict("b", "1")), true,
		},
		"a judging point": {
			status("2026-11-20", verdict("a", "1")), status("2026-11-21", verdict("a", "1")), true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			touchpoint := event.UpdateEvent{ObjectOld: &v1alpha1.Touchpoint{Status: c.last}, ObjectNew: &v1alpha1.Touchpoint{Status: c.next}}
			if got := figuresAppeared.Update(touchpoint); got != c.want {
				t.Errorf("of a touchpoint passes: %v, want %v", got, c.want)
			}
			program := func(s v1alpha1.TouchpointStatus) *v1alpha1.SurveyProgram {
				return &v1alpha1.SurveyProgram{Status: v1alpha1.SurveyProgramStatus{Objectives: s.Objectives, Judged: s.Judged}}
			}
			if got := figuresAppeared.Update(event.UpdateEvent{ObjectOld: program(c.last), ObjectNew: program(c.next)}); got != c.want {
				t.Errorf("of a program passes: %v, want %v", got, c.want)
			}
		})
	}
}
