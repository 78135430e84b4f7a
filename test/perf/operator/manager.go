package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cx-operator/cx-operator/hack/procgroup"
)

// build builds the operator of this checkout.
func build(ctx context.Context, root, dir string) (string, error) {
	binary := filepath.Join(dir, "cx-operator")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, ".") // #nosec G204 -- a folder that this program made
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building the operator: %w", err)
	}
	return binary, nil
}

// manager is the operator's process.
type manager struct {
	cmd     *exec.Cmd
	ended   chan struct{}
	err     error // of its end
	log     string
	metrics string // address
	started time.Time
}

// startManager starts the operator as the cluster's user for it, with an endpoint in its process, and waits until it says that
// it is ready. A data folder that exists is used again. The addresses are those of metrics, pages and probes; pages that moved
// would be another status.
func startManager(ctx context.Context, c *cluster, binary string, addresses, flags []string) (*manager, error) {
	m := &manager{ended: make(chan struct{}), log: filepath.Join(c.dir, "manager.log"), metrics: "http://" + addresses[0] + "/metrics"}
	log, err := os.OpenFile(m.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has its own
	const unlimited = "100000"
	args := append([]string{
		"manager", "--kubeconfig=" + c.kubeconfig, "--leader-elect=false", "--embedded-endpoint",
		"--data-dir=" + filepath.Join(c.dir, "data"), "--intake-bind-address=" + addresses[1], "--public-url=http://" + addresses[1],
		"--metrics-bind-address=" + addresses[0], "--metrics-secure=false", "--health-probe-bind-address=" + addresses[2],
		"--operator-namespace=" + operatorNamespace, "--endpoint-image=registry.invalid/cx-operator:bench",
		"--api-qps=" + unlimited,
	}, flags...)
	m.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, args...) // #nosec G204 -- what build made; ended by stop
	m.cmd.Stdout, m.cmd.Stderr = log, log
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	m.started = time.Now()
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the operator: %w", err)
	}
	go func() {
		m.err = m.cmd.Wait()
		close(m.ended)
	}()
	if err := m.ready(ctx, "http://"+addresses[2]+"/readyz"); err != nil {
		return nil, errors.Join(err, m.stop())
	}
	return m, nil
}

func (m *manager) pid() int { return m.cmd.Process.Pid }

func (m *manager) ready(ctx context.Context, address string) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		response, err := get(ctx, address)
		if err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-m.ended:
			return m.failure()
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// errEnded is that of an operator that found nothing wrong.
var errEnded = errors.New("without an error")

// failure says how the process ended, with the end of its log.
func (m *manager) failure() error {
	return fmt.Errorf("the operator ended: %w; the end of %s:\n%s", cmp.Or(m.err, errEnded), m.log, procgroup.Tail(m.log))
}

// stop ends the process and waits for it.
func (m *manager) stop() error {
	select {
	case <-m.ended:
		return m.failure()
	default:
	}
	return procgroup.End("the operator", m.pid(), m.ended)
}

// work is what the controllers have done, and have to do.
type work struct {
	reconciles map[string]int // by controller
	depth      int            // of all queues
	active     int            // reconciles at this moment
	errors     int            // reconciles that ended with an error
}

func (w work) all() int {
	sum := 0
	for _, n := range w.reconciles {
		sum += n
	}
	return sum
}

// work asks the process what its controllers did. It is costly where there are many objects: all of their series are gathered.
func (m *manager) work(ctx context.Context) (work, error) {
	families, err := m.series(ctx, "controller_runtime_reconcile_total", "workqueue_depth", "controller_runtime_active_workers", "controller_runtime_reconcile_errors_total")
	if err != nil {
		return work{}, err
	}
	w := work{reconciles: map[string]int{}}
	for name, family := range families {
		for _, s := range family.GetMetric() {
			switch name {
			case "controller_runtime_reconcile_total":
				w.reconciles[label(s, "controller")] += int(s.GetCounter().GetValue())
			case "workqueue_depth":
				w.depth += int(s.GetGauge().GetValue())
			case "controller_runtime_active_workers":
				w.active += int(s.GetGauge().GetValue())
			case "controller_runtime_reconcile_errors_total":
				w.errors += int(s.GetCounter().GetValue())
			}
		}
	}
	return w, nil
}

// series reads some metrics of the process.
func (m *manager) series(ctx context.Context, names ...string) (map[string]*dto.MetricFamily, error) {
	address := m.metrics
	for i, name := range names {
		separator := "&"
		if i == 0 {
			separator = "?"
		}
		address += separator + "name[]=" + name
	}
	response, err := get(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("asking the operator for metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking the operator for metrics: %s", response.Status)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil {
		return nil, fmt.Errorf("the operator's metrics: %w", err)
	}
	return families, nil
}

func label(m *dto.Metric, name string) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	return ""
}

func get(ctx context.Context, address string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	return http.DefaultClient.Do(request) // #nosec G107 -- an address of this machine
}

// freeAddresses returns so many different free ports of the loopback address.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	var addresses []string
	for range n {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("finding a free port: %w", err)
		}
		defer listener.Close() // only now: each gets another port
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}
