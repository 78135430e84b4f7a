package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// Prometheus is a real one that runs until the test ends.
type Prometheus struct {
	// URL of its API and pages.
	URL string
	*Process
}

// Sample is one series of the answer to a query, with its value, or of several with the last of them.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// PrometheusConfig is what a Prometheus is started with.
type PrometheusConfig struct {
	// Scrape is a configuration with scrape_configs, as ScrapeConfigs returns it.
	Scrape []byte
	// Rules is a file of rules.
	Rules []byte
	// Alertmanager is the host and port of one; empty for none.
	Alertmanager string
	// Evaluate is how often the rules are evaluated.
	Evaluate time.Duration
}

// StartPrometheus starts a Prometheus on the loopback address and waits until it is ready.
func StartPrometheus(t testing.TB, c PrometheusConfig) *Prometheus {
	t.Helper()
	program, err := Program("prometheus")
	if err != nil {
		t.Fatal(err)
	}
	dir, listen := t.TempDir(), fmt.Sprintf("127.0.0.1:%d", Port(t))
	config := write(t, filepath.Join(dir, "prometheus.yaml"), c.complete(t, write(t, filepath.Join(dir, "rules.yaml"), c.Rules)))
	p := &Prometheus{URL: "http://" + listen}
	p.Process = Start(t, dir, "prometheus", program, nil,
		"--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+listen, "--log.level=warn")
	p.awaitOK(t, p.URL+"/-/ready")
	return p
}

// complete adds rules and Alertmanager to the configuration.
func (c PrometheusConfig) complete(t testing.TB, rules string) []byte {
	t.Helper()
	config := map[string]any{}
	if err := yaml.Unmarshal(c.Scrape, &config); err != nil {
		t.Fatal(err)
	}
	global, ok := config["global"].(map[string]any)
	if !ok {
		global = map[string]any{}
		config["global"] = global
	}
	global["evaluation_interval"] = c.Evaluate.String()
	config["rule_files"] = []string{rules}
	if c.Alertmanager != "" {
		target := map[string]any{"static_configs": []any{map[string]any{"targets": []string{c.Alertmanager}}}}
		alerting, ok := config["alerting"].(map[string]any)
		if !ok {
			alerting = map[string]any{}
			config["alerting"] = alerting
		}
		alerting["alertmanagers"] = []any{target} // what it does to the labels of alerts stays
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Query returns what an expression is now.
func (p *Prometheus) Query(ctx context.Context, expr string) ([]Sample, error) {
	return p.ask(ctx, "query", url.Values{"query": {expr}})
}

// QueryRange returns what an expression was at each step of some time before now. Each series comes once, with its last
// value.
func (p *Prometheus) QueryRange(ctx context.Context, expr string, now time.Time, back, step time.Duration) ([]Sample, error) {
	return p.ask(ctx, "query_range", url.Values{
		"query": {expr}, "start": {unix(now.Add(-back))}, "end": {unix(now)}, "step": {strconv.FormatFloat(step.Seconds(), 'f', 3, 64)},
	})
}

// LabelValues returns the values of a label of the series that a selector finds.
func (p *Prometheus) LabelValues(ctx context.Context, selector, label string) ([]string, error) {
	var values []string
	err := p.get(ctx, "label/"+url.PathEscape(label)+"/values", url.Values{"match[]": {selector}}, &values)
	return values, err
}

// Target is something that is scraped.
type Target struct {
	Health    string
	LastError string
	ScrapeURL string
	Labels    map[string]string
}

// Targets returns all that is scraped.
func (p *Prometheus) Targets(ctx context.Context) ([]Target, error) {
	var found struct{ ActiveTargets []Target }
	err := p.get(ctx, "targets", url.Values{"state": {"active"}}, &found)
	return found.ActiveTargets, err
}

func unix(t time.Time) string { return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64) }

func (p *Prometheus) ask(ctx context.Context, call string, values url.Values) ([]Sample, error) {
	var found struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  []any   // of an instant: time and value
			Values [][]any // of a range
		}
	}
	if err := p.get(ctx, call, values, &found); err != nil {
		return nil, err
	}
	samples := make([]Sample, 0, len(found.Result))
	for _, r := range found.Result {
		last := r.Value
		if len(r.Values) > 0 {
			last = r.Values[len(r.Values)-1]
		}
		if len(last) != 2 {
			return nil, fmt.Errorf("%s: a series without a value: %v", call, r)
		}
		value, err := strconv.ParseFloat(fmt.Sprint(last[1]), 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", call, err)
		}
		samples = append(samples, Sample{r.Metric, value})
	}
	return samples, nil
}

// get calls the API. What Prometheus says of a wrong call is in the error.
func (p *Prometheus) get(ctx context.Context, call string, values url.Values, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/api/v1/"+call+"?"+values.Encode(), http.NoBody)
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	defer response.Body.Close()
	var answer struct {
		Status, Error string
		Data          json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return fmt.Errorf("%s: %s: %w", call, response.Status, err)
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", call, answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}
