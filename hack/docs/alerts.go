package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

const alertsHead = `<!-- Made by "make generate" from config/prometheus/rules.yaml: change that. -->
# Alerts

There is one alert for each type of broken promise and two for what keeps cx-operator from telling. Their number is constant; each open
breach is one series of its alert. The rules are in [rules.yaml](../config/prometheus/rules.yaml) and, for the Prometheus operator, in
[prometheusrule.yaml](../config/prometheus/prometheusrule.yaml); the chart installs them with ` + "`prometheusRule.enabled`" + `. They need
Prometheus 2.42 or later. Every rule has a unit test, and a test delivers them from a real Prometheus through a real Alertmanager.

A score is a signal about the customers' experience, not about anyone's performance. Alerts must not be used for pay, bonus or dismissal.

## Routing

Every alert carries ` + "`severity`, `namespace` and, where it is about a program, `program`: the program's namespace, not the operator's" + `.

- ` + "`team`" + ` is the team that owns what the alert is about, else the team that owns the program. It is absent where nobody owns the program
  either: let Alertmanager's default receiver get those. ` + "`CXEndpointDown` has the team `platform`" + `: whoever runs cx-operator.
- ` + "`severity`" + ` is ` + "`critical` for `CXEndpointDown`" + ` alone, because customers cannot answer meanwhile. ` + "`warning`" + ` is for working hours,
  ` + "`info`" + ` for the next review.
- ` + "`type`, `kind`, `name`, `objective` and `item`" + ` of a breach say what is broken on which object.

[alertmanager-example.yaml](../config/prometheus/alertmanager-example.yaml) routes by team, and is tested with amtool.

"Goes on for" is how long an alert stays after its cause went, so that a change of the leader neither resolves it nor fires it anew.

`

// alertPage is the page of alerts. Each is shown as it arrives, which the tests of the rules hold true.
func alertPage(rules []rule, expected []byte) ([]byte, error) {
	var examples expectations
	if err := yaml.UnmarshalStrict(expected, &examples); err != nil {
		return nil, err
	}
	out := bytes.NewBufferString(alertsHead)
	out.WriteString("| alert | severity | fires after | goes on for |\n|---|---|---|---|\n")
	for _, r := range rules {
		fmt.Fprintf(out, "| [`%s`](#%s) | %s | %s | %s |\n", r.Alert, strings.ToLower(r.Alert), r.Labels["severity"], r.fires(), r.KeepFiringFor)
	}
	for _, r := range rules {
		at := slices.IndexFunc(examples.Alerts, func(e expectation) bool { return e.Alert == r.Alert })
		if at < 0 {
			return nil, fmt.Errorf("no example of %s", r.Alert)
		}
		r.write(out, examples.Alerts[at])
	}
	return out.Bytes(), nil
}

func (r rule) fires() string {
	if r.For == "" {
		return "at once"
	}
	return r.For
}

func (r rule) write(out *bytes.Buffer, e expectation) {
	fmt.Fprintf(out, "\n## %s\n\n**What to do:** [runbook](runbooks/%s.md).\n\n", r.Alert, r.Alert)
	fmt.Fprintf(out, "| | |\n|---|---|\n| severity | %s |\n| fires after | %s |\n| goes on for | %s |\n", r.Labels["severity"], r.fires(), r.KeepFiringFor)
	if r.Why != "" {
		fmt.Fprintf(out, "| because | %s |\n", r.Why)
	}
	fmt.Fprintf(out, "\n```promql\n%s\n```\n\nAs it arrives, for example:\n\n", r.Expr)
	fmt.Fprintf(out, "> **%s**\n>\n> %s\n>\n> ", e.Annotations["summary"], e.Annotations["description"])
	labels := make([]string, 0, len(e.Labels))
	for _, name := range slices.Sorted(maps.Keys(e.Labels)) {
		labels = append(labels, fmt.Sprintf("`%s=%q`", name, e.Labels[name]))
	}
	fmt.Fprintf(out, "%s\n", strings.Join(labels, ", "))
}
