package main

import (
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

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/cx-operator/cx-operator/hack/pinned"
	"github.com/cx-operator/cx-operator/hack/procgroup"
)

// startLimit is how long each process may take to start on a machine that is busy.
const startLimit = 2 * time.Minute

// operator is a real API server, and the operator of this checkout as a process of its own with an endpoint in it.
type operator struct {
	dir             string
	api             *envtest.Environment
	config          *rest.Config
	cmd             *exec.Cmd
	ended           chan struct{}
	survey, metrics string // scheme, host and port of the endpoint; address of the metrics
	profiles        string // address of the profiles
}

// startOperator starts both, and between them creates what the operator finds: it then tells each object once how it is. The API
// server has its defaults, the operator those of an installation but for the limit of answers per address.
func startOperator(ctx context.Context, live liveOptions) (*operator, error) {
	dir, err := os.MkdirTemp("", "bench-evaluate")
	if err != nil {
		return nil, err
	}
	o := &operator{dir: dir, ended: make(chan struct{})}
	if err := o.start(ctx, live); err != nil {
		return nil, errors.Join(err, o.stop())
	}
	return o, nil
}

func (o *operator) start(ctx context.Context, live liveOptions) error {
	assets, err := pinned.Assets(".")
	if err != nil {
		return err
	}
	o.api = &envtest.Environment{
		BinaryAssetsDirectory: assets, CRDDirectoryPaths: []string{filepath.Join("config", "crd", "bases")},
		ErrorIfCRDPathMissing: true, CRDInstallOptions: envtest.CRDInstallOptions{MaxTime: startLimit}, ControlPlaneStartTimeout: startLimit, ControlPlaneStopTimeout: startLimit,
	}
	o.api.ControlPlane.Etcd = &envtest.Etcd{Path: filepath.Join(assets, "etcd")}
	o.api.ControlPlane.GetAPIServer().Path = filepath.Join(assets, "kube-apiserver")
	if o.config, err = o.api.Start(); err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	o.config.QPS = -1
	if err := live.create(ctx, o.config); err != nil {
		return err
	}
	kubeconfig := filepath.Join(o.dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, o.api.KubeConfig, 0o600); err != nil {
		return err
	}
	binary := filepath.Join(o.dir, "cx-operator")
	build := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, ".") // #nosec G204 -- a folder that this program made
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the operator: %w", err)
	}
	return o.launch(ctx, binary, kubeconfig)
}

func (o *operator) launch(ctx context.Context, binary, kubeconfig string) error {
	addresses, err := freeAddresses(ctx, 4)
	if err != nil {
		return err
	}
	log, err := os.Create(o.log())
	if err != nil {
		return err
	}
	defer log.Close() // the process has its own
	o.survey, o.metrics, o.profiles = "http://"+addresses[0], "http://"+addresses[1]+"/metrics", "http://"+addresses[3]+"/debug/pprof/"
	o.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, "manager", // #nosec G204 -- what was built; ended by stop
		"--kubeconfig="+kubeconfig, "--leader-elect=false", "--embedded-endpoint", "--data-dir="+filepath.Join(o.dir, "data"),
		"--intake-bind-address="+addresses[0], "--public-url="+o.survey, "--intake-rate-per-minute=-1",
		"--metrics-bind-address="+addresses[1], "--metrics-secure=false", "--health-probe-bind-address="+addresses[2], "--pprof-bind-address="+addresses[3])
	o.cmd.Stdout, o.cmd.Stderr = log, log
	o.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := o.cmd.Start(); err != nil {
		return fmt.Errorf("starting the operator: %w", err)
	}
	go func() {
		defer close(o.ended)
		_ = o.cmd.Wait() // how it ended is in its log
	}()
	return o.await(ctx, func() (bool, error) {
		response, err := get(ctx, "http://"+addresses[2]+"/readyz")
		if err != nil {
			return false, nil // it does not listen yet
		}
		return response.StatusCode == http.StatusOK, response.Body.Close()
	})
}

func (o *operator) log() string { return filepath.Join(o.dir, "manager.log") }

// await asks until the answer is yes, as long as the operator runs. Asking takes no more than a fifth of the time: an answer about
// everything costs whoever gives it.
func (o *operator) await(ctx context.Context, done func() (bool, error)) error {
	for {
		began := time.Now()
		if yes, err := done(); yes || err != nil {
			return err
		}
		select {
		case <-o.ended:
			return fmt.Errorf("the operator ended; the end of its log:\n%s", procgroup.Tail(o.log()))
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(max(500*time.Millisecond, 4*time.Since(began))):
		}
	}
}

// stop ends the processes and removes what they kept.
func (o *operator) stop() error {
	var err error
	if o.cmd != nil && o.cmd.Process != nil {
		err = procgroup.End("the operator", o.cmd.Process.Pid, o.ended)
	}
	if o.api != nil {
		err = errors.Join(err, o.api.Stop())
	}
	return errors.Join(err, os.RemoveAll(o.dir))
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
