package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/test/perf/bench"
	"github.com/cx-operator/cx-operator/test/perf/load"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// countedAnswers is how many answers are counted, and answersBefore how many come before them: for what is learned once.
const countedAnswers, answersBefore = 50, 10

// countStatements adds what one answer that comes alone asks of a PostgreSQL server.
func countStatements(report *bench.Report) (err error) {
	server, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	dir, err := os.MkdirTemp("", "cx-wire")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	const socket = ".s.PGSQL.5432"
	w, err := tap(filepath.Join(dir, socket), filepath.Join(server.Socket(), socket))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	ctx := context.Background()
	s, err := postgres.Open(ctx, pgtest.DSN(dir, nil), postgres.Options{})
	if err != nil {
		return err
	}
	asked, err := w.whileAppending(ctx, s)
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	report.Add(
		bench.Alone("PostgreSQL: statements for one answer alone", "requests", bench.Sample{float64(asked.statements) / countedAnswers}),
		bench.Alone("PostgreSQL: round trips for one answer alone", "requests", bench.Sample{float64(asked.roundTrips) / countedAnswers}),
	)
	return nil
}

// wire relays connections to a server and counts what is asked on each.
type wire struct {
	listener net.Listener
	to       string
	relays   sync.WaitGroup

	mu    sync.Mutex
	asked map[net.Conn]*asked
}

// asked is what was asked on a connection: statements, and how often an answer was waited for.
type asked struct{ statements, roundTrips int }

func tap(at, to string) (*wire, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", at)
	if err != nil {
		return nil, err
	}
	w := &wire{listener: l, to: to, asked: map[net.Conn]*asked{}}
	w.relays.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			w.relays.Go(func() { w.relay(client) })
		}
	})
	return w, nil
}

func (w *wire) close() error {
	err := w.listener.Close()
	w.relays.Wait()
	return err
}

func (w *wire) relay(client net.Conn) {
	defer func() { _ = client.Close() }() // the other side may have closed it
	server, err := (&net.Dialer{}).DialContext(context.Background(), "unix", w.to)
	if err != nil {
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server) // either side may end it
		_ = client.Close()
	})
	_ = w.forward(client, bufio.NewReader(client), server)
	_ = server.Close()
	back.Wait()
}

// forward passes messages on to the server and counts them. All but the first begin with a letter.
func (w *wire) forward(client net.Conn, in *bufio.Reader, server io.Writer) error {
	for letters := 0; ; letters = 1 {
		head, err := in.Peek(letters + 4)
		if err != nil {
			return err
		}
		length := letters + int(binary.BigEndian.Uint32(head[letters:]))
		if letters > 0 {
			w.note(client, head[0])
		}
		if _, err := io.CopyN(server, in, int64(length)); err != nil {
			return err
		}
	}
}

func (w *wire) note(client net.Conn, letter byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a := w.asked[client]
	if a == nil {
		a = &asked{}
		w.asked[client] = a
	}
	switch letter {
	case 'E': // Execute
		a.statements++
	case 'S': // Sync
		a.roundTrips++
	case 'Q': // Query
		a.statements++
		a.roundTrips++
	}
}

// forget begins to count anew.
func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.asked)
}

// busiest returns what was asked on the connection on which most was: the writer's.
func (w *wire) busiest() (most asked) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.asked {
		if a.statements > most.statements {
			most = *a
		}
	}
	return most
}

// whileAppending counts while the same answer is stored again and again, each time under another identity.
func (w *wire) whileAppending(ctx context.Context, s store.Store) (asked, error) {
	sub, err := survey.DecodeSubmission(load.NewAnswers(form(), signToken, [32]byte{1}).AppendJSON(nil))
	if err != nil {
		return asked{}, err
	}
	response, wrong := form().Accept(sub, survey.Rules{Now: time.Now()})
	if len(wrong) > 0 {
		return asked{}, errorOf(wrong)
	}
	for n := range answersBefore + countedAnswers {
		if n == answersBefore {
			w.forget()
		}
		response.ID = uuid.NewString()
		response.Receipt = response.ID[:20]
		results, err := s.Append(ctx, []store.Response{response})
		if err != nil {
			return asked{}, err
		}
		if results[0].Outcome != store.Stored {
			return asked{}, fmt.Errorf("an answer was not stored: %v", results[0])
		}
	}
	return w.busiest(), nil
}
