package endpoint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/operations"
)

// finishWithin is how long requests that have begun may take after the endpoint has stopped listening.
const finishWithin = 20 * time.Second

// mostOperating is how many connections the operations port keeps: the kubelet's, the operator's and those of what reads metrics are a
// handful.
const mostOperating = 256

// Addresses that an Endpoint listens at, host:port; empty before it does.
type Addresses struct{ Intake, Operations string }

// Addresses returns where the endpoint listens.
func (e *Endpoint) Addresses() Addresses {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.addresses
}

// heapRoom is memory that counts for the collector and is never touched, so that the machine provides none of it. Without it, the
// heap of an endpoint is so small that it is collected a dozen times a second under load, and each time holds up answers. A
// greater GOGC would do the same, but multiply the memory of many connections, too.
const heapRoom = 16 << 20

// Run serves until the context ends. Then it is ready no longer, but goes on serving for Options.Drain; lets requests finish;
// and closes the store last.
func (e *Endpoint) Run(ctx context.Context) error {
	room := make([]byte, heapRoom)
	defer runtime.KeepAlive(room)
	listeners, err := e.listen(ctx)
	if err != nil {
		return err
	}
	lasting := context.WithoutCancel(ctx)
	keeping, stopKeeping := context.WithCancel(lasting)
	minding, stopMinding := context.WithCancel(lasting)
	var keeper, minders sync.WaitGroup
	keeper.Go(func() { e.opener.run(keeping) })
	defer keeper.Wait()
	defer stopKeeping()
	e.reread()
	minders.Go(func() { e.watch(minding) })
	minders.Go(func() { e.keeper.Run(minding, e.options.Clock, e.tasks) })
	defer minders.Wait()
	defer stopMinding()
	return e.serve(ctx, listeners)
}

// listeners of both ports.
type listeners struct{ intake, operations net.Listener }

func (e *Endpoint) listen(ctx context.Context) (listeners, error) {
	var l listeners
	var err error
	if l.intake, err = (&net.ListenConfig{}).Listen(ctx, "tcp", e.options.IntakeAddress); err != nil {
		return l, fmt.Errorf("listen for answers: %w", err)
	}
	if l.operations, err = (&net.ListenConfig{}).Listen(ctx, "tcp", e.options.OperationsAddress); err != nil {
		return l, errors.Join(fmt.Errorf("listen for operations: %w", err), l.intake.Close())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.addresses = Addresses{Intake: l.intake.Addr().String(), Operations: l.operations.Addr().String()}
	return l, nil
}

func (e *Endpoint) serve(ctx context.Context, l listeners) error {
	pages := intake.HTTPServer(e.options.IntakeAddress, e.intake)
	port := intake.HTTPServer(e.options.OperationsAddress, e.operations)
	port.TLSConfig, port.WriteTimeout = e.certificate.config(), operations.AnswerTimeout
	memory := debug.SetMemoryLimit(-1) // only asks for it
	l.intake = intake.Bound(l.intake, pages, intake.MostConnections(memory), false)
	l.operations = intake.Bound(l.operations, port, mostOperating, true)
	failed := make(chan error, 2)
	var serving sync.WaitGroup
	defer serving.Wait()
	serving.Go(func() { failed <- said("serve answers", pages.Serve(l.intake)) })
	serving.Go(func() { failed <- said("serve operations", port.ServeTLS(l.operations, "", "")) })
	addresses := e.Addresses()
	e.options.Log.Info("Taking answers", "address", addresses.Intake, "operations", addresses.Operations)

	var err error
	select {
	case err = <-failed:
		close(e.draining)
	case <-ctx.Done():
		close(e.draining)
		e.options.Log.Info("Ending: no longer ready", "drain", e.options.Drain.String())
		err = after(e.options.Drain, failed)
	}
	grace, done := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer done()
	// The operations port tells that the process is alive until answers under way are taken.
	return errors.Join(err, shutDown(grace, pages), shutDown(grace, port))
}

// said wraps the error of a server, unless it was asked to end.
func said(what string, err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// after waits, unless a server fails meanwhile.
func after(d time.Duration, failed <-chan error) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-failed:
		return err
	case <-timer.C:
		return nil
	}
}

// shutDown lets requests finish, and cuts off those that do not.
func shutDown(grace context.Context, s *http.Server) error {
	err := s.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.Close()
	}
	if err != nil {
		return fmt.Errorf("stop serving: %w", err)
	}
	return nil
}
