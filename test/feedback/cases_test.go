package feedback

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	feedbackv1alpha1 "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// teams makes a department and a person in it, who owns the tests' programs.
func (i *installation) teams(t *testing.T, namespace string) {
	t.Helper()
	for _, team := range []*v1alpha1.Team{
		{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "care"}, Spec: v1alpha1.TeamSpec{DisplayName: "Customer care", Level: v1alpha1.TeamDepartment}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "anna"}, Spec: v1alpha1.TeamSpec{
			DisplayName: "Anna", Level: v1alpha1.TeamPerson, ParentRef: &v1alpha1.NameRef{Name: "care"},
		}},
	} {
		if err := i.client.Create(t.Context(), team); err != nil {
			t.Fatal(err)
		}
	}
}

// get reads one case as all-powerful.
func (i *installation) get(t *testing.T, namespace, name string) feedbackv1alpha1.Case {
	t.Helper()
	var c feedbackv1alpha1.Case
	if err := json.Unmarshal([]byte(i.must(t, "", "-n", namespace, "get", "case", name, "-o", "json")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestKubectlPrintsCases(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	i.teams(t, namespace)
	s, program := i.open(t, namespace, "stay")
	late := answer(t, s, program, 1, "", "ada@example.org", 0)
	answer(t, s, program, 2, "gate", "bob@example.org", 48)

	lines := strings.Split(strings.TrimSpace(i.must(t, "", "-n", namespace, "get", "cases")), "\n")
	if len(lines) != 3 {
		t.Fatalf("got %q", lines)
	}
	if got, want := strings.Fields(lines[0]), []string{"NAME", "PROGRAM", "TOUCHPOINT", "OWNER", "STATE", "PROMISED", "BY", "OVERDUE", "AGE"}; !slices.Equal(got, want) {
		t.Errorf("columns %v, want %v", got, want)
	}
	// The program's owner is a person, so the team above stands there.
	first := strings.Fields(lines[1])
	if len(first) != 7 || first[0] != late || first[2] != "care" || first[3] != "Open" || first[5] != "yes" || first[6] != "60m" {
		t.Errorf("the overdue case is printed as %q", first)
	}
	if second := strings.Fields(lines[2]); len(second) != 8 || second[2] != "gate" || second[6] != "no" {
		t.Errorf("the case with time left is printed as %q", second)
	}
	wide := i.must(t, "", "-n", namespace, "get", "cxcase", "-o", "wide")
	for _, word := range []string{"REASONS", "ContactRequested,Detractor", "LANGUAGE", "CONTACT", "kept"} {
		if !strings.Contains(wide, word) {
			t.Errorf("-o wide does not have %q:\n%s", word, wide)
		}
	}
	c := i.get(t, namespace, late)
	if len(c.Status.Answers) != 1 || c.Status.Answers[0].Values[0] != "3" || len(c.Status.History) != 1 || !c.Status.Overdue || c.UID == "" {
		t.Errorf("got %+v", c)
	}
	if text, _ := json.Marshal(c); strings.Contains(string(text), "example.org") {
		t.Errorf("a case shows the contact: %s", text)
	}
}

func TestKubectlSelectsAndPages(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	var all []string
	for p, program := range []string{"arrive", "leave"} {
		s, key := i.open(t, namespace, program)
		for n := range 7 {
			touchpoint := []string{"", "gate", "desk"}[n%3]
			all = append(all, answer(t, s, key, 100*(p+1)+n, touchpoint, fmt.Sprintf("p%d@example.org", n), n))
		}
	}
	names := func(args ...string) []string {
		out := i.must(t, "", append([]string{"-n", namespace, "get", "cases", "-o", "name"}, args...)...)
		var found []string
		for line := range strings.Lines(out) {
			found = append(found, strings.TrimPrefix(strings.TrimSpace(line), "case.feedback.cx-operator.io/"))
		}
		return found
	}
	for _, size := range []string{"0", "1", "3", "7", "500"} {
		if got := names("--chunk-size", size); !slices.Equal(got, all) {
			t.Errorf("--chunk-size %s: %v, want %v", size, got, all)
		}
	}
	i.must(t, "", "-n", namespace, "patch", "case", all[0], "--type", "merge", "-p", `{"spec":{"state":"Contacted"}}`)
	for selector, want := range map[string]int{
		"-l cx-operator.io/program=leave": 7, "-l cx-operator.io/program!=leave": 7, "-l cx-operator.io/touchpoint=gate": 4,
		"-l cx-operator.io/touchpoint in (gate,desk)": 8, "-l !cx-operator.io/touchpoint": 6, "-l cx-operator.io/program=leave,cx-operator.io/touchpoint=desk": 2,
		"--field-selector spec.state=Contacted": 1, "--field-selector spec.state!=Contacted": 13, "--field-selector status.touchpoint=": 6,
		"--field-selector status.overdue=true": 3, "--field-selector metadata.name=" + all[3]: 1, "-l app=none": 0, "-l !app": 14,
		"--field-selector spec.state=Open,status.touchpoint=gate": 4,
	} {
		flag, text, _ := strings.Cut(selector, " ")
		for _, size := range []string{"2", "500"} {
			if got := names(flag, text, "--chunk-size", size); len(got) != want {
				t.Errorf("%s --chunk-size %s: %d cases, want %d: %v", selector, size, len(got), want, got)
			}
		}
	}
	i.refused(t, "", []string{"BadRequest", "spec.note"}, "-n", namespace, "get", "cases", "--field-selector", "spec.note=x")
	i.refused(t, "", []string{"BadRequest", "status.overdue"}, "-n", namespace, "get", "cases", "--field-selector", "status.overdue=false")
	i.refused(t, "", []string{"BadRequest", "touchpoint"}, "-n", namespace, "get", "cases", "-l", "cx-operator.io/touchpoint!=gate")
	if out := i.must(t, "", "get", "cases", "-A", "-o", "name"); !strings.Contains(out, all[0]) {
		t.Errorf("cases of all namespaces lack %s:\n%s", all[0], out)
	}
}

func TestKubectlChangesACase(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	s, program := i.open(t, namespace, "stay")
	name := answer(t, s, program, 300, "", "ada@example.org", 48)
	if err := i.client.Create(t.Context(), &v1alpha1.ActionPlan{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "shorter-queues"},
		Spec: v1alpha1.ActionPlanSpec{
			ProgramRef: &v1alpha1.NameRef{Name: "stay"}, Objective: "nps", Problem: "Queues are long.", DueDate: "2030-01-01",
		},
	}); err != nil {
		t.Fatal(err)
	}
	patch := func(text string) []string {
		return []string{"-n", namespace, "patch", "case", name, "--type", "merge", "-p", text}
	}
	before := i.get(t, namespace, name)
	i.must(t, "", append(patch(`{"spec":{"state":"Resolved","note":"Called back","planRef":{"name":"shorter-queues"}}}`), "--dry-run=server")...)
	if c := i.get(t, namespace, name); c.ResourceVersion != before.ResourceVersion || c.Spec.State != feedbackv1alpha1.CaseOpen {
		t.Errorf("a dry run changed the case: %+v", c)
	}
	i.must(t, "", patch(`{"spec":{"state":"Resolved","note":"Called back","planRef":{"name":"shorter-queues"}}}`)...)
	c := i.get(t, namespace, name)
	if c.Spec.State != feedbackv1alpha1.CaseResolved || c.Spec.Note != "" || c.Spec.PlanRef == nil || c.Status.ContactedTime == nil || c.Status.ResolvedTime == nil {
		t.Errorf("got %+v", c)
	}
	if last := c.Status.History[len(c.Status.History)-1]; last.Note != "Called back" || last.By == "" || last.State != feedbackv1alpha1.CaseResolved {
		t.Errorf("the last event is %+v", last)
	}
	i.refused(t, "", []string{"Conflict", "was changed meanwhile"}, patch(`{"metadata":{"resourceVersion":"`+before.ResourceVersion+`"},"spec":{"note":"late"}}`)...)
	for text, words := range map[string][]string{
		`{"spec":{"state":"Open"}}`:                             {"is invalid", "spec.state", "forward only"},
		`{"spec":{"state":"Gone"}}`:                             {"spec.state", `"Informed"`},
		`{"spec":{"planRef":{"name":"none"}}}`:                  {"spec.planRef.name", "Not found"},
		`{"status":{"promisedBy":"2040-01-01T00:00:00Z"}}`:      {"status: Forbidden"},
		`{"metadata":{"labels":{"a":"b"}}}`:                     {"metadata.labels"},
		`{"metadata":{"annotations":{"a":"b"}}}`:                {"metadata.annotations[a]"},
		`{"spec":{"note":"` + strings.Repeat("n", 2001) + `"}}`: {"spec.note", "2000"},
	} {
		i.refused(t, "", words, patch(text)...)
	}
	file := filepath.Join(t.TempDir(), "case.yaml")
	text := fmt.Sprintf("apiVersion: feedback.cx-operator.io/v1alpha1\nkind: Case\nmetadata: {name: %s, namespace: %s}\nspec: {state: Informed, note: Told her, planRef: {name: shorter-queues}}\n", name, namespace)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	i.must(t, "", "apply", "-f", file)
	if c := i.get(t, namespace, name); c.Spec.State != feedbackv1alpha1.CaseInformed || c.Status.InformedTime == nil || len(c.Annotations) != 0 {
		t.Errorf("after kubectl apply: %+v", c)
	}
	i.refused(t, "", []string{"MethodNotAllowed", "does not allow this method"}, "-n", namespace, "delete", "case", name)
	i.refused(t, "", []string{"MethodNotAllowed"}, "-n", namespace, "create", "-f", file)
	i.refused(t, "", []string{"watch"}, "-n", namespace, "get", "cases", "-w")
	if out := i.must(t, "", "explain", "case.spec.state"); !strings.Contains(out, "It moves forward") {
		t.Errorf("kubectl explain says:\n%s", out)
	}
}

func TestAListIsNeverPartial(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	s, near := i.open(t, namespace, "near")
	answer(t, s, near, 400, "", "ada@example.org", 48)
	s, far := i.open(t, namespace, "far")
	name := answer(t, s, far, 401, "", "bob@example.org", 48)
	i.desks.send(far, true)
	defer i.desks.send(far, false)

	for _, args := range [][]string{{"get", "cases"}, {"get", "cases", "--chunk-size", "1"}, {"get", "case", name}} {
		out, ok := i.kubectl(t, "", append([]string{"-n", namespace, "--request-timeout", "5s"}, args...)...)
		if ok || strings.Contains(out, "10.1.2.3") {
			t.Errorf("%v: %s", args, out)
		}
	}
	raw := i.kube.Discovery().RESTClient().Get().AbsPath("/apis/feedback.cx-operator.io/v1alpha1/namespaces/" + namespace + "/cases").MaxRetries(0).Do(t.Context())
	var code int
	raw.StatusCode(&code)
	if err := raw.Error(); code != 503 || err == nil || !strings.Contains(err.Error(), "far") {
		t.Errorf("status %d, %v; want 503 and the program's name", code, err)
	}
	if out := i.must(t, "", "-n", namespace, "get", "cases", "-l", "cx-operator.io/program=near", "-o", "name"); strings.Count(out, "\n") != 1 {
		t.Errorf("cases of the program that can be reached: %q", out)
	}
}

func TestErasures(t *testing.T) {
	i := installed(t)
	namespace := testenv.Namespace(t)
	s, program := i.open(t, namespace, "stay")
	var names []string
	for n := range 4 {
		names = append(names, answer(t, s, program, 500+n, "", fmt.Sprintf("p%d@example.org", n/2), 48))
	}
	create := func(spec string) []string {
		file := filepath.Join(t.TempDir(), "erasure.yaml")
		text := "apiVersion: feedback.cx-operator.io/v1alpha1\nkind: Erasure\nspec: " + spec + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{"-n", namespace, "create", "-f", file, "-o", "json"}
	}
	for _, c := range []struct {
		spec string
		want int64
	}{
		{"{programRef: {name: stay}, receipt: R00000500}", 1},
		{"{programRef: {name: stay}, receipt: R00000500}", 0},
		{"{programRef: {name: stay}, contact: ' P1@example.org'}", 2},
		{"{programRef: {name: stay}, caseRef: {name: " + names[1] + "}}", 1},
	} {
		out := i.must(t, "", create(c.spec)...)
		var e feedbackv1alpha1.Erasure
		if err := json.Unmarshal([]byte(out), &e); err != nil {
			t.Fatal(err)
		}
		if e.Status.Erased != c.want || e.Spec.Contact != "" || e.Spec.Receipt != "" {
			t.Errorf("%s: %+v, want %d erased and nothing given back", c.spec, e, c.want)
		}
	}
	for _, name := range names {
		i.refused(t, "", []string{"was erased"}, "get", "--raw", contactPath(namespace, name))
	}
	i.refused(t, "", []string{"exactly one of receipt, contact and caseRef"}, create("{programRef: {name: stay}}")...)
	i.refused(t, "", []string{"exactly one"}, create("{programRef: {name: stay}, receipt: a, contact: b}")...)
	i.refused(t, "", []string{"spec.caseRef.name"}, create("{programRef: {name: other}, caseRef: {name: "+names[0]+"}}")...)
	i.refused(t, "", []string{"NotFound", "surveyprograms"}, create("{programRef: {name: none}, receipt: a}")...)
}

func contactPath(namespace, name string) string {
	return "/apis/feedback.cx-operator.io/v1alpha1/namespaces/" + namespace + "/cases/" + name + "/contact"
}

func TestWhoMayDoWhat(t *testing.T) {
	i := installed(t)
	namespace, other := testenv.Namespace(t), testenv.Namespace(t)
	s, program := i.open(t, namespace, "stay")
	name := answer(t, s, program, 600, "", "ada@example.org", 48)
	i.grant(t, "viewer", namespace, rule("cases", "get", "list"))
	i.grant(t, "worker", namespace, rule("cases", "get", "list", "update", "patch"), rule("cases/contact", "get"))
	i.grant(t, "officer", namespace, rule("erasures", "create"))
	i.grant(t, "stranger", other, rule("cases", "*"), rule("cases/contact", "*"), rule("erasures", "*"), rule("coachings", "*"))

	forbidden := []string{"Forbidden"}
	patch := []string{"-n", namespace, "patch", "case", name, "--type", "merge", "-p", `{"spec":{"state":"Contacted"}}`}
	i.must(t, "viewer", "-n", namespace, "get", "cases")
	i.refused(t, "viewer", forbidden, "get", "--raw", contactPath(namespace, name))
	i.refused(t, "viewer", forbidden, patch...)
	i.refused(t, "viewer", forbidden, "get", "cases", "-A")
	for _, user := range []string{"stranger", "officer", "nobody", "system:anonymous"} {
		i.refused(t, user, forbidden, "-n", namespace, "get", "cases")
		i.refused(t, user, forbidden, "get", "--raw", contactPath(namespace, name))
		i.refused(t, user, forbidden, patch...)
	}
	if out := i.must(t, "worker", "get", "--raw", contactPath(namespace, name)); !strings.Contains(out, `"address":"ada@example.org"`) {
		t.Errorf("the contact is %s", out)
	}
	i.must(t, "worker", patch...)
	c := i.get(t, namespace, name)
	if last := c.Status.History[len(c.Status.History)-1]; last.By != "worker" {
		t.Errorf("the history says that %q acted", last.By)
	}
	if err := eventually(func() error { return audited("worker", name) }); err != nil {
		t.Error(err)
	}
}

// audited looks the user who read a contact up in the API server's audit log.
func audited(user, name string) error {
	file, err := os.Open(filepath.Join(folder, "audit.log"))
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct {
			Verb             string
			ImpersonatedUser struct{ Username string }
			ObjectRef        struct{ Resource, Subresource, Name string }
			ResponseStatus   struct{ Code int }
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			continue // the line that is being written
		}
		if e.ObjectRef.Subresource == "contact" && e.ObjectRef.Name == name && e.ImpersonatedUser.Username == user && e.Verb == "get" && e.ResponseStatus.Code == 200 {
			return nil
		}
	}
	return fmt.Errorf("the audit log does not say that %s read the contact of %s: %w", user, name, lines.Err())
}
