// Package prometheus holds the shipped alert rules to promtool, their runbooks and what every alert must say.
package prometheus

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/test/monitoring/harness"
)

const (
	runbooks    = "../../docs/runbooks"
	runbookURLs = "https://github.com/cx-operator/cx-operator/blob/main/docs/runbooks/"
	fairness    = "a signal about the customers' experience, not about anyone's performance"
)

type rule struct {
	Alert, Expr   string
	KeepFiringFor string `json:"keep_firing_for"`
	Labels        map[string]string
	Annotations   map[string]string
}

type groups struct {
	Groups []struct{ Rules []rule }
}

func (g groups) rules() []rule {
	var all []rule
	for _, group := range g.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

func load(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func shipped(t *testing.T) []rule {
	t.Helper()
	var file groups
	load(t, "rules.yaml", &file)
	return file.rules()
}

func promtool(t *testing.T, args ...string) { run(t, "promtool", args...) }

// run runs a program of Prometheus and returns what it says on standard output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := harness.Program(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	var out, said strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		t.Errorf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out.String(), said.String())
	}
	return out.String()
}

func TestRulesAreValid(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
}

func TestRulesFireAsExpected(t *testing.T) {
	promtool(t, "test", "rules", "rules_test.yaml")
}

func TestOneAlertPerBreachType(t *testing.T) {
	want := []string{"CXEndpointDown", "CXObjectiveStale"}
	for _, b := range []v1alpha1.BreachType{
		v1alpha1.BreachObjectiveMissed, v1alpha1.BreachPlanMissing, v1alpha1.BreachPlanUnacknowledged, v1alpha1.BreachPlanOverdue,
		v1alpha1.BreachActionOverdue, v1alpha1.BreachOwnerMissing, v1alpha1.BreachUnmeasured, v1alpha1.BreachSponsorMissing,
		v1alpha1.BreachFollowUpOverdue, v1alpha1.BreachReviewMissed, v1alpha1.BreachSponsorSilent, v1alpha1.BreachHandoffUncovered,
		v1alpha1.BreachConsistentlyLow, v1alpha1.BreachNoActionTaken,
	} {
		want = append(want, "CX"+string(b))
	}
	var got []string
	for _, r := range shipped(t) {
		got = append(got, r.Alert)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("alerts %v, want %v", got, want)
	}
}

func TestEveryAlertSaysWhatItMust(t *testing.T) {
	for _, r := range shipped(t) {
		severities := []string{"warning", "info"}
		if r.Alert == "CXEndpointDown" {
			severities = []string{"critical"}
		}
		if !slices.Contains(severities, r.Labels["severity"]) {
			t.Errorf("%s: severity %q, want one of %v", r.Alert, r.Labels["severity"], severities)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || r.KeepFiringFor == "" {
			t.Errorf("%s: summary, description or keep_firing_for is missing", r.Alert)
		}
		if got := r.Annotations["runbook_url"]; got != runbookURLs+r.Alert+".md" {
			t.Errorf("%s: runbook_url %q", r.Alert, got)
		}
		if r.Labels["team"] == "" && !regexp.MustCompile(`max by \([^)]*\bteam\b`).MatchString(r.Expr) {
			t.Errorf("%s has no team", r.Alert)
		}
		if r.Alert != "CXEndpointDown" && !strings.Contains(r.Annotations["description"], fairness) {
			t.Errorf("%s does not say that it is %s", r.Alert, fairness)
		}
	}
}

func TestPrometheusRuleIsTheSame(t *testing.T) {
	var manifest struct {
		APIVersion, Kind string
		Spec             groups
	}
	load(t, "prometheusrule.yaml", &manifest)
	if manifest.APIVersion != "monitoring.coreos.com/v1" || manifest.Kind != "PrometheusRule" {
		t.Errorf("%s %s", manifest.APIVersion, manifest.Kind)
	}
	want, err := yaml.Marshal(shipped(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := yaml.Marshal(manifest.Spec.rules())
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("prometheusrule.yaml has other rules than rules.yaml: run make generate\n%s", got)
	}
}

func TestEveryAlertHasARunbookAndEveryRunbookAnAlert(t *testing.T) {
	var alerts []string
	for _, r := range shipped(t) {
		alerts = append(alerts, r.Alert+".md")
		page, err := os.ReadFile(filepath.Join(runbooks, r.Alert+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, want := range []string{
			"# " + r.Alert + "\n", "**Severity** " + r.Labels["severity"] + ".",
			"## What it means", "## Is anything lost", "## See it", "## Do", "## It clears", "## Whom to involve", "kubectl ",
		} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s.md has no %q", r.Alert, want)
			}
		}
		flowing := strings.Join(strings.Fields(string(page)), " ")
		if strings.Contains(r.Annotations["description"], fairness) && !strings.Contains(flowing, fairness) {
			t.Errorf("%s.md does not say that it is %s", r.Alert, fairness)
		}
	}
	pages, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range pages {
		if !slices.Contains(alerts, filepath.Base(page)) {
			t.Errorf("%s is the runbook of no alert", page)
		}
	}
}

var block = regexp.MustCompile("(?s)```promql\n(.*?)\n *```")

// Every query in a runbook is valid, as the expression of a recording rule.
func TestRunbookQueriesAreValid(t *testing.T) {
	type recording struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	type group struct {
		Name  string      `json:"name"`
		Rules []recording `json:"rules"`
	}
	file := struct {
		Groups []group `json:"groups"`
	}{}
	for _, r := range shipped(t) {
		page, err := os.ReadFile(filepath.Join(runbooks, r.Alert+".md"))
		if err != nil {
			t.Fatal(err)
		}
		g := group{Name: r.Alert}
		for _, m := range block.FindAllStringSubmatch(string(page), -1) {
			g.Rules = append(g.Rules, recording{"runbook:query" + string(rune('a'+len(g.Rules))), m[1]})
		}
		if len(g.Rules) == 0 {
			t.Errorf("%s.md has no query", r.Alert)
		}
		file.Groups = append(file.Groups, g)
	}
	text, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "queries.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=none", path)
}
