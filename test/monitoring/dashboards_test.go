package monitoring

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/test/monitoring/harness"
	"github.com/cx-operator/cx-operator/test/testenv"
)

// dashboard is what Grafana reads of one, as far as it asks Prometheus.
type dashboard struct {
	Title      string
	Templating struct {
		List []struct {
			Name, Type, AllValue string
			IncludeAll           bool
			Query                json.RawMessage
		}
	}
	Panels []struct {
		Title, Type string
		Targets     []struct {
			RefID, Expr string
			Instant     bool
		}
	}
}

func readDashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testenv.Root(), "config/grafana/*.json"))
	if err != nil || len(files) != 5 {
		t.Fatal(files, err)
	}
	all := map[string]dashboard{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = d
	}
	return all
}

// chosen are the values that a person chooses, where a variable offers more than one.
var chosen = map[string]string{"namespace": airportNamespace, "program": airportProgram, "touchpoint": "food"}

// tester asks a Prometheus what a dashboard asks, with the values of its variables.
type tester struct {
	*testing.T
	p      *harness.Prometheus
	values map[string]string
}

// testDashboards runs every query of every variable and panel: none may fail, and none may be empty.
func testDashboards(t *testing.T, p *harness.Prometheus) {
	for name, d := range readDashboards(t) {
		t.Run(name, func(t *testing.T) {
			// 20 s take the part of the scrape interval that Grafana multiplies by four: this Prometheus scrapes every other second.
			at := &tester{T: t, p: p, values: map[string]string{"__rate_interval": "20s"}}
			at.variables(d)
			at.panels(d)
		})
	}
}

var labelValues = regexp.MustCompile(`^label_values\((.*), ([a-z_]+)\)$`)

// variables gives each variable a value out of those that its query finds.
func (at *tester) variables(d dashboard) {
	at.Helper()
	for _, v := range d.Templating.List {
		if v.Type == "datasource" {
			at.values[v.Name] = "prometheus"
			continue
		}
		var query struct{ Query string }
		if err := json.Unmarshal(v.Query, &query); err != nil {
			at.Fatalf("variable %s: %v", v.Name, err)
		}
		m := labelValues.FindStringSubmatch(query.Query)
		if m == nil {
			at.Fatalf("variable %s: %q is no label_values", v.Name, query.Query)
		}
		found, err := at.p.LabelValues(at.Context(), at.substitute(m[1]), m[2])
		if err != nil || len(found) == 0 {
			at.Fatalf("variable %s: %s finds %v, %v", v.Name, at.substitute(m[1]), found, err)
		}
		at.values[v.Name] = at.choose(v.Name, found, v.IncludeAll, v.AllValue)
	}
}

func (at *tester) choose(name string, found []string, all bool, allValue string) string {
	at.Helper()
	if all {
		return allValue
	}
	want, ok := chosen[name]
	if !ok {
		return found[0]
	}
	for _, value := range found {
		if value == want {
			return value
		}
	}
	at.Fatalf("variable %s offers %v without %s", name, found, want)
	return ""
}

func (at *tester) substitute(text string) string {
	return regexp.MustCompile(`\$(\w+)`).ReplaceAllStringFunc(text, func(name string) string {
		value, ok := at.values[name[1:]]
		if !ok {
			at.Fatalf("%s: there is no variable %s", text, name)
		}
		return value
	})
}

func (at *tester) panels(d dashboard) {
	at.Helper()
	asked := 0
	for _, p := range d.Panels {
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 {
			at.Errorf("panel %q asks nothing", p.Title)
		}
		for _, q := range p.Targets {
			asked++
			expr := at.substitute(q.Expr)
			if n, err := at.ask(expr, q.Instant); err != nil || n == 0 {
				at.Errorf("panel %q, query %s: %d series, %v: %s", p.Title, q.RefID, n, err, expr)
			}
		}
	}
	at.Logf("%d panels, %d queries", len(d.Panels), asked)
}

// ask returns how many series a query has that are numbers.
func (at *tester) ask(expr string, instant bool) (int, error) {
	var found []harness.Sample
	var err error
	if instant {
		found, err = at.p.Query(at.Context(), expr)
	} else {
		found, err = at.p.QueryRange(at.Context(), expr, time.Now(), time.Minute, 5*time.Second)
	}
	n := 0
	for _, s := range found {
		if fmt.Sprint(s.Value) != "NaN" {
			n++
		}
	}
	return n, err
}

// testTargets holds what is scraped to what the ServiceMonitors promise: jobs, TLS, tokens, and labels as exported.
func testTargets(t *testing.T, p *harness.Prometheus) {
	t.Helper()
	want := map[string]map[string]string{
		"cx-operator":          {},
		"cx-operator-endpoint": {"namespace": shopNamespace, "program": dedicatedProgram},
	}
	harness.Eventually(t, patience, "both jobs are scraped", func() error {
		targets, err := p.Targets(t.Context())
		if err != nil {
			return err
		}
		seen := map[string]bool{}
		for _, target := range targets {
			job := target.Labels["job"]
			if target.Health != "up" || !strings.HasPrefix(target.ScrapeURL, "https://") {
				return fmt.Errorf("%s is %s: %s", target.ScrapeURL, target.Health, target.LastError)
			}
			for name, value := range want[job] {
				if target.Labels[name] != value {
					return fmt.Errorf("%s has %s=%q, want %q", job, name, target.Labels[name], value)
				}
			}
			seen[job] = true
		}
		if len(seen) != len(want) {
			return fmt.Errorf("only %v of %v", seen, want)
		}
		return nil
	})
	// The manager's target is in the operator's namespace, and what it exports is in the program's.
	for expr, namespace := range map[string]string{
		`up{job="cx-operator"}`:                                   operatorNamespace,
		`cx_objective_score{job="cx-operator",touchpoint="food"}`: airportNamespace,
	} {
		found, err := p.Query(t.Context(), expr)
		if err != nil || len(found) != 1 || found[0].Labels["namespace"] != namespace || found[0].Labels["exported_namespace"] != "" {
			t.Errorf("%s: %v, %v; want namespace %s", expr, found, err, namespace)
		}
	}
}
