package pinned

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

const (
	greeter = "package main\n\nvar word = \"unset\"\n\nfunc main() { println(word) }\n"
	broken  = "package main\n\nfunc main() { undefined() }\n"
)

func TestBuildMakesWhatIsMissing(t *testing.T) {
	set := moduleWith(t, map[string]string{"hello": greeter, "ready": broken})
	set.Stamp = "main.word=stamped"
	set.Note = "This takes a while."
	fill(t, set.Dir, "ready") // there already: its source, which does not compile, must not matter

	var log bytes.Buffer
	if err := set.Build(t.Context(), reportTo(&log)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(set.Dir, "hello")).CombinedOutput()
	if err != nil || string(out) != "stamped\n" {
		t.Errorf("hello printed %q, %v; want the stamp", out, err)
	}
	for _, want := range []string{"This takes a while.", "Building hello into", "hello (1 of 1)", ", done"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("progress lacks %q:\n%s", want, log.String())
		}
	}

	log.Reset()
	if err := set.Build(t.Context(), reportTo(&log)); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("a complete set reports %q, want silence", log.String())
	}
}

func TestBuildFailureLeavesNothing(t *testing.T) {
	set := moduleWith(t, map[string]string{"hello": broken})
	var log bytes.Buffer
	err := set.Build(t.Context(), reportTo(&log))
	checkError(t, err, "building hello")
	checkError(t, err, "undefined: undefined")
	left, err := os.ReadDir(set.Dir)
	if err != nil || len(left) > 0 {
		t.Errorf("a failed build leaves %v, %v; want nothing", left, err)
	}
}

func TestBuildCancelled(t *testing.T) {
	set := moduleWith(t, map[string]string{"hello": greeter})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := set.Build(ctx, reportTo(&bytes.Buffer{})); err == nil {
		t.Error("a cancelled build succeeded")
	}
	if got := names(set.Missing()); got != "hello" {
		t.Errorf("Missing() = %q after a cancelled build, want hello", got)
	}
}

func TestBuildIsNotDoneTwice(t *testing.T) {
	set := moduleWith(t, map[string]string{"hello": greeter})
	held := flock.New(set.Dir + ".lock")
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	log := &notifyingBuffer{want: "waiting for it", seen: waiting}
	result := make(chan error, 1)
	go func() { result <- set.Build(t.Context(), reportTo(log)) }()

	<-waiting
	fill(t, set.Dir, "hello") // what the other run, which holds the lock, ends with
	if err := held.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-result; err != nil {
		t.Fatal(err)
	}
	if strings.Contains(log.String(), "Building") {
		t.Errorf("built again what another run had built:\n%s", log.String())
	}
}

func TestBuildGivesUpWaiting(t *testing.T) {
	set := moduleWith(t, map[string]string{"hello": greeter})
	held := flock.New(set.Dir + ".lock")
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan struct{})
	result := make(chan error, 1)
	go func() { result <- set.Build(ctx, reportTo(&notifyingBuffer{want: "waiting", seen: waiting})) }()

	<-waiting
	cancel()
	checkError(t, <-result, "waiting for another build")
}

func TestProgressOfAStep(t *testing.T) {
	clock := &fakeClock{}
	var log bytes.Buffer
	report := &Reporter{out: &log, now: clock.now}
	step := report.step("kubectl (4 of 4)")

	clock.advance(20 * time.Second)
	step.read("go: downloading k8s.io/api v0.36.3")
	step.read("go: downloading k8s.io/client-go v0.36.3") // too soon after the last line to be shown
	clock.advance(20 * time.Second)
	step.read("go: finding something")
	step.total = 300
	step.read("k8s.io/kubectl/pkg/cmd")
	step.read("# k8s.io/kubectl/pkg/cmd")
	step.read("pkg/cmd/x.go:3:1: undefined: y")
	clock.advance(61 * time.Second)
	step.end("done")

	want := "  kubectl (4 of 4): 1 modules downloaded, 20s\n" +
		"  kubectl (4 of 4): 2 modules downloaded, 40s\n" +
		"  kubectl (4 of 4): 1 of at most 300 packages compiled, 1m41s, done\n"
	if log.String() != want {
		t.Errorf("progress:\n%swant:\n%s", log.String(), want)
	}
}

func TestProgressOnATerminalRewritesOneLine(t *testing.T) {
	clock := &fakeClock{}
	var log bytes.Buffer
	report := &Reporter{out: &log, now: clock.now, terminal: true}
	step := report.step("etcd (1 of 4)")
	clock.advance(time.Second)
	step.read("go.etcd.io/bbolt")
	step.end("done")

	want := clearLine + "  etcd (1 of 4): 1 packages compiled, 1s" +
		clearLine + "  etcd (1 of 4): 1 packages compiled, 1s, done\n"
	if log.String() != want {
		t.Errorf("progress = %q, want %q", log.String(), want)
	}
}

func TestNewReporterKnowsAFileIsNoTerminal(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	report := NewReporter(file, time.Now)
	if report.terminal {
		t.Error("a plain file counts as a terminal")
	}
	report.Say("%d of %d", 1, 2)
	if content, _ := os.ReadFile(file.Name()); string(content) != "1 of 2\n" {
		t.Errorf("Say wrote %q", content)
	}
}

func TestFollowKeepsTheEndOfTheOutput(t *testing.T) {
	step := reportTo(&bytes.Buffer{}).step("x")
	tail := follow(strings.NewReader(strings.Repeat("a/b\n", keptLines+5)+"last line\n"), step)
	if len(tail) != keptLines || tail[keptLines-1] != "last line" {
		t.Errorf("kept %d lines, the last %q; want %d and the last one read", len(tail), tail[len(tail)-1], keptLines)
	}
	if step.packages != keptLines+5 {
		t.Errorf("counted %d packages, want %d", step.packages, keptLines+5)
	}
}

// moduleWith makes a Go module with one main package per name, and the set of those programs.
func moduleWith(t *testing.T, mains map[string]string) Set {
	t.Helper()
	set := Set{Module: t.TempDir(), Dir: filepath.Join(t.TempDir(), "v1")}
	write(t, filepath.Join(set.Module, "go.mod"), "module example.test/m\n\ngo 1.26.0\n", 0o644)
	for name, source := range mains {
		write(t, filepath.Join(set.Module, name, "main.go"), source, 0o644)
		set.Programs = append(set.Programs, Program{Name: name, Package: "example.test/m/" + name})
	}
	return set
}

func reportTo(out io.Writer) *Reporter {
	return &Reporter{out: out, now: time.Now}
}

type fakeClock struct{ at time.Time }

func (c *fakeClock) now() time.Time          { return c.at }
func (c *fakeClock) advance(d time.Duration) { c.at = c.at.Add(d) }

// notifyingBuffer closes seen when the wanted text is written.
type notifyingBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
	want string
	seen chan struct{}
	once sync.Once
}

func (b *notifyingBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	if strings.Contains(b.text.String(), b.want) {
		b.once.Do(func() { close(b.seen) })
	}
	return len(p), nil
}

func (b *notifyingBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
