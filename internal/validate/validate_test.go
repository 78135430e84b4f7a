package validate

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/test/admission"
)

// check judges manifests, each as a file of its own: 0.yaml, 1.yaml and so on.
func check(t testing.TB, o Options, manifests ...string) Report {
	t.Helper()
	var sources []Source
	for i, m := range manifests {
		sources = append(sources, Source{Name: fmt.Sprintf("%d.yaml", i), Content: []byte(m)})
	}
	report, err := Check(sources, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// text is the report as it is printed.
func text(t testing.TB, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestContract(t *testing.T) {
	sources, err := Read([]string{filepath.Join("..", "..", "api", "v1alpha1", "testdata", "contract")}, nil)
	if err != nil {
		t.Fatal(err)
	}
	report, err := Check(sources, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(t, report), "2 files, 10 resources, 0 problems (1 object of other groups passed over)\n"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// complete is a set in which every reference is met.
func complete() []string {
	return []string{
		admission.Team, admission.ResponseStore, admission.SurveyProgram, admission.Touchpoint, admission.ActionPlan,
		"apiVersion: cx-operator.io/v1alpha1\nkind: Team\nmetadata: {name: airport}\nspec: {displayName: Airport, level: Company}\n",
		"apiVersion: cx-operator.io/v1alpha1\nkind: Touchpoint\nmetadata: {name: gate}\nspec: {displayName: Gate, programRef: {name: passenger-experience}, stage: During}\n",
	}
}

// TestReferences changes one thing in a complete set; what is found must be exactly the wanted lines.
func TestReferences(t *testing.T) {
	const (
		teamFile = iota
		storeFile
		programFile
		touchpointFile
		planFile
		airportFile
		gateFile
	)
	remove := func(set []string, file int) { set[file] = "" }
	edit := func(file int, before, after string) func([]string) {
		return func(set []string) {
			if !strings.Contains(set[file], before) {
				panic(before)
			}
			set[file] = strings.Replace(set[file], before, after, 1)
		}
	}
	for name, c := range map[string]struct {
		change  func([]string)
		want    []string
		missing bool // --allow-missing makes them warnings
	}{
		"nothing": {func([]string) {}, nil, false},
		"program is missing": {func(s []string) { remove(s, programFile) }, []string{
			`3.yaml:6: Touchpoint default/food: spec.programRef.name: there is no SurveyProgram "passenger-experience" in namespace "default" of these files`,
			`6.yaml:4: Touchpoint default/gate: spec.programRef.name: there is no SurveyProgram "passenger-experience" in namespace "default" of these files`,
		}, true},
		"store is missing": {func(s []string) { remove(s, storeFile) }, []string{
			`2.yaml:9: SurveyProgram default/passenger-experience: spec.storeRef.name: there is no ResponseStore "responses" in namespace "default" of these files`,
		}, true},
		"team is missing": {func(s []string) { remove(s, airportFile) }, []string{
			`0.yaml:8: Team default/concessions: spec.parentRef.name: there is no Team "airport" in the namespace`,
			`2.yaml:7: SurveyProgram default/passenger-experience: spec.ownerRef.name: there is no Team "airport" in namespace "default" of these files`,
			`2.yaml:8: SurveyProgram default/passenger-experience: spec.executiveSponsor.teamRef.name: there is no Team "airport" in namespace "default" of these files`,
			`3.yaml:11: Touchpoint default/food: spec.supportingTeamRefs[0].name: there is no Team "airport" in namespace "default" of these files`,
		}, true},
		"owner is missing": {func(s []string) { remove(s, teamFile) }, []string{
			`3.yaml:10: Touchpoint default/food: spec.ownerRef.name: there is no Team "concessions" in namespace "default" of these files`,
			`4.yaml:8: ActionPlan default/better-food: spec.ownerRef.name: there is no Team "concessions" in namespace "default" of these files`,
			`4.yaml:17: ActionPlan default/better-food: spec.actions[0].ownerRef.name: there is no Team "concessions" in namespace "default" of these files`,
		}, true},
		"touchpoint is missing": {func(s []string) { remove(s, touchpointFile) }, []string{
			`4.yaml:5: ActionPlan default/better-food: spec.touchpointRef.name: there is no Touchpoint "food" in namespace "default" of these files`,
		}, true},
		"handoff is missing": {func(s []string) { remove(s, gateFile) }, []string{
			`3.yaml:12: Touchpoint default/food: spec.handoff.toRef.name: there is no Touchpoint "gate" in namespace "default" of these files`,
		}, true},
		"plan's program is missing": {edit(planFile, "touchpointRef: {name: food}", "programRef: {name: other}"), []string{
			`4.yaml:5: ActionPlan default/better-food: spec.programRef.name: there is no SurveyProgram "other" in namespace "default" of these files`,
		}, true},
		"a store of another namespace": {edit(storeFile, "{name: responses}", "{name: responses, namespace: other}"), []string{
			`2.yaml:9: SurveyProgram default/passenger-experience: spec.storeRef.name: there is no ResponseStore "responses" in namespace "default" of these files`,
		}, true},

		"plan's objective at a touchpoint": {edit(planFile, "objective: satisfaction", "objective: speed"), []string{
			`4.yaml:6: ActionPlan default/better-food: spec.objective: Touchpoint food has no objective "speed", it has satisfaction`,
		}, false},
		"plan's objective of a program": {edit(planFile, "touchpointRef: {name: food}", "programRef: {name: passenger-experience}"), []string{
			`4.yaml:6: ActionPlan default/better-food: spec.objective: SurveyProgram passenger-experience has no objective "satisfaction", it has nps, food, stars, ease, easy, net-ease, mean`,
		}, false},
		"plan for a touchpoint without objectives": {edit(planFile, "{name: food}", "{name: gate}"), []string{
			`4.yaml:6: ActionPlan default/better-food: spec.objective: Touchpoint gate has no objective "satisfaction", it has none`,
		}, false},
		"touchpoint's unknown question": {edit(touchpointFile, "questions: [food, comment]", "questions: [food, coment]"), []string{
			`3.yaml:13: Touchpoint default/food: spec.questions[1]: SurveyProgram "passenger-experience" has no question "coment", it has recommend, food, effort, stars, reason, services, comment`,
		}, false},
		"touchpoint's objective on an unknown question": {edit(touchpointFile, "question: food", "question: fod"), []string{
			`3.yaml:16: Touchpoint default/food: spec.objectives[0].question: SurveyProgram "passenger-experience" has no question "fod", it has recommend, food, effort, stars, reason, services, comment`,
		}, false},
		"touchpoint's objective on a question that it does not ask": {edit(touchpointFile, "questions: [food, comment]", "questions: [comment]"), []string{
			`3.yaml:16: Touchpoint default/food: spec.objectives[0].question: question "food" is not asked at this touchpoint: add it to spec.questions`,
		}, false},
		"touchpoint's metric does not fit": {edit(touchpointFile, "question: food", "question: comment"), []string{
			`3.yaml:17: Touchpoint default/food: spec.objectives[0].metric: a Text question carries no metric, an objective needs an NPS, CSAT, CES or Rating question`,
		}, false},
		"time zone": {edit(programFile, "America/Los_Angeles", "America/Los_Angelos"), []string{
			`2.yaml:10: SurveyProgram default/passenger-experience: spec.timeZone: "America/Los_Angelos" is not a time zone, write an IANA name such as UTC or America/Los_Angeles`,
		}, false},
		"language": {edit(programFile, "es: Restaurantes", "spanish: Restaurantes"), []string{
			`2.yaml:23: SurveyProgram default/passenger-experience: spec.survey.questions[1].text: "spanish" is not a language tag, write a BCP 47 tag such as en, es or pt-BR`,
		}, false},
		"mean off the scale": {edit(programFile, "metric: Mean, target: 4", "metric: Mean, target: 6"), []string{
			`2.yaml:59: SurveyProgram default/passenger-experience: spec.objectives[6].target: 6 is not allowed, the target of metric Mean on question "food" is from 1 to 5`,
		}, false},
		"cycle of teams": {edit(airportFile, "level: Company", "level: Location, parentRef: {name: concessions}"), []string{
			`0.yaml:8: Team default/concessions: spec.parentRef.name: a team must not be its own ancestor: concessions -> airport -> concessions`,
			`5.yaml:4: Team default/airport: spec.parentRef.name: a team must not be its own ancestor: airport -> concessions -> airport`,
		}, false},
		"one name twice": {edit(gateFile, "name: gate", "name: food"), []string{
			`3.yaml:12: Touchpoint default/food: spec.handoff.toRef.name: there is no Touchpoint "gate" in namespace "default" of these files`,
			`6.yaml:3: Touchpoint default/food: metadata.name: there is a Touchpoint of this name in 3.yaml:1 already`,
		}, false},
		"a fault of its own hides no other object's": {edit(programFile, "target: 35", "target: 135"), []string{
			`2.yaml:53: SurveyProgram default/passenger-experience: spec.objectives[0].target: Invalid value: target of metric NPS must be from -100 to 100`,
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			set := complete()
			c.change(set)
			var got []string
			for _, p := range check(t, Options{}, set...).Problems {
				got = append(got, p.String())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !c.missing {
				return
			}
			lenient := check(t, Options{AllowMissing: true}, set...)
			if len(lenient.Problems) != 0 || len(lenient.Warnings) != len(c.want) {
				t.Errorf("with AllowMissing: problems %v, warnings %v", lenient.Problems, lenient.Warnings)
			}
		})
	}
}

func TestNamespaces(t *testing.T) {
	set := complete()
	for i := range set {
		if i%2 == 0 {
			set[i] = strings.Replace(set[i], "metadata: {name:", "metadata: {namespace: sfo, name:", 1)
		}
	}
	if got := check(t, Options{Namespace: "sfo"}, set...); len(got.Problems) > 0 {
		t.Errorf("half the set names the namespace, the other half gets it: %v", got.Problems)
	}
	if got := check(t, Options{}, set...); len(got.Problems) == 0 {
		t.Error("references across namespaces were taken")
	}
}

func TestKinds(t *testing.T) {
	for name, c := range map[string]struct{ manifest, want string }{
		"other groups": {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nwhatever: 1\n---\napiVersion: apps/v1\nkind: Deployment\n",
			"1 file, 0 resources, 0 problems (2 objects of other groups passed over)\n"},
		"unknown kind": {"apiVersion: cx-operator.io/v1alpha1\nkind: Touchpiont\nmetadata: {name: x}\n",
			"0.yaml:2: Touchpiont default/x: kind: \"Touchpiont\" is unknown, cx-operator.io/v1alpha1 has AccountabilityPolicy, ActionPlan, ResponseStore, Review, SurveyProgram, Team, Touchpoint\n1 file, 1 resource, 1 problem\n"},
		"unknown version": {"apiVersion: cx-operator.io/v1\nkind: Team\nmetadata: {name: x}\n",
			"0.yaml:1: Team default/x: apiVersion: \"cx-operator.io/v1\" is not served, write cx-operator.io/v1alpha1\n1 file, 1 resource, 1 problem\n"},
		"no kind":      {"apiVersion: v1\nmetadata: {name: x}\n", "0.yaml:1: must have an apiVersion and a kind\n1 file, 0 resources, 1 problem\n"},
		"odd version":  {"apiVersion: a/b/c\nkind: Team\n", "0.yaml:1: apiVersion: unexpected GroupVersion string: a/b/c\n1 file, 0 resources, 1 problem\n"},
		"no object":    {"\n\n- a\n- b\n", "0.yaml:3: must be an object with apiVersion, kind, metadata and spec\n1 file, 0 resources, 1 problem\n"},
		"nothing":      {"# nothing\n---\n---\n\n", "1 file, 0 resources, 0 problems\n"},
		"no name":      {"apiVersion: cx-operator.io/v1alpha1\nkind: ResponseStore\nmetadata: {}\nspec: {sqlite: {}}\n", "metadata.name: Required value: name or generateName is required"},
		"no metadata":  {"apiVersion: cx-operator.io/v1alpha1\nkind: ResponseStore\nspec: {sqlite: {}}\n", "metadata.name: Required value: name or generateName is required"},
		"odd metadata": {"apiVersion: cx-operator.io/v1alpha1\nkind: ResponseStore\nmetadata: 7\nspec: {sqlite: {}}\n", "ResponseStore default/: metadata: "},
		"odd label":    {"apiVersion: cx-operator.io/v1alpha1\nkind: ResponseStore\nmetadata: {name: x, labels: {a: 1}}\nspec: {sqlite: {}}\n", "0.yaml:3: ResponseStore default/x: metadata: "},
		"unknown metadata": {"apiVersion: cx-operator.io/v1alpha1\nkind: ResponseStore\nmetadata: {name: x, lables: {}}\nspec: {sqlite: {}}\n",
			"0.yaml:3: ResponseStore default/x: metadata.lables: Forbidden: unknown field\n"},
		"status is not people's, but no fault": {admission.ResponseStore + "status: {engine: SQLite}\n", "1 file, 1 resource, 0 problems\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := text(t, check(t, Options{}, c.manifest))
			if strings.HasSuffix(c.want, "\n") && strings.Contains(c.want, " file, ") {
				if got != c.want {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
			} else if !strings.Contains(got, c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
		})
	}
}

func TestList(t *testing.T) {
	list := "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n- apiVersion: cx-operator.io/v1alpha1\n  kind: Team\n  metadata: {name: x}\n  spec:\n    displayName: X\n    level: Division\n- 7\n"
	want := "0.yaml:11: Team default/x: spec.level: Unsupported value: \"Division\": supported values: \"Company\", \"Department\", \"Location\", \"Person\"\n" +
		"0.yaml:12: items[2]: must be an object\n" +
		"1 file, 1 resource, 2 problems (1 object of other groups passed over)\n"
	if diff := cmp.Diff(want, text(t, check(t, Options{}, list))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWarningsAreText(t *testing.T) {
	got := text(t, check(t, Options{AllowMissing: true}, admission.Team))
	want := "warning: 0.yaml:8: Team default/concessions: spec.parentRef.name: there is no Team \"airport\" in the namespace\n1 file, 1 resource, 0 problems, 1 warning\n"
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"b.yaml": "b", "a.yml": "a", "deep/er/c.json": "c", "README.md": "no", ".git/x.yaml": "no", "D.YAML": "d"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sources, err := Read([]string{dir, "-", filepath.Join(dir, "b.yaml"), filepath.Join(dir, "README.md")}, strings.NewReader("stdin"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range sources {
		got = append(got, strings.TrimPrefix(s.Name, dir+"/")+"="+string(s.Content))
	}
	want := []string{"D.YAML=d", "a.yml=a", "b.yaml=b", "deep/er/c.json=c", "stdin=stdin", "README.md=no"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestReadRefuses(t *testing.T) {
	empty := t.TempDir()
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxFileSize+1); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(empty, "none.yaml"): "no such file",
		empty:                             "no .yaml, .yml or .json file in this folder",
		large:                             "larger than 16 MiB",
	} {
		if _, err := Read([]string{path}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read(%s): %v, want %q", path, err, want)
		}
	}
}

// TestSurveyIsCompiled: what only a compiler can tell is told offline too, with its line.
func TestSurveyIsCompiled(t *testing.T) {
	for before, c := range map[string]struct{ after, want string }{
		"showWhen: answers.recommend <= 6": {"showWhen: answers.stars <= 6",
			`0.yaml:19: SurveyProgram default/questionnaire: spec.survey.questions[1].showWhen: question "stars" is not asked before this one, allowed are recommend`},
		`accentColor: "#8a1f5c"`: {`accentColor: "#ff6600"`,
			`0.yaml:31: SurveyProgram default/questionnaire: spec.survey.branding.light.accentColor: #ff6600 on the background #fff8f0 has a contrast of 2.78, at least 4.5 is needed so that everybody can read it`},
		"metric: Sum": {"metric: Mean",
			`0.yaml:28: SurveyProgram default/questionnaire: spec.survey.feedback[0].questions: the questions of a Mean must have one scale; a Sum may have several`},
		"questions: [recommend, stars]": {"questions: [recommend]", ""},
	} {
		manifest := strings.Replace(admission.Questionnaire, before, c.after, 1)
		got := text(t, check(t, Options{AllowMissing: true}, manifest))
		if manifest == admission.Questionnaire || !strings.Contains(got, c.want) || (c.want == "") != strings.Contains(got, " 0 problems") {
			t.Errorf("%s: %s\nwant %s", c.after, got, c.want)
		}
	}
}
