package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/client-go/discovery"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

// load is what each process and the API server had to do.
type load struct {
	took time.Duration
	// cpu is the time on a processor, by the name of the process; this one is the load generator.
	cpu map[string]time.Duration
	// requests that the API server ended, by verb and resource.
	requests map[string]int
}

// whileLoaded counts what is done during a function.
func (o *operator) whileLoaded(ctx context.Context, live liveOptions, do func() error) (load, error) {
	before, err := o.load(ctx)
	if err != nil {
		return load{}, err
	}
	profiled := make(chan error, 1)
	go func() { profiled <- o.profile(ctx, live) }()
	began := time.Now()
	if err := do(); err != nil {
		return load{}, err
	}
	took := time.Since(began)
	after, err := o.load(ctx)
	if err != nil {
		return load{}, err
	}
	after.took = took
	for name := range after.cpu {
		after.cpu[name] -= before.cpu[name]
	}
	for name := range after.requests {
		after.requests[name] -= before.requests[name]
	}
	return after, <-profiled
}

// profile keeps a profile of the operator's CPU, where that is wanted.
func (o *operator) profile(ctx context.Context, live liveOptions) error {
	if live.profile == "" {
		return nil
	}
	response, err := get(ctx, fmt.Sprintf("%sprofile?seconds=%d", o.profiles, max(1, int(live.duration.Seconds()))))
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	defer response.Body.Close()
	profile, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for a profile: %s %w", response.Status, err)
	}
	return os.WriteFile(filepath.Join(live.profile, "operator.cpu"), profile, 0o600)
}

func (o *operator) load(ctx context.Context) (load, error) {
	requests, err := o.requests(ctx)
	if err != nil {
		return load{}, err
	}
	cpu, err := familyCPU()
	return load{requests: requests, cpu: cpu}, err
}

// requests asks the API server how many it ended, watches aside.
func (o *operator) requests(ctx context.Context) (map[string]int, error) {
	c, err := discovery.NewDiscoveryClientForConfig(o.config)
	if err != nil {
		return nil, err
	}
	text, err := c.RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking the API server for its metrics: %w", err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("the API server's metrics: %w", err)
	}
	counts := map[string]int{}
	for _, m := range families["apiserver_request_total"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["verb"] == "WATCH" || labels["resource"] == "" {
			continue
		}
		name := labels["verb"] + " " + strings.TrimSuffix(labels["resource"]+"/"+labels["subresource"], "/")
		counts[name] += int(m.GetCounter().GetValue())
	}
	return counts, nil
}

var stat = regexp.MustCompile(`^\d+ \((.*)\) . (\d+) (?:\S+ ){9}(\d+) (\d+) `)

// familyCPU is how long this process and those that it started were on a processor so far, by name.
func familyCPU() (map[string]time.Duration, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	const tick = 10 * time.Millisecond // of every Linux
	own, cpu := strconv.Itoa(os.Getpid()), map[string]time.Duration{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		m := stat.FindStringSubmatch(string(text))
		if m == nil || m[2] != own && !strings.HasPrefix(string(text), own+" ") {
			continue
		}
		name := m[1]
		if m[2] != own {
			name = "load generator"
		}
		for _, text := range m[3:] {
			ticks, err := strconv.Atoi(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			cpu[name] += time.Duration(ticks) * tick
		}
	}
	return cpu, nil
}

// report says what it was, as notes: it depends on what else the machine does.
func (l load) report(live liveOptions, report *bench.Report) {
	var cores, requests []string
	for name, cpu := range l.cpu {
		cores = append(cores, fmt.Sprintf("%s %.2f", name, cpu.Seconds()/l.took.Seconds()))
	}
	for name, n := range l.requests {
		if perSecond := float64(n) / l.took.Seconds(); perSecond >= 0.5 {
			requests = append(requests, fmt.Sprintf("%s %.1f", name, perSecond))
		}
	}
	slices.Sort(cores)
	slices.Sort(requests)
	report.Note("Live, while %d answers a second were sent and shown (%s): cores in use: %s.", live.rate, l.took.Round(time.Second), strings.Join(cores, ", "))
	report.Note("Requests of the API server a second: %s.", strings.Join(requests, ", "))
}
