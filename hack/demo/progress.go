package main

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how many of a known number of answers the server has taken: a bar on a terminal, elsewhere a line at each
// tenth.
type progress struct {
	bar   *progressbar.ProgressBar // nil where there is no terminal
	out   io.Writer
	total int64
	done  int64
}

func (c *console) progress(total int64) *progress {
	p := &progress{out: c.err, total: total}
	if c.terminal {
		p.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(c.err),
			progressbar.OptionSetDescription("         answers"),
			progressbar.OptionShowCount(),
			progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("answers"),
			progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// add counts answers.
func (p *progress) add(n int64) {
	before := p.tenth()
	p.done += n
	if p.bar != nil {
		_ = p.bar.Add64(n) // a bar that cannot be drawn is no reason to stop
		return
	}
	if after := p.tenth(); after > before {
		_, _ = fmt.Fprintf(p.out, "         %3d %% of %d answers\n", after*10, p.total)
	}
}

func (p *progress) tenth() int64 { return p.done * 10 / max(p.total, 1) }

// end leaves the line to what comes next, also where the import stopped short.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit() // as above
	}
}

// countLines passes on what is read and counts its lines.
type countLines struct {
	io.Reader
	add func(n int64)
}

func (r countLines) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if lines := bytes.Count(b[:n], []byte("\n")); lines > 0 {
		r.add(int64(lines))
	}
	return n, err
}
