package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const root = "../.."

// The chart in the tree is what its sources make of it, with no file too many.
func TestChartIsUpToDate(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		got, err := os.ReadFile(filepath.Join(root, path))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what its sources make (%v): run 'make generate'", path, err)
		}
	}
	err = filepath.WalkDir(filepath.Join(root, filesPath), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if files[relative] == nil {
			t.Errorf("%s has no source: run 'make generate'", relative)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRunWritesAndRemoves(t *testing.T) {
	dir := t.TempDir()
	for path, content := range map[string]string{
		"config/crd/bases/a.yaml":                      "kind: CustomResourceDefinition\n",
		"config/prometheus/rules.yaml":                 "groups: []\n",
		"config/rbac/role.yaml":                        "---\nkind: ClusterRole\nrules: []\n",
		"config/rbac/leader_election_role.yaml":        "kind: Role\nrules: [a]\n---\nkind: RoleBinding\n",
		"config/rbac/own_role.yaml":                    "kind: Role\n---\nkind: RoleBinding\n",
		"config/rbac/feedback_role.yaml":               "kind: ClusterRole\n---\nkind: ClusterRoleBinding\n---\nkind: Role\n---\nkind: RoleBinding\n",
		"hack/chart/readme.md":                         "# Chart\n\n" + marker + "\nEnd\n",
		"charts/cx-operator/values.yaml":               "# How many.\nreplicas: null\n",
		"charts/cx-operator/files/crds/old.yaml":       "kind: CustomResourceDefinition\n",
		strings.Replace(healthScripts, "*", "Team", 1): "if true then\n\n  return 1\nend\n",
	} {
		write(t, filepath.Join(dir, path), content)
	}
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := filepath.WalkDir(filepath.Join(dir, chartPath), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		relative, _ := filepath.Rel(filepath.Join(dir, chartPath), path)
		got[relative] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"values.yaml":                      "# How many.\nreplicas: null\n",
		"README.md":                        "<!-- Made by \"make generate\": change hack/chart/readme.md, or the comments in values.yaml. -->\n# Chart\n\n| value | default | meaning |\n|---|---|---|\n| `replicas` | `null` | How many. |\n\nEnd\n",
		"files/crds/a.yaml":                "kind: CustomResourceDefinition\n",
		"files/rules.yaml":                 "groups: []\n",
		"files/role.yaml":                  "kind: ClusterRole\nrules: []\n",
		"files/leader-election-role.yaml":  "kind: Role\nrules: [a]\n",
		"files/feedback-cluster-role.yaml": "kind: ClusterRole\n", "files/feedback-role.yaml": "kind: Role\n",
		"files/own-role.yaml": "kind: Role\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	patch, err := os.ReadFile(filepath.Join(dir, "config/argocd/argocd-cm.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	script := "\n  resource.customizations.health.cx-operator.io_Team: |\n    if true then\n\n      return 1\n    end\n"
	if !strings.HasSuffix(string(patch), "\ndata:"+script) {
		t.Errorf("argocd-cm.yaml = %s", patch)
	}
}

func TestDocument(t *testing.T) {
	tests := []struct{ name, content, want, wantErr string }{
		{name: "among others", content: "kind: A\n---\nkind: Role\nrules: []\n", want: "kind: Role\nrules: []\n"},
		{name: "none", content: "kind: A\n", wantErr: "no document of kind Role"},
		{name: "two", content: "kind: Role\n---\nkind: Role\n", wantErr: "two documents"},
		{name: "no YAML", content: "kind: [", wantErr: "yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := document([]byte(tt.content), "Role")
			checkError(t, err, tt.wantErr)
			if string(got) != tt.want {
				t.Errorf("document = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseValues(t *testing.T) {
	tests := []struct {
		name, text string
		want       []value
		wantErr    string
	}{
		{
			name: "nested, with defaults of every type",
			text: "# The file.\n\n# An image.\nimage:\n  # Its\n  # tag.\n  tag: \"1\"\n# A list.\nlist: [a, {b: 2}]\n# A mapping.\nempty: {}\n# A switch.\non: true\n",
			want: []value{
				{path: "image", comment: "An image."}, {path: "image.tag", def: `"1"`, comment: "Its tag."},
				{path: "list", def: `["a",{"b":2}]`, comment: "A list."}, {path: "empty", def: "{}", comment: "A mapping."},
				{path: "on", def: "true", comment: "A switch."},
			},
		},
		{name: "no comment", text: "# A.\na:\n  b: 1\n", wantErr: "a.b has no comment"},
		{name: "no mapping", text: "- a\n", wantErr: "must be a mapping"},
		{name: "no YAML", text: "a: [", wantErr: "yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseValues([]byte(tt.text))
			checkError(t, err, tt.wantErr)
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadmeNeedsAPlaceForTheValues(t *testing.T) {
	_, err := readme([]byte("# Chart\n"), []byte("# A.\na: 1\n"))
	checkError(t, err, "has no line")
	text, err := readme([]byte(marker), []byte("# a|b\na: \"x|y\"\n"))
	if err != nil || !strings.Contains(string(text), "| `a` | `\"x\\|y\"` | a\\|b |") {
		t.Errorf("README = %s, %v", text, err)
	}
}

// The schema knows each value, and no other, so that a typing error in a value is refused and no value is undocumented.
func TestSchemaHasTheValues(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, chartPath, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(filepath.Join(root, chartPath, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	delete(schema["properties"].(map[string]any), "global") // of Helm, not of this chart
	compare(t, "", schema, values)
}

// compare walks the objects that the schema closes. One with additionalProperties is the user's own.
func compare(t *testing.T, prefix string, schema, values map[string]any) {
	t.Helper()
	if schema["additionalProperties"] != false {
		t.Errorf("the schema allows %sanything", prefix)
	}
	properties, _ := schema["properties"].(map[string]any)
	known := slices.Sorted(maps.Keys(properties))
	if diff := cmp.Diff(slices.Sorted(maps.Keys(values)), known); diff != "" {
		t.Errorf("values of %q and its schema differ (-values +schema):\n%s", prefix, diff)
	}
	for _, name := range known {
		property := properties[name].(map[string]any)
		inner, isMapping := values[name].(map[string]any)
		if _, closed := property["properties"]; closed && isMapping {
			compare(t, prefix+name+".", property, inner)
		}
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Fatalf("error = %v, want %q", err, want)
	}
}
