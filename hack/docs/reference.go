package main

import (
	"bytes"
	"fmt"
	"strings"
)

const referenceHead = `<!-- Made by "make generate" from the declarations of the metrics and from config/prometheus/rules.yaml: change those. -->
# Metrics and alerts

The names and labels on this page are a promise. The number of series grows with the objects that people write (programs,
touchpoints, plans, open breaches), never with answers or the people who give them. No label holds a person: where a person
owns something, the label ` + "`team`" + ` is the nearest team above.

A score is a signal about the customers' experience, not about anyone's performance.

## Scraping

- Scrape every replica of the manager. Only the leader exports what this page lists for it; the others export none of it.
- Honour the labels as exported (` + "`honor_labels: true`, `honorLabels: true`" + `): the label ` + "`namespace`" + ` is the program's, not the
  operator's.
- Name the jobs ` + "`cx-operator`" + ` (the manager, which also serves ` + "`Embedded`" + ` programs) and ` + "`cx-operator-endpoint`" + ` (the pods of
  ` + "`Dedicated`" + ` programs, with the labels ` + "`namespace`" + ` and ` + "`program`" + ` on their targets), or so that they begin with these names.
- Every 30 s is enough: published scores move at most every 15 s, and breaches are opened by judgements and deadlines.
`

// reference is the page of metrics and alerts.
func reference(metrics []metric, rules []rule) []byte {
	out := bytes.NewBufferString(referenceHead)
	out.WriteString("\n## Metrics of the manager\n")
	for _, m := range metrics {
		if !m.Endpoint {
			m.write(out)
		}
	}
	out.WriteString("\n## Metrics of an endpoint\n\nThe manager exports them too for the programs that it serves itself.\n")
	for _, m := range metrics {
		if m.Endpoint {
			m.write(out)
		}
	}
	out.WriteString("\n## Alerts\n\n" +
		"The rules are in [rules.yaml](../config/prometheus/rules.yaml) and, for the Prometheus operator, in\n" +
		"[prometheusrule.yaml](../config/prometheus/prometheusrule.yaml). They need Prometheus 2.42 or later. Their number is constant.\n\n" +
		"| alert | severity | fires after | goes on for | runbook |\n|---|---|---|---|---|\n")
	for _, r := range rules {
		fires := r.For
		if fires == "" {
			fires = "at once"
		}
		fmt.Fprintf(out, "| `%s` | %s | %s | %s | [what to do](runbooks/%s.md) |\n", r.Alert, r.Labels["severity"], fires, r.KeepFiringFor, r.Alert)
	}
	out.WriteString("\n\"Goes on for\" is how long an alert stays after its cause went, so that a change of the leader neither resolves it nor fires\n" +
		"it anew. Every alert carries `team` to route by, where a team owns what it is about, else the team that owns the program;\n" +
		"`CXEndpointDown` has the team `platform`: whoever runs cx-operator. Where nobody owns the program either, `team` is absent, and\n" +
		"Alertmanager's default receiver gets it.\n")
	return out.Bytes()
}

func (m metric) write(out *bytes.Buffer) {
	fmt.Fprintf(out, "\n### `%s`\n\n%s. %s\n", m.Name, strings.ToUpper(m.Type[:1])+m.Type[1:], m.Help)
	if m.Note != "" {
		fmt.Fprintf(out, "%s\n", m.Note)
	}
	if len(m.Labels) > 0 {
		fmt.Fprintf(out, "\nLabels: `%s`.\n", strings.Join(m.Labels, "`, `"))
	} else {
		out.WriteString("\nNo labels.\n")
	}
}
