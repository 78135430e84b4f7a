package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// console tells a person how the demo goes: what is being done on err, what came out on out.
type console struct {
	out, err io.Writer
	terminal bool // err is a terminal, so that lines can be rewritten
	now      func() time.Time
	began    time.Time

	pending string    // what the last line of waitFor said
	shown   time.Time // when it said so
}

// logEvery is how often a log, which cannot be rewritten, hears of what is awaited.
const logEvery = 5 * time.Second

func newConsole(out, err *os.File, now func() time.Time) *console {
	return &console{out: out, err: err, terminal: term.IsTerminal(int(err.Fd())), now: now, began: now()}
}

// step announces what is done next, with the seconds since the start.
func (c *console) step(format string, args ...any) {
	c.clear()
	_, _ = fmt.Fprintf(c.err, "[%5.1fs] %s\n", c.now().Sub(c.began).Seconds(), fmt.Sprintf(format, args...))
}

// waiting shows what is awaited, on one line that is rewritten; in a log only now and then.
func (c *console) waiting(what string) {
	const longest = 58 // with the prefix, a line of the narrowest terminal
	if len(what) > longest {
		what = what[:longest-3] + "..."
	}
	if c.terminal {
		_, _ = fmt.Fprintf(c.err, "\r\033[K         waiting for %s", what)
		c.pending = what
		return
	}
	if c.shown.IsZero() {
		c.shown = c.now() // short waits are not worth a line
		return
	}
	if c.now().Sub(c.shown) >= logEvery {
		_, _ = fmt.Fprintf(c.err, "         waiting for %s\n", what)
		c.shown = c.now()
	}
}

// clear ends a run of waiting.
func (c *console) clear() {
	if c.terminal && c.pending != "" {
		_, _ = io.WriteString(c.err, "\r\033[K")
	}
	c.pending, c.shown = "", time.Time{}
}

// printf writes a result.
func (c *console) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format, args...)
}

// list joins the first few of many things.
func list(things []string) string {
	const few = 3
	if len(things) <= few {
		return strings.Join(things, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(things[:few], ", "), len(things)-few)
}
