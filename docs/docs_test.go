// Package docs keeps the documentation true: its examples, fields, reasons, flags, calls and links are those of the code.
package docs

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	feedback "github.com/cx-operator/cx-operator/api/feedback/v1alpha1"
	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/config/crd"
	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/plugin"
	"github.com/cx-operator/cx-operator/internal/validate"
)

var update = flag.Bool("update", false, "write the table of flags in operations.md anew")

// kindPages are the pages of the kinds.
var kindPages = map[string]string{
	"kinds/team.md": "Team", "kinds/responsestore.md": "ResponseStore", "kinds/surveyprogram.md": "SurveyProgram",
	"kinds/touchpoint.md": "Touchpoint", "kinds/actionplan.md": "ActionPlan", "kinds/accountabilitypolicy.md": "AccountabilityPolicy",
	"kinds/review.md": "Review",
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// pages returns every page of documentation, and the README that leads to them, by its path from here.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{"../README.md": read(t, "../README.md")}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			all[path] = read(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var (
	fence  = regexp.MustCompile("(?ms)^ *```([a-z]*)\n(.*?)^ *```")
	inline = regexp.MustCompile("`([^`\n]+)`")
	link   = regexp.MustCompile(`\[[^\]\n]+\]\(([^)\s]+)\)`)
)

// blocks returns the code blocks of a language.
func blocks(text, language string) []string {
	var found []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			found = append(found, m[2])
		}
	}
	return found
}

// prose is a page without its code blocks.
func prose(text string) string { return fence.ReplaceAllString(text, "") }

const ours = "cx-operator.io/"

func check(t *testing.T, o validate.Options, sources ...validate.Source) validate.Report {
	t.Helper()
	report, err := validate.Check(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Problems {
		t.Error(p)
	}
	return report
}

func TestExamplesAreValid(t *testing.T) {
	for path, text := range pages(t) {
		for i, block := range blocks(text, "yaml") {
			if !strings.Contains(block, ours) {
				continue
			}
			name := fmt.Sprintf("%s, block %d", path, i+1)
			report := check(t, validate.Options{AllowMissing: true}, validate.Source{Name: name, Content: []byte(block)})
			if report.Resources == 0 {
				t.Errorf("%s: no resource was read", name)
			}
		}
	}
}

// The first examples of the kinds are one program that lacks nothing.
func TestExamplesFitTogether(t *testing.T) {
	var sources []validate.Source
	for path := range kindPages {
		examples := blocks(read(t, path), "yaml")
		if len(examples) == 0 {
			t.Fatalf("%s has no example", path)
		}
		sources = append(sources, validate.Source{Name: path, Content: []byte(examples[0])})
	}
	if report := check(t, validate.Options{}, sources...); report.Resources != len(kindPages)+1 { // there are two teams
		t.Errorf("%d resources", report.Resources)
	}
}

// A block without a kind, on the page of a kind, is a part of it.
func TestPartsAreOfTheirKind(t *testing.T) {
	parts := 0
	for path, kind := range kindPages {
		object := map[string]func() any{
			"Team":          func() any { return &v1alpha1.Team{} },
			"ResponseStore": func() any { return &v1alpha1.ResponseStore{} },
			"SurveyProgram": func() any { return &v1alpha1.SurveyProgram{} },
			"Touchpoint":    func() any { return &v1alpha1.Touchpoint{} },
			"ActionPlan":    func() any { return &v1alpha1.ActionPlan{} },

			"AccountabilityPolicy": func() any { return &v1alpha1.AccountabilityPolicy{} },
			"Review":               func() any { return &v1alpha1.Review{} },
		}[kind]
		for _, block := range blocks(read(t, path), "yaml") {
			if strings.Contains(block, ours) {
				continue
			}
			parts++
			if err := yaml.UnmarshalStrict([]byte(block), object()); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if parts == 0 {
		t.Error("no part was found: the test looks in the wrong place")
	}
}

// schemas returns the schema of each kind, from the CRDs.
func schemas(t *testing.T) map[string]apiextensionsv1.JSONSchemaProps {
	t.Helper()
	files, err := fs.Glob(crd.Bases, "bases/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]apiextensionsv1.JSONSchemaProps{}
	for _, file := range files {
		content, err := crd.Bases.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(content, &definition); err != nil {
			t.Fatal(err)
		}
		all[definition.Spec.Names.Kind] = *definition.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return all
}

// has says whether a schema has the field of a path such as spec.objectives[].target.
func has(schema apiextensionsv1.JSONSchemaProps, path string) bool {
	for _, name := range strings.Split(path, ".") {
		for schema.Items != nil && schema.Items.Schema != nil {
			schema = *schema.Items.Schema
		}
		next, ok := schema.Properties[strings.TrimSuffix(name, "[]")]
		if !ok {
			return false
		}
		schema = next
	}
	return true
}

var field = regexp.MustCompile(`^((?:spec|status)(?:\.[a-zA-Z]+(?:\[\])?)+)(?:$|: |=)`)

// fields returns the fields that a page names, such as spec.dueDate.
func fields(text string) []string {
	var named []string
	for _, code := range inline.FindAllStringSubmatch(prose(text), -1) {
		if m := field.FindStringSubmatch(code[1]); m != nil {
			named = append(named, m[1])
		}
	}
	return named
}

// jsonPaths returns the fields of Go types that are served without a CRD.
func jsonPaths(types ...any) map[string]bool {
	paths := map[string]bool{}
	var walk func(t reflect.Type, prefix string)
	walk = func(t reflect.Type, prefix string) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return
		}
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "" {
				continue
			}
			paths[prefix+name] = true
			walk(f.Type, prefix+name+".")
		}
	}
	for _, one := range types {
		walk(reflect.TypeOf(one), "")
	}
	return paths
}

func TestFieldsExist(t *testing.T) {
	all := schemas(t)
	anyKind := func(path string) bool {
		for _, schema := range all {
			if has(schema, path) {
				return true
			}
		}
		return false
	}
	served := jsonPaths(feedback.Case{}, feedback.Contact{}, feedback.Erasure{}, feedback.Coaching{})
	found := 0
	for path, text := range pages(t) {
		exists := anyKind
		if path == "feedback-api.md" {
			exists = func(path string) bool { return served[path] || anyKind(path) }
		}
		if kind, ok := kindPages[path]; ok {
			exists = func(path string) bool { return has(all[kind], path) }
		}
		for _, name := range fields(text) {
			found++
			if !exists(name) {
				t.Errorf("%s: there is no field %s", path, name)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d fields were found: the test looks in the wrong place", found)
	}
}

// The page of a kind speaks of everything that its spec and status begin with.
func TestFieldsAreExplained(t *testing.T) {
	all := schemas(t)
	for path, kind := range kindPages {
		named := fields(read(t, path))
		for _, part := range []string{"spec", "status"} {
			for name := range all[kind].Properties[part].Properties {
				want := part + "." + name
				if !slices.ContainsFunc(named, func(n string) bool {
					return n == want || strings.HasPrefix(n, want+".") || strings.HasPrefix(n, want+"[]")
				}) {
					t.Errorf("%s does not speak of %s", path, want)
				}
			}
		}
	}
}

// constants returns the values of the string constants of the files of a pattern whose names begin with one of the prefixes, or,
// without prefixes, that are of the type.
func constants(t *testing.T, pattern, ofType string, prefixes ...string) []string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	for _, file := range files {
		values = append(values, constantsOf(t, file, ofType, prefixes...)...)
	}
	if len(values) == 0 {
		t.Fatalf("%s has no such constants", pattern)
	}
	return values
}

func constantsOf(t *testing.T, file, ofType string, prefixes ...string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var values []string
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 {
			return true
		}
		kind, _ := spec.Type.(*ast.Ident)
		wanted := slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(spec.Names[0].Name, p) }) ||
			ofType != "" && kind != nil && kind.Name == ofType
		if literal, ok := spec.Values[0].(*ast.BasicLit); ok && wanted && literal.Kind == token.STRING {
			value, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		return true
	})
	return values
}

// Every condition, reason, breach and state is explained on the page of some kind.
func TestWordsOfStatusAreExplained(t *testing.T) {
	var text strings.Builder
	for path := range kindPages {
		text.WriteString(prose(read(t, path)))
	}
	const api = "../api/v1alpha1/"
	words := constants(t, api+"*.go", "", "Condition", "Reason")
	words = append(words, constants(t, api+"common_types.go", "BreachType")...)
	words = append(words, constants(t, api+"objective_types.go", "ObjectiveState")...)
	words = append(words, constants(t, api+"actionplan_types.go", "WorkState")...)
	for _, word := range words {
		if !strings.Contains(text.String(), "`"+word+"`") {
			t.Errorf("no page of a kind explains %s", word)
		}
	}
}

// The reasons that a page's table gives to a condition are reasons.
func TestTablesKnowTheirReasons(t *testing.T) {
	known := append(constants(t, "../api/v1alpha1/*.go", "", "Reason"), constants(t, "../api/v1alpha1/common_types.go", "BreachType")...)
	rows := 0
	for path := range kindPages {
		for _, line := range strings.Split(read(t, path), "\n") {
			cells := strings.Split(line, "|")
			if len(cells) < 3 || !regexp.MustCompile(`^ (True|False|Unknown) `).MatchString(cells[2]) {
				continue
			}
			rows++
			for _, m := range inline.FindAllStringSubmatch(cells[2], -1) {
				if m[1] != v1alpha1.ConditionReady && !slices.Contains(known, m[1]) {
					t.Errorf("%s: %s is no reason", path, m[1])
				}
			}
		}
	}
	if rows < 50 {
		t.Errorf("only %d rows were found: the test looks in the wrong place", rows)
	}
}

// anchors returns what a page can be linked to by, as GitHub makes it from the headings.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, line := range strings.Split(prose(text), "\n") {
		heading := strings.TrimLeft(line, "#")
		if len(heading) == len(line) || !strings.HasPrefix(heading, " ") {
			continue
		}
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case strings.ContainsRune("-_", r), r >= 'a' && r <= 'z', r >= '0' && r <= '9':
				return r
			}
			return -1
		}, strings.ToLower(strings.TrimSpace(heading)))
		found[slug] = true
	}
	return found
}

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for path, text := range all {
		if path == "api.md" {
			continue // made by a generator, with links to types of Kubernetes
		}
		for _, m := range link.FindAllStringSubmatch(prose(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: link to %s: %v", path, m[1], err)
			} else if anchor != "" && !anchors(all[target])[anchor] {
				t.Errorf("%s: link to %s: there is no such heading", path, m[1])
			}
		}
	}
}

// Every page is reached from the index.
func TestIndexIsComplete(t *testing.T) {
	index := read(t, "README.md")
	for path := range pages(t) {
		if path != "README.md" && !strings.Contains(index, "]("+path+")") {
			t.Errorf("README.md does not lead to %s", path)
		}
	}
}

const (
	flagsBegin = "<!-- flags: made from the command by \"go test ./docs -update\" -->\n"
	flagsEnd   = "<!-- /flags -->"
)

// flagTable writes the manager's flags as --help shows them.
func flagTable(t *testing.T) string {
	t.Helper()
	manager, _, err := cli.NewRootCommand().Find([]string{"manager"})
	if err != nil || manager.Name() != "manager" {
		t.Fatal(manager.Name(), err)
	}
	var b strings.Builder
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	manager.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		value := "`" + f.DefValue + "`"
		if f.DefValue == "" || f.DefValue == "[]" {
			value = "none"
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", f.Name, value, f.Usage)
	})
	return b.String()
}

func TestFlagsAreListed(t *testing.T) {
	page := read(t, "operations.md")
	before, rest, ok := strings.Cut(page, flagsBegin)
	got, after, ended := strings.Cut(rest, flagsEnd)
	if !ok || !ended {
		t.Fatal("operations.md has no place for the table of flags")
	}
	want := flagTable(t)
	if *update {
		if err := os.WriteFile("operations.md", []byte(before+flagsBegin+want+flagsEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("operations.md does not list the flags as they are: go test ./docs -update\n%s", want)
	}
}

var flagName = regexp.MustCompile("^--([a-z][a-z-]+)")

// Flags that pages name are flags of some command of the binary or the plugin.
func TestFlagsExist(t *testing.T) {
	known := map[string]bool{"help": true, "previous": true} // the latter is kubectl's
	var learn func(*cobra.Command)
	learn = func(command *cobra.Command) {
		command.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
		for _, below := range command.Commands() {
			learn(below)
		}
	}
	learn(cli.NewRootCommand())
	learn(plugin.NewRootCommand(io.Discard))
	for path, text := range pages(t) {
		for _, code := range inline.FindAllStringSubmatch(prose(text), -1) {
			if m := flagName.FindStringSubmatch(code[1]); m != nil && !known[m[1]] {
				t.Errorf("%s: there is no flag --%s", path, m[1])
			}
		}
	}
}

// openAPI is what of the endpoint's document the page must have.
type openAPI struct {
	Paths      map[string]map[string]any
	Components struct {
		Schemas map[string]struct {
			Properties map[string]struct{ Enum []string }
		}
	}
}

func TestCallsAreListed(t *testing.T) {
	var document openAPI
	if err := yaml.Unmarshal([]byte(read(t, "../internal/intake/openapi.yaml")), &document); err != nil {
		t.Fatal(err)
	}
	page := read(t, "http-api.md")
	for path, calls := range document.Paths {
		if !strings.Contains(page, path) {
			t.Errorf("http-api.md does not tell of %s", path)
		}
		for _, call := range calls {
			of, ok := call.(map[string]any)
			if !ok { // the parameters
				continue
			}
			for status := range of["responses"].(map[string]any) {
				if !regexp.MustCompile(`\b` + status + `\b`).MatchString(page) {
					t.Errorf("http-api.md does not tell of status %s of %s", status, path)
				}
			}
		}
	}
	types := document.Components.Schemas["Problem"].Properties["type"].Enum
	codes := document.Components.Schemas["FieldError"].Properties["code"].Enum
	if len(types) == 0 || len(codes) == 0 {
		t.Fatal("the document has no types of problems, or no codes")
	}
	for _, word := range append(types, codes...) {
		if name := filepath.Base(word); !strings.Contains(page, "`"+name+"`") {
			t.Errorf("http-api.md does not tell of %s", name)
		}
	}
}

// TestUploadsArePosted: curl sends a file with PUT unless it is told otherwise, and no call takes that.
func TestUploadsArePosted(t *testing.T) {
	uploads := 0
	for name, text := range pages(t) {
		for _, block := range blocks(text, "sh") {
			for line := range strings.Lines(strings.ReplaceAll(block, "\\\n", " ")) {
				if !strings.Contains(line, "curl ") || !strings.Contains(line, " -T ") {
					continue
				}
				uploads++
				if !strings.Contains(line, "-X POST") {
					t.Errorf("%s: curl -T without -X POST is a PUT: %s", name, line)
				}
			}
		}
	}
	if uploads == 0 {
		t.Error("no upload was found, which cannot be right")
	}
}
