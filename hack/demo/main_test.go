package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/test/testenv"
)

// TestDemo runs the whole demo as a person would, up to the table, and ends it by Ctrl-C.
func TestDemo(t *testing.T) {
	t.Chdir(testenv.Root())
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	var report bytes.Buffer
	var processes []process
	folder := t.TempDir()
	watch := &watcher{until: "Up. Ctrl-C ends everything."}
	watch.then = func() {
		var err error
		if processes, err = workDir(folder).recorded(); err != nil {
			t.Error(err)
		}
		checkAddresses(t, folder)
		interrupt()
	}
	d := &demo{say: &console{out: &report, err: watch, now: time.Now, began: time.Now()}}
	if err := d.run(ctx, folder); err != nil {
		t.Fatalf("%v\n%s", err, watch.String())
	}
	for _, want := range []string{
		"(program)      nps           NPS     39.84  37.18 to 42.41      35     2746  Met      airport\n",
		"food           satisfaction  CSAT    55.72  53.73 to 57.69      65     2421  Missed   concessions\n",
		"rental-cars    satisfaction  CSAT    67.59  64.64 to 70.41      60     1006  Met      nobody\n",
		"food-satisfaction-20",
	} {
		if !strings.Contains(report.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, report.String())
		}
	}
	if !strings.Contains(watch.String(), "Received 40683, stored 40683, repeated 0, rejected 0") {
		t.Error(watch.String())
	}
	checkGone(t, folder, processes)
}

// checkAddresses reads what the demo wrote for others, while it is up.
func checkAddresses(t *testing.T, folder string) {
	content, err := os.ReadFile(filepath.Join(folder, urls))
	if err != nil {
		t.Error(err)
		return
	}
	survey, metrics, _ := strings.Cut(string(content), "\n")
	survey, okSurvey := strings.CutPrefix(survey, "survey=http://127.0.0.1:")
	metrics, okMetrics := strings.CutPrefix(metrics, "metrics=http://127.0.0.1:")
	if !okSurvey || !okMetrics || strings.Contains(survey, "/") || !strings.HasSuffix(metrics, "/metrics\n") {
		t.Errorf("%s holds %q", urls, content)
	}
	info, err := os.Stat(filepath.Join(folder, kubeconfig))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the kubeconfig: %v, %v", info, err)
	}
}

func checkGone(t *testing.T, folder string, processes []process) {
	t.Helper()
	if len(processes) < 3 {
		t.Errorf("only %v ran", processes)
	}
	for _, p := range processes {
		if err := syscall.Kill(-p.PID, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("%s is still there: %v", p.Name, err)
		}
	}
	for _, name := range []string{urls, kubeconfig, processesName} {
		if _, err := os.Stat(filepath.Join(folder, name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
}

// watcher keeps what is written and does something when it has seen a text.
type watcher struct {
	mu    sync.Mutex
	seen  bytes.Buffer
	until string
	then  func()
}

func (w *watcher) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.seen.Write(b)
	if w.then != nil && bytes.Contains(w.seen.Bytes(), []byte(w.until)) {
		w.then()
		w.then = nil
	}
	return n, err
}

func (w *watcher) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.String()
}

func TestDemoInterruptedEarly(t *testing.T) {
	t.Chdir(testenv.Root())
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	folder := t.TempDir()
	d := &demo{say: &console{out: &bytes.Buffer{}, err: &bytes.Buffer{}, now: time.Now}}
	if err := d.run(ctx, folder); err == nil || err.Error() != "interrupted" {
		t.Errorf("%v", err)
	}
}

// TestDemoChildFails wants the message of a child that ends by itself, not of what failed because of that.
func TestDemoChildFails(t *testing.T) {
	t.Chdir(testenv.Root())
	assets := t.TempDir()
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		script := "#!/bin/sh\necho 'cannot bind' >&2\nexit 1\n"
		if err := os.WriteFile(filepath.Join(assets, name), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBEBUILDER_ASSETS", assets)
	d := &demo{say: &console{out: &bytes.Buffer{}, err: &bytes.Buffer{}, now: time.Now}}
	err := d.run(t.Context(), t.TempDir())
	if err == nil || !strings.HasPrefix(err.Error(), "etcd ended (exit status 1); the end of ") || !strings.HasSuffix(err.Error(), "cannot bind") {
		t.Errorf("%v", err)
	}
}

// TestUntilSignal sends the test itself what "go run" sends when it is ended: the same signal for each of its threads.
func TestUntilSignal(t *testing.T) {
	t.Cleanup(func() { signal.Reset() })
	ctx := untilSignal()
	for range 5 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	<-ctx.Done()
}

// TestUserClusterNeedsAContext gives the demo a kubeconfig that points nowhere.
func TestUserClusterNeedsAContext(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(name, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", name)
	d := &demo{say: &console{err: &bytes.Buffer{}, now: time.Now}, dir: workDir(t.TempDir())}
	if _, err := d.userCluster(); err == nil || !strings.Contains(err.Error(), "no current context") {
		t.Errorf("%v", err)
	}
}

// TestUserCluster takes one context out of several, with the credentials that it needs and no others.
func TestUserCluster(t *testing.T) {
	name := filepath.Join(t.TempDir(), "config")
	config := `apiVersion: v1
kind: Config
current-context: mine
clusters:
- {name: mine, cluster: {server: "https://mine.example:6443"}}
- {name: other, cluster: {server: "https://other.example:6443"}}
users:
- {name: me, user: {token: my-token}}
- {name: them, user: {token: their-token}}
contexts:
- {name: mine, context: {cluster: mine, user: me}}
- {name: other, context: {cluster: other, user: them}}
`
	if err := os.WriteFile(name, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", name)
	var said bytes.Buffer
	d := &demo{say: &console{err: &said, now: time.Now}, dir: workDir(t.TempDir())}
	got, err := d.userCluster()
	if err != nil || got.Host != "https://mine.example:6443" || got.BearerToken != "my-token" {
		t.Fatalf("%v, %v", got, err)
	}
	if !strings.Contains(said.String(), "Using your cluster: context mine at https://mine.example:6443") {
		t.Error(said.String())
	}
	written, err := os.ReadFile(d.dir.file(kubeconfig))
	if err != nil || !strings.Contains(string(written), "my-token") || strings.Contains(string(written), "other") || strings.Contains(string(written), "their-token") {
		t.Errorf("%s, %v", written, err)
	}
}
