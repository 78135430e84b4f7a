package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cx-operator/cx-operator/internal/exporter"
)

const root = "../.."

func TestFilesAreCurrent(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(root, folder, "*.json"))
	if err != nil || len(found) != len(files) {
		t.Errorf("%v, %v; want %d files", found, err, len(files))
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what its source says (%v): run make generate", path, err)
		}
	}
}

func TestRunWritesEveryFile(t *testing.T) {
	to := t.TempDir()
	if err := run(to); err == nil {
		t.Error("wrote to a folder that is not there")
	}
	if err := os.MkdirAll(filepath.Join(to, folder), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := run(to); err != nil {
		t.Fatal(err)
	}
	if found, err := filepath.Glob(filepath.Join(to, folder, "*.json")); err != nil || len(found) != 5 {
		t.Errorf("%v, %v", found, err)
	}
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	file, err := os.Open("schema/dashboard.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("dashboard", document); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("dashboard")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate holds a dashboard, after a change of its JSON, to the schema.
func validate(t *testing.T, s *jsonschema.Schema, d dashboard, change func(map[string]any)) error {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	object, ok := document.(map[string]any)
	if !ok {
		t.Fatal("no object")
	}
	change(object)
	return s.Validate(object)
}

func TestSchema(t *testing.T) {
	s := schema(t)
	for name, d := range dashboards() {
		if err := validate(t, s, d, func(map[string]any) {}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The schema is one that finds faults.
func TestSchemaFindsFaults(t *testing.T) {
	s := schema(t)
	panel := func(d map[string]any) map[string]any { return d["panels"].([]any)[1].(map[string]any) }
	for name, change := range map[string]func(map[string]any){
		"a leftover of the editor": func(d map[string]any) { d["version"] = 7 },
		"an id of a database":      func(d map[string]any) { d["id"] = 7 },
		"no uid":                   func(d map[string]any) { delete(d, "uid") },
		"an unknown panel":         func(d map[string]any) { panel(d)["type"] = "graph" },
		"an unknown option":        func(d map[string]any) { panel(d)["options"].(map[string]any)["colour"] = "x" },
		"an unknown mode":          func(d map[string]any) { panel(d)["options"].(map[string]any)["colorMode"] = "bright" },
		"a panel without queries":  func(d map[string]any) { delete(panel(d), "targets") },
		"no description":           func(d map[string]any) { delete(panel(d), "description") },
	} {
		if err := validate(t, s, overview(), change); err == nil {
			t.Errorf("%s is not found", name)
		}
	}
}

func TestUIDsAreStable(t *testing.T) {
	want := map[string]string{
		"program-overview": "cx-program-overview", "touchpoint-detail": "cx-touchpoint-detail",
		"accountability": "cx-accountability", "follow-through": "cx-follow-through", "endpoint-operations": "cx-endpoint-operations",
	}
	for name, d := range dashboards() {
		if d.UID != want[name] || d.Editable || !slices.Contains(d.Tags, "cx-operator") {
			t.Errorf("%s: uid %q, editable %t, tags %v", name, d.UID, d.Editable, d.Tags)
		}
	}
}

// onPeople are the metrics whose panels must say what they are not about.
var onPeople = regexp.MustCompile(`cx_objective_(score|state|target)|cx_accountability_breach|cx_cases_|cx_follow_up_|cx_action_plan_(effect|change)|cx_team_`)

// Every panel is told apart by a title, explains itself, has a unit where it shows numbers, and is fair.
func TestPanels(t *testing.T) {
	for name, d := range dashboards() {
		titles := map[string]bool{}
		for _, p := range d.Panels {
			if p.Type == "row" {
				continue
			}
			if titles[p.Title] || p.Title == "" || !strings.HasSuffix(p.Description, ".") {
				t.Errorf("%s: panel %q: the title is not its own, or there is no description", name, p.Title)
			}
			titles[p.Title] = true
			checkFairness(t, name, p)
			checkUnits(t, name, p)
			for _, q := range p.Targets {
				if q.Datasource.UID != "${datasource}" || q.Instant == q.Range {
					t.Errorf("%s: panel %q: query %s: %+v", name, p.Title, q.RefID, q)
				}
			}
		}
	}
}

func checkFairness(t *testing.T, name string, p panel) {
	t.Helper()
	exempt := strings.Contains(p.Title, "tale") || p.Title == "Out of date" || p.Title == "Team" // of verdicts that are none, and of owners
	for _, q := range p.Targets {
		if onPeople.MatchString(q.Expr) && !exempt && !strings.Contains(p.Description, fairness) {
			t.Errorf("%s: panel %q does not say: %s", name, p.Title, fairness)
			return
		}
	}
}

// checkUnits wants a unit of the panel, or of each column with numbers, and thresholds wherever colours tell good from bad.
func checkUnits(t *testing.T, name string, p panel) {
	t.Helper()
	switch p.Type {
	case "state-timeline":
		if len(p.FieldConfig.Defaults.Mappings) == 0 {
			t.Errorf("%s: panel %q shows numbers of states", name, p.Title)
		}
	case "table":
		if len(p.FieldConfig.Overrides) == 0 {
			t.Errorf("%s: table %q has no column with a unit or a link", name, p.Title)
		}
	case "stat":
		if text, _ := p.Options.(map[string]any)["textMode"].(string); p.FieldConfig.Defaults.Unit == "" && text != "name" {
			t.Errorf("%s: panel %q has no unit", name, p.Title)
		}
		if p.FieldConfig.Defaults.Thresholds == nil {
			t.Errorf("%s: panel %q has no thresholds", name, p.Title)
		}
	default:
		if p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("%s: panel %q has no unit", name, p.Title)
		}
	}
}

// No two panels of a dashboard lie on each other, and none lies beside the grid.
func TestLayout(t *testing.T) {
	for name, d := range dashboards() {
		taken := map[[2]int]string{}
		for _, p := range d.Panels {
			if p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > gridWidth || p.GridPos.H < 1 {
				t.Errorf("%s: panel %q is at %+v", name, p.Title, p.GridPos)
			}
			for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
				for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
					if other := taken[[2]int{x, y}]; other != "" {
						t.Fatalf("%s: panels %q and %q lie on each other", name, p.Title, other)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

var variableName = regexp.MustCompile(`\$\{?(\w+)`)

// Every variable that is used is declared, before it is used.
func TestVariables(t *testing.T) {
	for name, d := range dashboards() {
		known := []string{"__rate_interval", "__data", "__value"}
		check := func(where, text string) {
			for _, m := range variableName.FindAllStringSubmatch(text, -1) {
				if !slices.Contains(known, m[1]) {
					t.Errorf("%s: %s uses %s, which is not declared before it", name, where, m[1])
				}
			}
		}
		for _, v := range d.Templating.List {
			if q, ok := v.Query.(labelQuery); ok {
				check("variable "+v.Name, q.Query)
			}
			if v.Label == "" || v.Description == "" {
				t.Errorf("%s: variable %s has no label or description", name, v.Name)
			}
			known = append(known, v.Name)
		}
		for _, p := range d.Panels {
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			check("panel "+p.Title, string(text))
		}
	}
}

// Links lead to runbooks and pages that exist, to dashboards that exist, and to the survey's page.
func TestLinks(t *testing.T) {
	for name, d := range dashboards() {
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(regexp.QuoteMeta(repository)+`([\w./]+\.md)`).FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, m := range regexp.MustCompile(`"/d/([\w-]+)\?`).FindAllStringSubmatch(string(text), -1) {
			if m[1] != touchpointUID {
				t.Errorf("%s: a link to dashboard %s", name, m[1])
			}
		}
		if !strings.Contains(string(text), "docs/runbooks/CX") {
			t.Errorf("%s: no link to a runbook", name)
		}
		many := name == "accountability" || name == "follow-through" // of many programs, each with a page of its own
		if !many && !strings.Contains(string(text), "cx_survey_page_info") {
			t.Errorf("%s: no way to the page", name)
		}
	}
}

// The queries of dashboards name metrics and labels that are exported. That they find something is for test/monitoring.
func TestLabelsExist(t *testing.T) {
	labels := map[string][]string{}
	for _, m := range exporter.Metrics() {
		labels[m.Name] = m.Labels
	}
	used := regexp.MustCompile(`max by \(([^)]*)\) \((cx_\w+)\{([^}]*)\}\)`)
	label := regexp.MustCompile(`(\w+)(?:=~|!=|=)"`)
	checked := 0
	for name, d := range dashboards() {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				for _, m := range used.FindAllStringSubmatch(q.Expr, -1) {
					names := strings.Split(m[1], ", ")
					for _, l := range label.FindAllStringSubmatch(m[3], -1) {
						names = append(names, l[1])
					}
					for _, l := range names {
						checked++
						if !slices.Contains(labels[m[2]], l) {
							t.Errorf("%s: panel %q: %s has no label %s", name, p.Title, m[2], l)
						}
					}
				}
			}
		}
	}
	if checked < 500 {
		t.Errorf("only %d labels were looked at", checked)
	}
}

func TestStepsRefuseWhatTheyCannotMean(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a colour without a number was taken")
		}
	}()
	steps(green, "red", 1.0)
}
