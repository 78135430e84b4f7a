package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

const (
	// warmUp, singles and batches are how many commits are made before any is measured, then of one answer, then of batchRows.
	warmUp, singles, batches = 10, 200, 20
	// batchRows is what a call gets of a commit at most.
	batchRows = 256
	schema    = "cx_scaling"
)

var clientsMeasured = []int{1, 16, 64, 256}

// measure measures what commits and rows take in real stores on this machine, and holds the simulation to what the stores then do.
func measure(ctx context.Context, out io.Writer, s settings) (err error) {
	dir, err := os.MkdirTemp("", "cx-scaling-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lite, err := sqlite.Open(ctx, filepath.Join(dir, "answers.sqlite"), sqlite.Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(measureStore(ctx, out, s, "SQLite", lite), lite.Close()); err != nil {
		return fmt.Errorf("SQLite: %w", err)
	}
	server, err := pgtest.Start(pgtest.Options{Durable: true})
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	pg, err := postgres.Open(ctx, server.DSN(nil), postgres.Options{Schema: schema})
	if err != nil {
		return err
	}
	err = measureStore(ctx, out, s, "PostgreSQL", pg)
	if err == nil {
		err = measureBytes(ctx, out, server.DSN(nil), pg)
	}
	return errors.Join(err, pg.Close())
}

// measureStore compares a store with the simulation of it, for clients that wait for their answers. Before each it measures the
// commits again: other work on the machine comes and goes.
func measureStore(ctx context.Context, out io.Writer, s settings, name string, st store.Store) error {
	w := newTable(out, name, "clients", "a commit", "each answer in it", "measured a second", "simulated", "ratio", "p50", "simulated", "p99", "simulated")
	took := time.Duration(s.seconds * float64(time.Second))
	for _, clients := range clientsMeasured {
		fmt.Fprintf(os.Stderr, "scaling: %s: %d clients\n", name, clients)
		p, err := fit(ctx, st)
		if err != nil {
			return err
		}
		served, latencies, err := drive(ctx, st, clients, took)
		if err != nil {
			return err
		}
		o, err := Simulate(p, Load{Clients: clients, RetryAfter: time.Second, Duration: took, Seed: 1})
		if err != nil {
			return err
		}
		rate := float64(served) / took.Seconds()
		w.AppendRow(table.Row{
			clients, short(percentile(p.Commits, 50)), short(p.Row), significant(rate), significant(o.Throughput()), fmt.Sprintf("%.2f", o.Throughput()/rate),
			short(percentile(latencies, 50)), short(o.P50), short(percentile(latencies, 99)), short(o.P99),
		})
	}
	w.Render()
	_, err := fmt.Fprintln(out)
	return err
}

// fit measures commits of one answer and of many, which differ by what the rows take.
func fit(ctx context.Context, st store.Store) (Process, error) {
	one, err := commits(ctx, st, 1, singles)
	if err != nil {
		return Process{}, err
	}
	many, err := commits(ctx, st, batchRows, batches)
	if err != nil {
		return Process{}, err
	}
	return fitted(one, many), nil
}

// fitted returns the process of which commits of one answer, and of batchRows, were measured; both are sorted. Requests are calls
// here, which no core has to handle before.
func fitted(one, many []time.Duration) Process {
	p := Process{Cores: 1 << 20, Tail: 1, Batch: 512, Queue: 1024}
	p.Row = max(0, (percentile(many, 50)-percentile(one, 50))/(batchRows-1))
	for _, c := range one {
		p.Commits = append(p.Commits, max(0, c-p.Row))
	}
	return p
}

// commits measures commits of so many rows, and returns their times, sorted.
func commits(ctx context.Context, st store.Store, rows, times int) ([]time.Duration, error) {
	var took []time.Duration
	for n := range warmUp + times {
		began := time.Now()
		if err := add(ctx, st, rows); err != nil {
			return nil, err
		}
		if n >= warmUp {
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	return took, nil
}

func add(ctx context.Context, st store.Store, n int) error {
	responses := make([]store.Response, n)
	for i := range responses {
		responses[i] = response()
	}
	results, err := st.Append(ctx, responses)
	if err != nil {
		return err
	}
	for _, r := range results {
		if r.Outcome != store.Stored {
			return fmt.Errorf("a new answer is %v", r.Outcome)
		}
	}
	return nil
}

// drive has clients send one answer after the other for some time. It returns how many were acknowledged, and how long they took.
func drive(ctx context.Context, st store.Store, clients int, took time.Duration) (int, []time.Duration, error) {
	var (
		mu        sync.Mutex
		latencies []time.Duration
		failed    error
		running   sync.WaitGroup
	)
	end := time.Now().Add(took)
	for range clients {
		running.Go(func() {
			var own []time.Duration
			var err error
			for began := time.Now(); err == nil && began.Before(end); began = time.Now() {
				if err = add(ctx, st, 1); err == nil {
					own = append(own, time.Since(began))
				}
			}
			mu.Lock()
			defer mu.Unlock()
			latencies, failed = append(latencies, own...), errors.Join(failed, err)
		})
	}
	running.Wait()
	slices.Sort(latencies)
	return len(latencies), latencies, failed
}

// response is one of 5 scores and a comment of 120 characters, sent now.
func response() store.Response {
	id := uuid.New()
	r := store.Response{
		Program: store.Key{Namespace: "scaling", Name: "scaling"}, ID: id.String(), Receipt: strings.ToUpper(uuid.NewString()[:20]),
		Touchpoint: "desk", Unit: "north", Language: "en", SubmittedAt: time.Now(),
	}
	copy(r.Digest[:], id[:])
	for q := range 5 {
		r.Answers = append(r.Answers, store.Answer{
			Question: fmt.Sprintf("question-%d", q), Revision: 1, Kind: store.KindScale, Values: []string{fmt.Sprint(1 + int(id[q])%5)},
		})
	}
	text := strings.Repeat("The queue was long. ", 6)
	r.Answers = append(r.Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{text}})
	return r
}

const (
	logPosition = `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn`
	sizes       = `SELECT coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname = 'submission'), 0)::bigint,
		coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname LIKE 'response_%' OR c.relname LIKE 'answer_%'), 0)::bigint,
		coalesce(sum(pg_relation_size(i.indexrelid)) FILTER (WHERE c.relname = 'submission'), 0)::bigint
		FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
		LEFT JOIN LATERAL (SELECT indexrelid FROM pg_index WHERE indrelid = c.oid AND indisprimary AND c.relname = 'submission') i ON true
		WHERE s.nspname = $1 AND c.relkind = 'r'`
)

// measureBytes tells what an answer takes on disk and in the log.
func measureBytes(ctx context.Context, out io.Writer, uri string, st store.Store) error {
	conn, err := pgx.Connect(ctx, uri)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }() // it was only read
	read := func() (written, identities, answers, index int64, err error) {
		if err = conn.QueryRow(ctx, logPosition).Scan(&written); err == nil {
			err = conn.QueryRow(ctx, sizes, schema).Scan(&identities, &answers, &index)
		}
		return written, identities, answers, index, err
	}
	if _, err := conn.Exec(ctx, "CHECKPOINT"); err != nil {
		return err
	}
	// What is written before the measuring has the pages that are written whole after the checkpoint.
	const rows = 20_000
	for range rows / batchRows {
		if err := add(ctx, st, batchRows); err != nil {
			return err
		}
	}
	log0, identities0, answers0, index0, err := read()
	if err != nil {
		return err
	}
	for range rows / batchRows {
		if err := add(ctx, st, batchRows); err != nil {
			return err
		}
	}
	log1, identities1, answers1, index1, err := read()
	if err != nil {
		return err
	}
	each := func(before, after int64) int64 { return (after - before) / (rows / batchRows * batchRows) }
	_, err = fmt.Fprintf(out, "PostgreSQL: an answer of 5 scores and a comment of 120 characters takes %d bytes until it is deleted, %d that stay, of which "+
		"%d in the index by identity, and writes %d bytes of log.\n", each(answers0, answers1), each(identities0, identities1), each(index0, index1), each(log0, log1))
	return err
}
