package plugin

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Start(m)) }

// cluster is a namespace with a program in it.
type cluster struct {
	t         *testing.T
	client    client.Client
	namespace string
	config    string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	s, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(testenv.New(t), client.Options{Scheme: s})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(config, testenv.KubeConfig(t), 0o600); err != nil {
		t.Fatal(err)
	}
	k := &cluster{t: t, client: c, namespace: testenv.Namespace(t), config: config}
	k.create(&v1alpha1.Team{Spec: v1alpha1.TeamSpec{DisplayName: "Concessions", Level: v1alpha1.TeamDepartment, Lead: &v1alpha1.Person{DisplayName: "Head of Concessions"}}}, "concessions")
	plan := &v1alpha1.ActionPlan{Spec: v1alpha1.ActionPlanSpec{
		TouchpointRef: &v1alpha1.NameRef{Name: "food"}, Objective: "satisfaction", Problem: "Cold food.", OwnerRef: &v1alpha1.NameRef{Name: "concessions"}, DueDate: "2026-12-31",
		Actions: []v1alpha1.Action{{Name: "late-hours", Description: "Open later.", Category: "Process"}, {Name: "menus", Description: "New menus.", Category: "Tool"}},
	}}
	k.create(plan, "better-food")
	before := plan.DeepCopy()
	plan.Status.Breaches = []v1alpha1.Breach{{Type: v1alpha1.BreachPlanUnacknowledged, Objective: "satisfaction", Since: metav1.Now()}}
	if err := c.Status().Patch(t.Context(), plan, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	k.create(&v1alpha1.Review{Spec: v1alpha1.ReviewSpec{
		ProgramRef: v1alpha1.NameRef{Name: "passengers"}, Period: v1alpha1.Period{From: "2026-11-09", To: "2026-11-15"},
	}}, "passengers-2026-w46")
	return k
}

func (k *cluster) create(obj client.Object, name string) {
	k.t.Helper()
	obj.SetNamespace(k.namespace)
	obj.SetName(name)
	if err := k.client.Create(k.t.Context(), obj); err != nil {
		k.t.Fatal(err)
	}
}

// run runs the plugin.
func (k *cluster) run(args ...string) (code int, out, errOut string) {
	k.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append(args, "--kubeconfig", k.config, "-n", k.namespace)
	code = Main(k.t.Context(), args, strings.NewReader(""), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// must runs the plugin, which must succeed.
func (k *cluster) must(args ...string) string {
	k.t.Helper()
	code, out, errOut := k.run(args...)
	if code != 0 || errOut != "" {
		k.t.Fatalf("%v: code %d\n%s\n%s", args, code, out, errOut)
	}
	return out
}

func (k *cluster) plan() v1alpha1.ActionPlan {
	k.t.Helper()
	var p v1alpha1.ActionPlan
	if err := k.client.Get(k.t.Context(), client.ObjectKey{Namespace: k.namespace, Name: "better-food"}, &p); err != nil {
		k.t.Fatal(err)
	}
	return p
}

func TestStatus(t *testing.T) {
	k := newCluster(t)
	out := k.must("status")
	for _, want := range []string{"PlanUnacknowledged", "actionplan/better-food", "concessions"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") || strings.Contains(out, "plan ack") {
		t.Errorf("colours where nobody looks, or wide columns unasked:\n%q", out)
	}
	if out := k.must("status", "-o", "wide"); !strings.Contains(out, "kubectl cx plan ack better-food") {
		t.Errorf("no next step in\n%s", out)
	}
	if out := k.must("status", "--team", "security"); out != "Nothing needs attention.\n" {
		t.Error(out)
	}
	var list struct{ Items []attentionItem }
	if err := json.Unmarshal([]byte(k.must("status", "-o", "json")), &list); err != nil || len(list.Items) != 1 || list.Items[0].Breach != "PlanUnacknowledged" {
		t.Errorf("%+v %v", list, err)
	}
}

func TestPlan(t *testing.T) {
	k := newCluster(t)
	if out := k.must("plan", "ack", "better-food", "--start"); out != "actionplan/better-food acknowledged\n" {
		t.Error(out)
	}
	p := k.plan()
	if p.Spec.Acknowledgement == nil || p.Spec.Acknowledgement.By != "Head of Concessions" || p.Spec.State != v1alpha1.WorkInProgress {
		t.Errorf("%+v", p.Spec)
	}
	if code, _, errOut := k.run("plan", "ack", "better-food"); code != 1 || !strings.Contains(errOut, "already") {
		t.Errorf("code %d: %s", code, errOut)
	}
	if code, _, errOut := k.run("plan", "complete", "better-food"); code != 1 || !strings.Contains(errOut, "late-hours, menus") {
		t.Errorf("code %d: %s", code, errOut)
	}
	k.must("plan", "update", "better-food", "--action", "menus=complete", "--due", "2027-01-31", "--assignee", "Head chef")
	k.must("plan", "complete", "better-food", "--with-actions")
	p = k.plan()
	if p.Spec.State != v1alpha1.WorkComplete || p.Spec.DueDate != "2027-01-31" || p.Spec.Assignee.DisplayName != "Head chef" || p.Spec.Actions[0].State != v1alpha1.WorkComplete {
		t.Errorf("%+v", p.Spec)
	}
	if out := k.must("plan", "list"); !strings.Contains(out, "better-food   touchpoint/food   satisfaction   Complete") {
		t.Error(out)
	}
	if out := k.must("plan", "list", "--open"); out != "There are no plans.\n" {
		t.Error(out)
	}
	if out := k.must("plan", "portfolio"); !strings.Contains(out, "1 plans") || !strings.Contains(out, "Process") {
		t.Error(out)
	}
	if out := k.must("plan", "list", "-o", "yaml"); !strings.Contains(out, "kind: ActionPlan\n") || strings.Contains(out, "managedFields") {
		t.Error(out)
	}
}

func TestReview(t *testing.T) {
	k := newCluster(t)
	if out := k.must("review", "list"); !strings.Contains(out, "passengers-2026-w46   passengers   2026-11-09 to 2026-11-15   not yet") {
		t.Error(out)
	}
	k.must("review", "hold", "passengers-2026-w46", "--time", "2026-11-17T10:00:00Z", "--attendee", "concessions", "--insight", "Gate G waits.",
		"--question", "Who can open earlier?", "--decision", "late=Open later.")
	out := k.must("review", "show", "passengers-2026-w46")
	for _, want := range []string{"2026-11-17", "Gate G waits.", "Who can open earlier?", "not frozen yet"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	var r v1alpha1.Review
	if err := json.Unmarshal([]byte(k.must("review", "show", "passengers-2026-w46", "-o", "json")), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Spec.Attendees) != 1 || len(r.Spec.Decisions) != 1 || r.Kind != "Review" {
		t.Errorf("%+v", r)
	}
}

func TestReplay(t *testing.T) {
	k := newCluster(t)
	k.must("replay", "--team", "concessions")
	var team v1alpha1.Team
	if err := k.client.Get(t.Context(), client.ObjectKey{Namespace: k.namespace, Name: "concessions"}, &team); err != nil {
		t.Fatal(err)
	}
	if team.Annotations[v1alpha1.AnnotationReplay] == "" {
		t.Errorf("%v", team.Annotations)
	}
}

func TestExplain(t *testing.T) {
	k := newCluster(t)
	for _, args := range [][]string{{"explain", "breach", "CXReviewMissed"}, {"explain", "breach", "reviewmissed"}, {"explain", "breach"}} {
		if out := k.must(args...); !strings.Contains(out, "ReviewMissed") {
			t.Error(out)
		}
	}
	if out := k.must("explain", "breach", "plans/better-food"); !strings.Contains(out, "No breach is open") {
		t.Error(out)
	}
	if out := k.must("explain", "breach", "actionplan/better-food"); !strings.Contains(out, "kubectl cx plan ack better-food") || !strings.Contains(out, "owned by concessions") {
		t.Error(out)
	}
}

// A wrong command line is told as such, with what is allowed.
func TestUsage(t *testing.T) {
	k := newCluster(t)
	for want, args := range map[string][]string{
		"write json, yaml or wide":                  {"status", "-o", "xml"},
		"unknown flag":                              {"status", "--nope"},
		"nothing to change":                         {"plan", "update", "better-food"},
		"is no state, write NotStarted":             {"plan", "update", "better-food", "--state", "Done"},
		"must be NAME=STATE":                        {"plan", "update", "better-food", "--action", "menus"},
		"--team is required":                        {"replay"},
		"is no type of breach":                      {"explain", "breach", "Rain"},
		"give exactly one of NAME":                  {"case", "erase"},
		"--program is required":                     {"case", "erase", "--receipt", "x"},
		"is no name of a case":                      {"case", "erase", "x"},
		"is no state of a case":                     {"case", "list", "--state", "Closed"},
		"write it as 2026-11-23T10:00:00Z":          {"review", "hold", "passengers-2026-w46", "--time", "now"},
		"--decision \"x\" must be NAME=TEXT":        {"review", "hold", "passengers-2026-w46", "--decision", "x"},
		"--program \"\" must be NAMESPACE/NAME":     {"export"},
		"accepts 1 arg(s), received 0":              {"plan", "ack"},
		"--format \"xls\" is unknown, write csv or": {"export", "--program", "a", "--format", "xls"},
	} {
		if code, _, errOut := k.run(args...); code != 2 || !strings.Contains(errOut, want) {
			t.Errorf("%v: code %d, want 2 and %q in %q", args, code, want, errOut)
		}
	}
	if code, _, errOut := k.run("plan", "ack", "gone"); code != 1 || !strings.Contains(errOut, "not found") {
		t.Errorf("code %d: %s", code, errOut)
	}
	if code, _, errOut := k.run("case", "list"); code != 1 || !strings.Contains(errOut, "is cx-operator installed there") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestCompletion(t *testing.T) {
	k := newCluster(t)
	if out, errOut := k.completed("plan", "ack", ""); !strings.Contains(out, "better-food\n") {
		t.Errorf("%s\n%s", out, errOut)
	}
	if out := k.must("completion", "bash"); !strings.Contains(out, "kubectl-cx") {
		t.Error("no script for bash")
	}
}

func (k *cluster) completed(args ...string) (out, errOut string) {
	k.t.Helper()
	var stdout, stderr bytes.Buffer
	args = append([]string{"__complete", "--kubeconfig", k.config, "-n", k.namespace}, args...)
	if code := Main(k.t.Context(), args, strings.NewReader(""), &stdout, &stderr); code != 0 {
		k.t.Errorf("code %d", code)
	}
	return stdout.String(), stderr.String()
}

// Texts that others wrote neither move the cursor nor break the columns; colours do not either.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	table := newTable("NAME", "STATE", "MORE")
	table.wide = 2
	table.add(red, "a\x1b[2Jb\tc\nd", "", "hidden")
	if err := a.print(table, ""); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "NAME        STATE\na[2Jb c d   -\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, tint := range []string{red, green, yellow} {
		if len(tint) != len(plain) {
			t.Errorf("%q is not as long as %q", tint, plain)
		}
	}
}

func TestOrigin(t *testing.T) {
	if got, err := origin("https://feedback.example.com/s/sfo/passengers"); err != nil || got != "https://feedback.example.com" {
		t.Error(got, err)
	}
	if _, err := origin(""); err == nil {
		t.Error("a program that is not served has an address")
	}
}
