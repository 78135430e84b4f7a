package pinned

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Reporter tells a person how a build goes: one line that is rewritten on a terminal, a line now
// and then elsewhere.
type Reporter struct {
	out      io.Writer
	terminal bool
	now      func() time.Time
}

// NewReporter reports to a file, usually os.Stderr. The clock measures how long a step takes.
func NewReporter(out *os.File, now func() time.Time) *Reporter {
	info, err := out.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	return &Reporter{out: out, terminal: terminal, now: now}
}

// Say writes one line.
func (r *Reporter) Say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.out, format+"\n", args...)
}

const (
	terminalEvery = 200 * time.Millisecond
	logEvery      = 15 * time.Second
	clearLine     = "\r\033[K"
)

// step is the progress of one program. It is shown when something happens, at most every so often.
type step struct {
	report     *Reporter
	name       string
	began      time.Time
	shown      time.Time
	packages   int
	modules    int
	total      int
	everyShown time.Duration
}

func (r *Reporter) step(name string) *step {
	every := logEvery
	if r.terminal {
		every = terminalEvery
	}
	return &step{report: r, name: name, began: r.now(), shown: r.now(), everyShown: every}
}

// read counts one line of a go command: "go: downloading MODULE VERSION", or the import path of a
// package that is being compiled. Other lines are messages.
func (s *step) read(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		s.modules++
	case line != "" && !strings.ContainsAny(line, " :#\t"):
		s.packages++
	}
	s.show()
}

func (s *step) show() {
	now := s.report.now()
	if now.Sub(s.shown) < s.everyShown {
		return
	}
	s.shown = now
	if s.report.terminal {
		_, _ = fmt.Fprint(s.report.out, clearLine+s.line(now))
		return
	}
	s.report.Say("%s", s.line(now))
}

func (s *step) end(word string) {
	if s.report.terminal {
		_, _ = fmt.Fprint(s.report.out, clearLine)
	}
	s.report.Say("%s, %s", s.line(s.report.now()), word)
}

func (s *step) line(now time.Time) string {
	elapsed := now.Sub(s.began).Round(time.Second)
	switch {
	case s.packages == 0 && s.modules > 0:
		return fmt.Sprintf("  %s: %d modules downloaded, %s", s.name, s.modules, elapsed)
	case s.total == 0:
		return fmt.Sprintf("  %s: %d packages compiled, %s", s.name, s.packages, elapsed)
	}
	return fmt.Sprintf("  %s: %d of at most %d packages compiled, %s", s.name, s.packages, s.total, elapsed)
}
