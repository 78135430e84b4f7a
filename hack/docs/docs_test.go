package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

func TestDerivedFilesAreCurrent(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Error(err)
			continue
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what its sources say: run make generate", path)
		}
	}
}

func TestRunWritesEveryFile(t *testing.T) {
	copied := t.TempDir()
	for _, path := range []string{rulesFile, alertsFile, metricsFile, "internal/intake/metrics.go"} {
		write(t, copied, path, read(t, root, path))
	}
	write(t, copied, "controllers/x.go", "package controllers")
	for _, path := range []string{"config/prometheus", "docs"} {
		if err := os.MkdirAll(filepath.Join(copied, path), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	if err := run(copied); err != nil {
		t.Fatal(err)
	}
	want, err := generate(copied)
	if err != nil || len(want) != 4 {
		t.Fatal(len(want), err)
	}
	for path, content := range want {
		if diff := cmp.Diff(string(content), read(t, copied, path)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestRunSaysWhatIsMissing(t *testing.T) {
	empty := t.TempDir()
	for _, path := range []string{rulesFile, alertsFile, metricsFile} {
		if err := run(empty); err == nil || !strings.Contains(err.Error(), filepath.FromSlash(path)) {
			t.Errorf("without %s: %v", path, err)
		}
		write(t, empty, path, read(t, root, path))
	}
}

func read(t *testing.T, root, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, root, path, content string) {
	t.Helper()
	path = filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whatever rules, runbooks and pages say of metrics, they exist.
func TestNamedMetricsAreDeclared(t *testing.T) {
	declared, err := declaredMetrics(root, "internal", "controllers")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range declared {
		names = append(names, m.Name)
	}
	pages, err := filepath.Glob(filepath.Join(root, runbooksPath, "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	dashboards, err := filepath.Glob(filepath.Join(root, "config/grafana", "*.json"))
	if err != nil || len(dashboards) != 5 {
		t.Fatal(dashboards, err)
	}
	named := regexp.MustCompile(`\bcx_[a-z_]+`)
	for _, page := range append(append(pages, dashboards...), filepath.Join(root, rulesFile)) {
		for _, name := range named.FindAllString(read(t, "", page), -1) {
			if !slices.Contains(names, strings.TrimSuffix(name, "_bucket")) {
				t.Errorf("%s names %s, which is declared nowhere", page, name)
			}
		}
	}
	for _, name := range []string{
		"cx_responses_accepted_total", "cx_responses_rejected_total", "cx_response_commit_duration_seconds", "cx_survey_page_views_total",
	} {
		if !slices.ContainsFunc(declared, func(m metric) bool { return m.Name == name && m.Endpoint }) {
			t.Errorf("the endpoint's %s is declared nowhere", name)
		}
	}
}

func TestMetricsOfAFile(t *testing.T) {
	got, err := metricsOf("x.go", `package x
var a = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "a_total", Help: "As."}, []string{"b", "c"})
// Why there
// is a d.
var d = promauto.NewHistogram(prometheus.HistogramOpts{Name: "d_seconds", Help: "Ds.", Buckets: nil})
var e = prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "e", Help: `+"`Es.`"+`}, f)
var r = prometheus.NewRegistry()
var o = other.NewCounter(nothing)
`)
	want := []metric{
		{Name: "a_total", Type: "counter", Help: "As.", Labels: []string{"b", "c"}},
		{Name: "d_seconds", Type: "histogram", Help: "Ds.", Note: "Why there is a d."},
		{Name: "e", Type: "gauge", Help: "Es."},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestMetricsThatAreNotWrittenOut(t *testing.T) {
	for name, source := range map[string]string{
		"options in a variable": `prometheus.NewCounter(opts)`,
		"no options":            `prometheus.NewCounter()`,
		"no help":               `prometheus.NewCounter(prometheus.CounterOpts{Name: "x"})`,
		"a computed name":       `prometheus.NewCounter(prometheus.CounterOpts{Name: x + "y", Help: "x"})`,
	} {
		_, err := metricsOf("x.go", "package x\nvar v = "+source)
		if err == nil || !strings.HasPrefix(err.Error(), "x.go:2:9: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := metricsOf("x.go", "no Go"); err == nil {
		t.Error("a file that is no Go was taken")
	}
}

func TestParseRules(t *testing.T) {
	for name, text := range map[string]string{
		"no rules":           "groups: []",
		"no alert":           "groups: [{name: g, rules: [{expr: up}]}]",
		"an unknown member":  "groups: [{name: g, rules: [{alert: A, expr: up, form: 5m}]}]",
		"something but YAML": "groups: [",
	} {
		if rules, err := parseRules([]byte(text)); err == nil {
			t.Errorf("%s: %+v", name, rules)
		}
	}
}

// Every alert is on the page with its expression, its reason and an example; one without an example is an error.
func TestAlertPage(t *testing.T) {
	rules := []rule{{Alert: "CXA", Expr: "a == 1", For: "5m", KeepFiringFor: "1m", Labels: map[string]string{"severity": "info"}, Why: "5m: so."}}
	expected := `alerts: [{alert: CXA, labels: {team: b, severity: info}, annotations: {summary: "S.", description: "D."}}]`
	page, err := alertPage(rules, []byte(expected))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| [`CXA`](#cxa) | info | 5m | 1m |\n", "## CXA\n", "(runbooks/CXA.md)", "| because | 5m: so. |", "```promql\na == 1\n```",
		"> **S.**\n>\n> D.\n>\n> `severity=\"info\"`, `team=\"b\"`\n",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in:\n%s", want, page)
		}
	}
	for name, text := range map[string]string{"no example": "alerts: []", "no YAML": "["} {
		if _, err := alertPage(rules, []byte(text)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestCommentsOfRules(t *testing.T) {
	got := comments([]byte("# The file.\ngroups:\n# G.\n- name: g\n  rules:\n  # Two\n  # lines.\n  - alert: A\n    expr: up\n  - alert: B\n"))
	if diff := cmp.Diff(map[string]string{"A": "Two lines.", "B": ""}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrometheusRuleIsTheTextIndented(t *testing.T) {
	got := string(prometheusRule([]byte("# About the file.\ngroups:\n# About g.\n- name: g\n\n  rules: []\n")))
	want := ruleHeader + "  groups:\n  # About g.\n  - name: g\n\n    rules: []\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// The tests of the rules stand on the exposition: another name or label in it makes other tests.
func TestRuleTestsStandOnTheExposition(t *testing.T) {
	rules, expected, exposition := read(t, root, rulesFile), read(t, root, alertsFile), read(t, root, metricsFile)
	was, err := ruleTests([]byte(rules), []byte(expected), []byte(exposition))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{"team=", "owner="}, {"cx_accountability_breach{", "cx_breach{"}, {`"Stale"`, `"stale"`}, {"55.72", "56"}} {
		is, err := ruleTests([]byte(rules), []byte(expected), []byte(strings.ReplaceAll(exposition, change[0], change[1])))
		if err != nil || string(is) == string(was) {
			t.Errorf("%q for %q changes nothing (%v)", change[1], change[0], err)
		}
	}
}

func TestRuleTestsRefuseWhatTheyCannotRead(t *testing.T) {
	rules, expected, exposition := read(t, root, rulesFile), read(t, root, alertsFile), read(t, root, metricsFile)
	for name, c := range map[string][2]string{
		"an unknown member":    {"alarms: []", exposition},
		"a time that is none":  {strings.Replace(expected, "after: 5m", "after: soon", 1), exposition},
		"a line that is none":  {expected, exposition + "cx_objective_score 1\n"},
		"nothing but breaches": {expected, `cx_accountability_breach{type="x"} 1` + "\n"},
	} {
		if _, err := ruleTests([]byte(rules), []byte(c[0]), []byte(c[1])); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
