package main

import (
	"bytes"
	"fmt"
	"strings"
)

const referenceHead = `<!-- Made by "make generate" from the declarations of the metrics: change those. -->
# Metrics

The names and labels on this page are a promise. The number of series grows with the objects that people write (programs,
touchpoints, plans, open breaches), never with answers or the people who give them. No label holds a person: where a person
owns something, the label ` + "`team`" + ` is the nearest team above.

A score is a signal about the customers' experience, not about anyone's performance.

[Alerts](alerts.md) are made from these metrics, and so are the Grafana dashboards in [config/grafana](../config/grafana).

## Scraping

- Scrape every replica of the manager. Only the leader exports what this page lists for it; the others export none of it.
- Honour the labels as exported (` + "`honor_labels: true`, `honorLabels: true`" + `): the label ` + "`namespace`" + ` is the program's, not the
  operator's.
- Name the jobs ` + "`cx-operator`" + ` (the manager, which also serves ` + "`Embedded`" + ` programs) and ` + "`cx-operator-endpoint`" + ` (the pods of
  ` + "`Dedicated`" + ` programs, with the labels ` + "`namespace`" + ` and ` + "`program`" + ` on their targets), or so that they begin with these names.
- Both are served by HTTPS with a certificate of the operator's own authority (ConfigMap ` + "`cx-operator-endpoints-ca`" + `, key ` + "`ca.crt`" + `), and
  ask for a token: the manager for one of a ServiceAccount that may get ` + "`/metrics`" + `, endpoints for the one in the Secret
  ` + "`cx-operator-scrape`" + `. The chart's ServiceMonitors, and [servicemonitors.yaml](../config/prometheus/servicemonitors.yaml) beside "make
  deploy", have all of it.
- Every 30 s is enough: published scores move at most every 15 s, and breaches are opened by judgements and deadlines.
`

// reference is the page of metrics.
func reference(metrics []metric) []byte {
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
