package docs

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/cx-operator/cx-operator/internal/cli"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/plugin"
)

// demands is how many there are: R1 to R121.
const demands = 121

// notYet stands where a demand is carried by nothing.
const notYet = "not yet"

// known is what requirements.md may name.
type known struct {
	schemas map[string]apiextensionsv1.JSONSchemaProps
	// names of each notation but field, condition and doc.
	names map[string][]string
	// conditions are the condition types of the API.
	conditions []string
	page       func(path string) bool
}

var (
	row   = regexp.MustCompile(`^\| R(\d+) \| ([^|]+) \| ([^|]+) \|$`)
	named = regexp.MustCompile("`([a-z]+):([^`]+)`")
)

// problems returns what is wrong with the map of requirements.
func (k known) problems(text string) []string {
	var found []string
	tell := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	seen := map[string]int{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "| R") {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			tell("no row of a demand: %s", line)
			continue
		}
		number, place := "R"+m[1], m[3]
		seen[number]++
		tokens := named.FindAllStringSubmatch(place, -1)
		if len(tokens) == 0 && place != notYet {
			tell("%s is carried by nothing: name something, or say %q", number, notYet)
		}
		if rest := strings.Trim(named.ReplaceAllString(place, ""), ", "); rest != "" && place != notYet {
			tell("%s: %q is no notation", number, rest)
		}
		for _, t := range tokens {
			if !k.has(t[1], t[2]) {
				tell("%s: there is no %s %s", number, t[1], t[2])
			}
		}
	}
	for i := range demands {
		if number := fmt.Sprintf("R%d", i+1); seen[number] != 1 {
			tell("%s stands there %d times", number, seen[number])
		}
		delete(seen, fmt.Sprintf("R%d", i+1))
	}
	for number := range seen {
		tell("there is no demand %s", number)
	}
	return found
}

func (k known) has(notation, name string) bool {
	switch notation {
	case "field":
		kind, path, _ := strings.Cut(name, ".")
		schema, ok := k.schemas[kind]
		return ok && has(schema, path)
	case "condition":
		kind, condition, _ := strings.Cut(name, ".")
		schema, ok := k.schemas[kind]
		return ok && slices.Contains(k.conditions, condition) && slices.Contains(conditionsOf(schema), condition)
	case "doc":
		return k.page(name)
	}
	return slices.Contains(k.names[notation], name)
}

// conditionsOf returns the conditions that a kind says that it has.
func conditionsOf(schema apiextensionsv1.JSONSchemaProps) []string {
	description := schema.Properties["status"].Properties["conditions"].Description
	return regexp.MustCompile(`[A-Z]\w+`).FindAllString(description, -1)
}

// everything returns what the code has.
func everything(t *testing.T) known {
	t.Helper()
	const api = "../api/v1alpha1/"
	k := known{
		schemas:    schemas(t),
		conditions: constants(t, api+"*.go", "", "Condition"),
		names: map[string][]string{
			"reason":  constants(t, api+"*.go", "", "Reason"),
			"breach":  constants(t, api+"common_types.go", "BreachType"),
			"alert":   matches(t, "../config/prometheus/rules.yaml", `(?m)^ *- alert: (\w+)$`),
			"role":    matches(t, "../charts/cx-operator/templates/rbac-people.yaml", `"(cx-[a-z]+)"`),
			"metric":  append(matches(t, "../internal/intake/metrics.go", `Name: +"(cx_\w+)"`), matches(t, "../internal/endpoint/metrics.go", `Name: +"(cx_\w+)"`)...),
			"command": append(commands("cx-operator", cli.NewRootCommand()), commands("kubectl cx", plugin.NewRootCommand(io.Discard))...),
		},
		page: func(path string) bool {
			info, err := os.Stat(path)
			return err == nil && !info.IsDir() && strings.HasSuffix(path, ".md")
		},
	}
	for _, m := range exporter.Metrics() {
		k.names["metric"] = append(k.names["metric"], m.Name)
	}
	return k
}

func matches(t *testing.T, path, pattern string) []string {
	t.Helper()
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, path), -1) {
		found = append(found, m[1])
	}
	if len(found) == 0 {
		t.Fatalf("%s has nothing like %s", path, pattern)
	}
	return found
}

// commands returns a command and all below it, as they are typed.
func commands(typed string, c *cobra.Command) []string {
	all := []string{typed}
	for _, child := range c.Commands() {
		all = append(all, commands(typed+" "+child.Name(), child)...)
	}
	return all
}

func TestRequirementsLiveWhereTheySay(t *testing.T) {
	for _, problem := range everything(t).problems(read(t, "requirements.md")) {
		t.Error(problem)
	}
}

// What does not exist, or is not there, is found.
func TestRequirementsAreChecked(t *testing.T) {
	k := everything(t)
	sound := read(t, "requirements.md")
	before := k.problems(sound)
	third := regexp.MustCompile(`(?m)^\| R3 \|.*$`)
	if !third.MatchString(sound) {
		t.Fatal("there is no row of R3 to spoil")
	}
	for spoiled, want := range map[string]string{
		"": "R3 stands there 0 times",
		"| R3 | a | `field:Team.spec.lead` |\n| R3 | a | not yet |": "R3 stands there 2 times",
		"| R3 | a | not yet |\n| R122 | a | not yet |":              "there is no demand R122",
		"| R3 | a |":                                          "no row of a demand: | R3 | a |",
		"| R3 | a | - |":                                      `R3: "-" is no notation`,
		"| R3 | a | later |":                                  "R3 is carried by nothing: name something, or say \"not yet\"",
		"| R3 | a | `field:Team.spec.leads` |":                "R3: there is no field Team.spec.leads",
		"| R3 | a | `field:Teams.spec.lead` |":                "R3: there is no field Teams.spec.lead",
		"| R3 | a | `field:Team` |":                           "R3: there is no field Team",
		"| R3 | a | `field:Team.spec.lead`, `field:Team.x` |": "R3: there is no field Team.x",
		"| R3 | a | `condition:Touchpoint.Owned` |":           "R3: there is no condition Touchpoint.Owned",
		"| R3 | a | `condition:Team.OwnerAssigned` |":         "R3: there is no condition Team.OwnerAssigned",
		"| R3 | a | `reason:Fine` |":                          "R3: there is no reason Fine",
		"| R3 | a | `breach:OwnerLost` |":                     "R3: there is no breach OwnerLost",
		"| R3 | a | `metric:cx_objective` |":                  "R3: there is no metric cx_objective",
		"| R3 | a | `alert:CXOwnerLost` |":                    "R3: there is no alert CXOwnerLost",
		"| R3 | a | `command:cx-operator imports` |":          "R3: there is no command cx-operator imports",
		"| R3 | a | `command:kubectl cx plan` and more |":     `R3: "and more" is no notation`,
		"| R3 | a | `command:kubectl cx plan forget` |":       "R3: there is no command kubectl cx plan forget",
		"| R3 | a | `role:cx-king` |":                         "R3: there is no role cx-king",
		"| R3 | a | `doc:kings.md` |":                         "R3: there is no doc kings.md",
		"| R3 | a | `doc:kinds` |":                            "R3: there is no doc kinds",
		"| R3 | a | `hope:springs` |":                         "R3: there is no hope springs",
	} {
		got := k.problems(third.ReplaceAllLiteralString(sound, spoiled))
		if !slices.Contains(got, want) {
			t.Errorf("%q: %q, want %q", spoiled, got, want)
		}
		if slices.Contains(before, want) {
			t.Errorf("%q is a problem of the sound page as well: nothing is proven", want)
		}
	}
}
