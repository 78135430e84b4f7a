package pinned

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// lockRetry is how often a run that waits for another one's build looks again.
const lockRetry = 500 * time.Millisecond

// Build builds what the set lacks and reports progress. Each program is built under another name
// and renamed, so that a build that is killed leaves nothing half-done, and a lock beside the
// folder keeps two runs from building the same. It needs the go command, and the network where the
// modules are not downloaded yet. Cancelling ctx ends the build.
func (s Set) Build(ctx context.Context, report *Reporter) error {
	if len(s.Missing()) == 0 {
		return nil
	}
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return fmt.Errorf("making the cache folder: %w", err)
	}
	unlock, err := s.lock(ctx, report)
	if err != nil {
		return err
	}
	defer unlock()

	missing := s.Missing() // again: another run may have built them while this one waited
	if len(missing) == 0 {
		return nil
	}
	report.Say("%s", s.Note)
	report.Say("Building %s into %s", names(missing), s.Dir)
	for i, p := range missing {
		step := fmt.Sprintf("%s (%d of %d)", p.Name, i+1, len(missing))
		if err := s.build(ctx, p, report.step(step)); err != nil {
			return err
		}
	}
	return nil
}

func (s Set) lock(ctx context.Context, report *Reporter) (unlock func(), err error) {
	lock := flock.New(s.Dir + ".lock")
	free, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the cache folder: %w", err)
	}
	if !free {
		report.Say("Another run is building into %s: waiting for it.", s.Dir)
		if _, err := lock.TryLockContext(ctx, lockRetry); err != nil {
			return nil, fmt.Errorf("waiting for another build: %w", err)
		}
	}
	return func() { _ = lock.Close() }, nil // closing the file is what unlocks it
}

func (s Set) build(ctx context.Context, p Program, step *step) error {
	total, err := s.countPackages(ctx, p, step)
	if err != nil {
		return fmt.Errorf("building %s: %w", p.Name, err)
	}
	step.total = total

	flags := "-s -w"
	if s.Stamp != "" {
		flags += " -X " + s.Stamp
	}
	partial := filepath.Join(s.Dir, fmt.Sprintf(".%s.%d", p.Name, os.Getpid()))
	defer func() { _ = os.Remove(partial) }() // there is one only after a failure
	cmd := s.goCommand(ctx, "build", "-v", "-trimpath", "-ldflags", flags, "-o", partial, p.Package)
	if err := runShown(cmd, step); err != nil {
		return fmt.Errorf("building %s: %w", p.Name, err)
	}
	if err := os.Rename(partial, filepath.Join(s.Dir, p.Name)); err != nil {
		return fmt.Errorf("finishing %s: %w", p.Name, err)
	}
	step.end("done")
	return nil
}

// countPackages is how many packages the build compiles at most: fewer where the build cache holds
// some. It is also what downloads the modules.
func (s Set) countPackages(ctx context.Context, p Program, step *step) (int, error) {
	var packages bytes.Buffer
	cmd := s.goCommand(ctx, "list", "-deps", p.Package)
	cmd.Stdout = &packages
	if err := runShown(cmd, step); err != nil {
		return 0, err
	}
	return bytes.Count(packages.Bytes(), []byte("\n")), nil
}

// goCommand runs the go command in the set's module, untouched by a workspace around the checkout
// and by flags meant for the operator's own build.
func (s Set) goCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", args...) // #nosec G204 -- the arguments are constants of this package
	cmd.Dir = s.Module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=")
	return cmd
}

// runShown runs a go command and shows as progress what it writes to standard error. Where it
// fails, the error carries the end of that.
func runShown(cmd *exec.Cmd, step *step) error {
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	tail := follow(stderr, step)
	if err := cmd.Wait(); err != nil {
		step.end("failed")
		return fmt.Errorf("%w\n%s", err, strings.Join(tail, "\n"))
	}
	return nil
}

// keptLines is how much of a go command's output a failure shows.
const keptLines = 20

// follow reads what the go command writes to standard error until it ends: a line per compiled
// package and per downloaded module, which it shows as progress, and messages. It returns the end
// of it all.
func follow(stderr io.Reader, step *step) []string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(stderr)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
		_, _ = io.Copy(io.Discard, stderr) // a line too long for the scanner must not block the build
	}()
	tick := time.NewTicker(time.Second) // a long link writes nothing: the elapsed time must still move
	defer tick.Stop()

	var tail []string
	for {
		select {
		case <-tick.C:
			step.show()
		case line, more := <-lines:
			if !more {
				return tail
			}
			step.read(line)
			tail = append(tail, line)
			tail = tail[max(0, len(tail)-keptLines):]
		}
	}
}
