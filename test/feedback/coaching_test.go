package feedback

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestCoaching(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	i.teams(t, namespace)
	_, program := i.open(t, namespace, "stay")
	last := store.HourOf(time.Now()) - 48
	var counts []store.Count
	for value, n := range map[int]int64{3: 2, 9: 6, 10: 2} {
		for _, unit := range []string{"anna", "ben"} {
			counts = append(counts, store.Count{Program: program, Unit: unit, Question: "recommend", Revision: 1, Hour: last, Value: strconv.Itoa(value), N: n})
		}
	}
	i.book.Apply(namespace+"/answers", store.Changes{Reset: true, Counts: counts}, time.Now())
	defer i.book.Forget(namespace + "/answers")

	own := rbacv1.PolicyRule{APIGroups: []string{"feedback.cx-operator.io"}, Resources: []string{"coachings"}, ResourceNames: []string{"anna"}, Verbs: []string{"get", "list"}}
	i.grant(t, "annas-lead", namespace, own)
	out := i.must(t, "annas-lead", "-n", namespace, "get", "coaching", "anna", "-o", "json")
	out = out[strings.Index(out, "{"):] // the text of use comes first, as a warning
	var c feedbackv1alpha1.Coaching
	if err := json.Unmarshal([]byte(out), &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Status.Scores) != 1 || c.Status.Use != v1alpha1.CoachingText {
		t.Fatalf("got %+v", c)
	}
	if s := c.Status.Scores[0]; s.Score != "60.00" || s.Responses != 10 || s.State != feedbackv1alpha1.CoachingShown || s.Lower == "" || s.Upper == "" {
		t.Errorf("got %+v", s)
	}
	printed := i.must(t, "annas-lead", "-n", namespace, "get", "cxcoach", "anna")
	for _, word := range []string{"never for pay, appraisal or dismissal", "60.00", "RESPONSES"} {
		if !strings.Contains(printed, word) {
			t.Errorf("kubectl prints no %q:\n%s", word, printed)
		}
	}
	i.refused(t, "annas-lead", []string{"Forbidden"}, "-n", namespace, "get", "coaching", "care")
	i.refused(t, "annas-lead", []string{"Forbidden"}, "-n", namespace, "get", "coachings")
	// Who may read all reads one after the other: scores never stand beside each other.
	all := i.must(t, "", "-n", namespace, "get", "coachings", "-o", "yaml")
	if !strings.Contains(all, "name: care") || !strings.Contains(all, "name: anna") || strings.Contains(all, "score") {
		t.Errorf("the list is\n%s", all)
	}
}
