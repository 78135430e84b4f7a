// Package load sends answers to endpoints as many people and programs at once: over loopback, from a process of its own, on
// connections that are kept. A program that uses it calls Main before anything else.
package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// Kind is how answers are sent.
type Kind string

// The kinds.
const (
	// JSON is a call of a program.
	JSON Kind = "JSON"
	// Form is what a browser sends of a page.
	Form Kind = "form"
)

// Plan says what to send. All is required unless it says otherwise.
type Plan struct {
	// Targets are endpoints of the program, host:port; each client keeps to one, and they are spread evenly.
	Targets []string
	// Kind of the requests.
	Kind Kind
	// Survey that is answered, and the program's token sign, by which forms are known to be the program's.
	Survey *survey.Survey
	Sign   string
	// Clients is how many send at the same time, each on a connection of its own.
	Clients int
	// Rate is how many requests are sent each second over all, at even distances, as long as a client is free. 0 means that each
	// client sends its next request once it has the answer to the last.
	Rate float64
	// WarmUp comes before Duration, in which is measured. Requests that have begun are finished.
	WarmUp, Duration time.Duration
	// Accepted ends the run before Duration does once so many answers were accepted; 0 for no such end.
	Accepted int64
	// Timeout of one request.
	Timeout time.Duration
	// Patient clients wait for as long as Retry-After says before they send again; others send at once.
	Patient bool
}

// Result is what came of a Plan.
type Result struct {
	// Seconds is how long was measured, and Accepted and Shed how many requests ended meanwhile with a 201 or 303, and with
	// a 503.
	Seconds        float64
	Accepted, Shed int64
	// Latency of the accepted ones among them, from the first byte sent to the last received; Late is by how much they were
	// sent later than the rate asked.
	Latency, Late Latency
	// Total has all requests of the run, warming up included.
	Total Total
	// CPU is what the process that sent them took, from its start to its end, and Ran how long that was. Do leaves them out.
	CPU, Ran time.Duration
}

// Cores is how many processors the sending of requests kept busy.
func (r Result) Cores() float64 { return r.CPU.Seconds() / r.Ran.Seconds() }

// Rate is how many answers were accepted each second.
func (r Result) Rate() float64 { return float64(r.Accepted) / r.Seconds }

// Total is how all requests of a run ended, each in one way.
type Total struct {
	Accepted, Shed int64
	// Repeated are answers with 200: the endpoint says that it had this answer before.
	Repeated int64
	// Refused are other answers, Timeouts requests without an answer in time, Broken those whose connection broke.
	Refused, Timeouts, Broken int64
	// Hasty are those of Shed that did not say when to try again.
	Hasty int64
	// First tells of the first request that was neither accepted nor shed.
	First string
}

// Failures are the requests that were neither accepted nor properly shed.
func (t Total) Failures() int64 { return t.Repeated + t.Refused + t.Timeouts + t.Broken + t.Hasty }

// Unknown are the requests of which nobody but the store knows whether their answer was stored.
func (t Total) Unknown() int64 { return t.Shed + t.Timeouts + t.Broken }

// Latency has percentiles and the maximum.
type Latency struct{ P50, P90, P99, P999, Max time.Duration }

// asLoad in the environment has a process do a Plan.
const asLoad = "CX_OPERATOR_PERF_LOAD"

// Main does the work of a process that Run has started, and ends it; in any other process it returns.
func Main() {
	if os.Getenv(asLoad) == "" {
		return
	}
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func serve() error {
	var p Plan
	if err := json.NewDecoder(os.Stdin).Decode(&p); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	r, err := Do(context.Background(), p)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// Run does a Plan in another process, which is this program started once more.
func Run(ctx context.Context, p Plan) (Result, error) {
	program, err := os.Executable()
	if err != nil {
		return Result{}, fmt.Errorf("load: %w", err)
	}
	in, err := json.Marshal(p)
	if err != nil {
		return Result{}, fmt.Errorf("load: writing the plan: %w", err)
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), asLoad+"=1")
	cmd.Stdin = bytes.NewReader(in)
	var said bytes.Buffer
	cmd.Stderr = &said
	start := time.Now()
	out, err := cmd.Output()
	if err != nil {
		return Result{}, errors.Join(fmt.Errorf("load: the process: %w\n%s", err, said.Bytes()), ctx.Err())
	}
	var r Result
	if err := json.Unmarshal(out, &r); err != nil {
		return Result{}, fmt.Errorf("load: what the process said: %w", err)
	}
	r.CPU, r.Ran = cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), time.Since(start)
	return r, nil
}

// Merge adds what came of another run.
func (t *Total) Merge(o Total) {
	t.Accepted += o.Accepted
	t.Shed += o.Shed
	t.Repeated += o.Repeated
	t.Refused += o.Refused
	t.Timeouts += o.Timeouts
	t.Broken += o.Broken
	t.Hasty += o.Hasty
	t.First = cmp.Or(t.First, o.First)
}
