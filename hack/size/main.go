// Command size measures what answers take: it fills a store of each engine and prints the bytes per response on disk.
// 'make size' runs it; docs/sizing.md shows its table.
package main

import (
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's driver for asking PostgreSQL how large it is
	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/postgres"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

const (
	schema = "cx_size"
	// batch is how many responses are stored at once, as an import does.
	batch = 1000
	// windowDays is what the responses are spread over.
	windowDays = 90
)

// shape is what one response holds.
type shape struct {
	name    string
	scores  int
	comment int // characters
}

var shapes = []shape{
	{"1 score", 1, 0},
	{"5 scores", 5, 0},
	{"5 scores and a comment of 120 characters", 5, 120},
}

func main() {
	n := flag.Int("responses", 100_000, "responses to store for each row of the table")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *n); err != nil {
		fmt.Fprintln(os.Stderr, "size:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, n int) (err error) {
	dir, err := os.MkdirTemp("", "cx-size-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	defer func() { err = errors.Join(err, server.Stop()) }()

	out := table.NewWriter()
	out.SetOutputMirror(os.Stdout)
	out.AppendHeader(table.Row{"a response of", "responses", "SQLite, bytes each", "PostgreSQL, bytes each"})
	for i, s := range shapes {
		fmt.Fprintf(os.Stderr, "Storing %d responses of %s, twice\n", n, s.name)
		lite, err := sizeOfSQLite(ctx, filepath.Join(dir, fmt.Sprint(i)), s, n)
		if err != nil {
			return fmt.Errorf("SQLite: %w", err)
		}
		pg, err := sizeOfPostgres(ctx, server.DSN(nil), s, n)
		if err != nil {
			return fmt.Errorf("PostgreSQL: %w", err)
		}
		out.AppendRow(table.Row{s.name, n, lite / int64(n), pg / int64(n)})
	}
	out.Render()
	return nil
}

func sizeOfSQLite(ctx context.Context, dir string, s shape, n int) (int64, error) {
	opened, err := sqlite.Open(ctx, filepath.Join(dir, "answers.sqlite"), sqlite.Options{})
	if err != nil {
		return 0, err
	}
	if err := errors.Join(fill(ctx, opened, s, n), opened.Close()); err != nil {
		return 0, err
	}
	var size int64
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	return size, err
}

func sizeOfPostgres(ctx context.Context, uri string, s shape, n int) (size int64, err error) {
	opened, err := postgres.Open(ctx, uri, postgres.Options{Schema: schema})
	if err != nil {
		return 0, err
	}
	if err := errors.Join(fill(ctx, opened, s, n), opened.Close()); err != nil {
		return 0, err
	}
	db, err := sql.Open("pgx", uri)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const relations = `SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace
		WHERE s.nspname = $1 AND c.relkind = 'r'`
	if err := db.QueryRowContext(ctx, relations, schema).Scan(&size); err != nil {
		return 0, err
	}
	_, err = db.ExecContext(ctx, "DROP SCHEMA "+schema+" CASCADE")
	return size, err
}

// fill stores n responses of one touchpoint.
func fill(ctx context.Context, s store.Store, of shape, n int) error {
	program := store.Key{Namespace: "size", Name: "size"}
	end := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	step := windowDays * 24 * time.Hour / time.Duration(n)
	for from := 0; from < n; from += batch {
		responses := make([]store.Response, min(batch, n-from))
		for i := range responses {
			responses[i] = response(program, of, from+i, end.Add(-time.Duration(from+i)*step))
		}
		results, err := s.Append(ctx, responses)
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Outcome != store.Stored {
				return fmt.Errorf("a response was not stored: outcome %d", r.Outcome)
			}
		}
	}
	return nil
}

func response(program store.Key, of shape, i int, at time.Time) store.Response {
	r := store.Response{
		Program: program, ID: uuid.NewString(), Receipt: strings.ToUpper(uuid.NewString()[:20]),
		Touchpoint: "desk", Unit: "north", Language: "en", SubmittedAt: at,
	}
	copy(r.Digest[:], uuid.NewString())
	for q := range of.scores {
		r.Answers = append(r.Answers, store.Answer{
			Question: fmt.Sprintf("question-%d", q), Revision: 1, Kind: store.KindScale, Values: []string{fmt.Sprint(1 + (i+q)%5)},
		})
	}
	if of.comment > 0 {
		words := strings.Repeat("The queue was long. ", of.comment/20+1)
		r.Answers = append(r.Answers, store.Answer{
			Question: "why", Revision: 1, Kind: store.KindText, Values: []string{words[:of.comment]},
		})
	}
	return r
}
