package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// promtool's file of rule tests.
type (
	testFile struct {
		RuleFiles          []string   `json:"rule_files"`
		EvaluationInterval string     `json:"evaluation_interval"`
		Tests              []ruleTest `json:"tests"`
	}
	ruleTest struct {
		Name        string      `json:"name"`
		Interval    string      `json:"interval"`
		InputSeries []input     `json:"input_series"`
		AlertTests  []alertTest `json:"alert_rule_test"`
	}
	input struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	alertTest struct {
		EvalTime  string  `json:"eval_time"`
		AlertName string  `json:"alertname"`
		Alerts    []alert `json:"exp_alerts"`
	}
	alert struct {
		Labels      map[string]string `json:"exp_labels"`
		Annotations map[string]string `json:"exp_annotations"`
	}
)

// expectation is what one alert looks like when it arrives.
type expectation struct {
	Alert       string            `json:"alert"`
	After       string            `json:"after,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func (e expectation) alert() alert { return alert{e.Labels, e.Annotations} }

// expectations is the file that says what the alerts look like.
type expectations struct {
	Alerts []expectation `json:"alerts"`
	Cases  []struct {
		Name   string `json:"name"`
		Series []struct {
			Series string  `json:"series"`
			Value  float64 `json:"value"`
		} `json:"series"`
		Fires []expectation `json:"fires,omitempty"`
	} `json:"cases"`
}

// step is the interval of scrapes and evaluations; every test is an hour of them.
const (
	step  = 30 * time.Second
	steps = 120
	half  = steps / 2
	// absent is how many scrapes are without series while the leader changes: a minute.
	absent = 2
	// kept is how many evaluations an alert goes on after its cause went: keep_firing_for is 5m.
	kept = 10
)

const testHeader = `# Made by "make generate" from rules.yaml, testdata/alerts.yaml and the exporter's golden exposition: change those.
`

// ruleTests are promtool's tests of the rules, on the series of an exposition.
func ruleTests(rules, expected, exposition []byte) ([]byte, error) {
	var want expectations
	if err := yaml.UnmarshalStrict(expected, &want); err != nil {
		return nil, err
	}
	all, err := samples(string(exposition), string(rules))
	if err != nil {
		return nil, err
	}
	all = append(all, sample{"up", `job="cx-operator"`, "0"})
	file := testFile{RuleFiles: []string{"rules.yaml"}, EvaluationInterval: step.String()}
	for _, build := range []func([]expectation, []sample) (ruleTest, error){stands, changes, dies, clears, healthy} {
		test, err := build(want.Alerts, all)
		if err != nil {
			return nil, err
		}
		file.Tests = append(file.Tests, test)
	}
	file.Tests = append(file.Tests, alone(want.Alerts, all)...)
	file.Tests = append(file.Tests, cases(want)...)
	text, err := yaml.Marshal(file)
	if err != nil {
		return nil, err
	}
	return append([]byte(testHeader), text...), nil
}

// stands: everything is broken for an hour. Each alert fires when its time has come, not before.
func stands(alerts []expectation, all []sample) (ruleTest, error) {
	t := newTest("everything is broken")
	for _, s := range all {
		t.input(s, "a", s.value+"+0x"+fmt.Sprint(steps))
	}
	for _, a := range alerts {
		after, err := time.ParseDuration(a.After)
		if err != nil {
			return ruleTest{}, fmt.Errorf("%s: after: %w", a.Alert, err)
		}
		first := int(after / step)
		if first > 0 {
			t.expect(first-1, a.Alert)
		}
		t.expect(first, a.Alert, a)
		t.expect(steps, a.Alert, a)
	}
	return t.ruleTest, nil
}

// changes: the leader hands over, with a minute in which nobody exports.
func changes(alerts []expectation, all []sample) (ruleTest, error) {
	t := newTest("the leader changes and for a minute nobody exports")
	for _, s := range all {
		t.input(s, "a", fmt.Sprintf("%s+0x%d stale", s.value, half))
		t.input(s, "b", fmt.Sprintf("_x%d %s+0x%d", half+absent+1, s.value, half-absent-1))
	}
	t.firesOn(alerts)
	return t.ruleTest, nil
}

// dies: the leader is gone without a word, so Prometheus holds its series for five more minutes beside the new ones.
func dies(alerts []expectation, all []sample) (ruleTest, error) {
	t := newTest("the leader dies and another exports beside its last series")
	for _, s := range all {
		t.input(s, "a", fmt.Sprintf("%s+0x%d", s.value, half))
		t.input(s, "b", fmt.Sprintf("_x%d %s+0x%d", half+absent+1, s.value, half-absent-1))
	}
	t.firesOn(alerts)
	return t.ruleTest, nil
}

// firesOn expects every alert without a break: before the change of the leader, while there is none, as soon as there is
// another, when the last series of the first are forgotten, and after that.
func (t *test) firesOn(alerts []expectation) {
	for _, a := range alerts {
		for _, at := range []int{half, half + absent, half + absent + 1, half + kept + 1, steps - kept} {
			t.expect(at, a.Alert, a)
		}
	}
}

// clears: the causes go, and each alert resolves when it was kept long enough.
func clears(alerts []expectation, all []sample) (ruleTest, error) {
	t := newTest("the causes go")
	for _, s := range all {
		switch {
		case s.name == "up":
			t.input(s, "a", fmt.Sprintf("0+0x%d 1+0x%d", half, half))
		case s.isStale():
			t.input(s, "a", fmt.Sprintf("%s+0x%d 0+0x%d", s.value, half, half))
		case s.isBreach():
			t.input(s, "a", fmt.Sprintf("%s+0x%d stale", s.value, half))
		default:
			t.input(s, "a", fmt.Sprintf("%s+0x%d", s.value, steps))
		}
	}
	for _, a := range alerts {
		t.expect(half+kept, a.Alert, a)
		t.expect(half+kept+1, a.Alert)
		t.expect(steps, a.Alert)
	}
	return t.ruleTest, nil
}

// healthy: what is left of the exposition when nothing is broken.
func healthy(alerts []expectation, all []sample) (ruleTest, error) {
	t := newTest("nothing is broken")
	for _, s := range all {
		switch {
		case s.isBreach():
		case s.name == "up":
			t.input(s, "a", fmt.Sprintf("1+0x%d", steps))
		case s.isStale():
			t.input(s, "a", fmt.Sprintf("0+0x%d", steps))
		default:
			t.input(s, "a", fmt.Sprintf("%s+0x%d", s.value, steps))
		}
	}
	if len(t.InputSeries) < 2 {
		return ruleTest{}, errors.New("the exposition has nothing but breaches")
	}
	t.silent(alerts)
	return t.ruleTest, nil
}

// alone: of all that can be broken one thing is, and its alert is the only one.
func alone(alerts []expectation, all []sample) []ruleTest {
	var tests []ruleTest
	for i, a := range alerts {
		t := newTest("only " + a.Alert)
		for _, s := range all {
			switch {
			case s.isBreach() && strings.Contains(s.labels, fmt.Sprintf("type=%q", strings.TrimPrefix(a.Alert, "CX"))),
				s.isStale() && a.Alert == "CXObjectiveStale",
				s.name == "up" && a.Alert == "CXEndpointDown",
				s.name == "cx_objective_score", s.name == "cx_objective_target":
				t.input(s, "a", fmt.Sprintf("%s+0x%d", s.value, steps))
			case s.name == "up":
				t.input(s, "a", fmt.Sprintf("1+0x%d", steps))
			}
		}
		t.silent(slices.Concat(alerts[:i], alerts[i+1:]))
		t.expect(half, a.Alert, a)
		tests = append(tests, t.ruleTest)
	}
	return tests
}

// cases are those that the golden exposition does not hold.
func cases(want expectations) []ruleTest {
	var tests []ruleTest
	for _, c := range want.Cases {
		t := newTest(c.Name)
		for _, s := range c.Series {
			t.InputSeries = append(t.InputSeries, input{s.Series, fmt.Sprintf("%g+0x%d", s.Value, steps)})
		}
		for _, a := range want.Alerts {
			fires := slices.DeleteFunc(slices.Clone(c.Fires), func(e expectation) bool { return e.Alert != a.Alert })
			t.expect(half, a.Alert, fires...)
		}
		tests = append(tests, t.ruleTest)
	}
	return tests
}

// test is a rule test that is being put together.
type test struct{ ruleTest }

func newTest(name string) *test {
	return &test{ruleTest{Name: name, Interval: step.String(), InputSeries: []input{}}}
}

// input adds a sample's series as an instance exports it.
func (t *test) input(s sample, instance, values string) {
	series := fmt.Sprintf("%s{%s,instance=%q", s.name, s.labels, instance)
	if s.name != "up" {
		series += `,job="cx-operator"`
	}
	t.InputSeries = append(t.InputSeries, input{series + "}", values})
}

// expect adds what fires of an alert at a step: nothing, or exactly these.
func (t *test) expect(at int, name string, fires ...expectation) {
	expected := []alert{}
	for _, e := range fires {
		expected = append(expected, e.alert())
	}
	t.AlertTests = append(t.AlertTests, alertTest{(time.Duration(at) * step).String(), name, expected})
}

// silent expects none of the alerts at any time that matters.
func (t *test) silent(alerts []expectation) {
	for _, a := range alerts {
		t.expect(half, a.Alert)
		t.expect(steps, a.Alert)
	}
}

// sample is one line of the exposition.
type sample struct{ name, labels, value string }

func (s sample) isBreach() bool { return s.name == "cx_accountability_breach" }

func (s sample) isStale() bool {
	return s.name == "cx_objective_state" && strings.Contains(s.labels, `state="Stale"`) && s.value == "1"
}

var line = regexp.MustCompile(`^([a-z_]+)\{(.*)\} (\S+)$`)

// samples are the series of an exposition whose metrics the rules name.
func samples(exposition, rules string) ([]sample, error) {
	var all []sample
	for text := range bytes.Lines([]byte(exposition)) {
		if bytes.HasPrefix(text, []byte("#")) {
			continue
		}
		m := line.FindStringSubmatch(strings.TrimSpace(string(text)))
		if m == nil {
			return nil, fmt.Errorf("not a series: %s", text)
		}
		if regexp.MustCompile(`\b` + m[1] + `\b`).MatchString(rules) {
			all = append(all, sample{m[1], m[2], m[3]})
		}
	}
	return all, nil
}
