package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// sqliteEngine makes files.
type sqliteEngine struct{ world *world }

func (e *sqliteEngine) name() string                { return "SQLite" }
func (e *sqliteEngine) cpu() (time.Duration, error) { return 0, nil }

// sqliteStore is a folder with the endpoint's file, and that of the database alone.
type sqliteStore struct {
	dir string
	// beside is open for as long as the store is there.
	beside *sql.DB
}

func (e *sqliteEngine) fresh(ctx context.Context) (kept, error) {
	s := &sqliteStore{dir: filepath.Join(e.world.dir, fmt.Sprintf("sqlite-%d", e.world.next()))}
	opened, err := sqlite.Open(ctx, s.plain(), sqlite.Options{})
	if err != nil {
		return nil, err
	}
	if err := found(ctx, opened); err != nil {
		return nil, err
	}
	if s.beside, err = sql.Open("sqlite", writerDSN(s.plain())); err != nil {
		return nil, err
	}
	s.beside.SetMaxOpenConns(1)
	if _, err := s.beside.ExecContext(ctx, "CREATE TABLE single (n INTEGER PRIMARY KEY, m INTEGER)"); err != nil {
		return nil, errors.Join(err, s.beside.Close())
	}
	return s, nil
}

func (s *sqliteStore) file() string    { return filepath.Join(s.dir, "answers.sqlite") }
func (s *sqliteStore) plain() string   { return filepath.Join(s.dir, "alone.sqlite") }
func (s *sqliteStore) flags() []string { return []string{"--sqlite-dir", s.dir} }

// writerDSN asks for durable commits, and for what else the endpoint asks of its file.
func writerDSN(path string) string {
	return dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(ON)", "temp_store(MEMORY)", "cache_size(-16384)",
		"journal_size_limit(67108864)",
	}})
}

func dsn(path string, q url.Values) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

func (s *sqliteStore) tally(ctx context.Context) (t tally, err error) {
	db, err := sql.Open("sqlite", dsn(s.file(), url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}}))
	if err != nil {
		return t, err
	}
	err = db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM response), (SELECT ifnull(sum(n), 0) FROM rollup WHERE question = 'recommend')").
		Scan(&t.responses, &t.counted)
	return t, errors.Join(err, db.Close())
}

func (s *sqliteStore) drop(context.Context) error {
	return errors.Join(s.beside.Close(), os.RemoveAll(s.dir))
}

// sqliteAlone writes to a file's tables, many rows by one statement.
type sqliteAlone struct {
	conn     *sql.Conn
	program  int64
	response int64
	single   int64

	singles                                 *sql.Stmt
	submissions, responses, answers, counts *inserter
}

func (s *sqliteStore) alone(ctx context.Context, _ int) (alone, error) {
	conn, err := s.beside.Conn(ctx)
	if err != nil {
		return nil, err
	}
	a := &sqliteAlone{conn: conn}
	err = conn.QueryRowContext(ctx, "SELECT (SELECT id FROM program), (SELECT ifnull(max(id), 0) FROM response), (SELECT ifnull(max(n), 0) FROM single)").
		Scan(&a.program, &a.response, &a.single)
	if err == nil {
		a.singles, err = conn.PrepareContext(ctx, "INSERT INTO single VALUES (?, ?)")
	}
	for _, p := range []struct {
		into          **inserter
		table, suffix string
		columns       []string
	}{
		{&a.submissions, "submission", "", []string{"program", "id", "digest", "receipt"}},
		{&a.responses, "response", "", []string{"id", "program", "submission", "submitted_at", "touchpoint", "unit", "language", "passed"}},
		{&a.answers, "answer", "", []string{"response", "question", "revision", "kind", "vals"}},
		{
			&a.counts, "rollup", " ON CONFLICT DO UPDATE SET n = n + excluded.n",
			[]string{"program", "touchpoint", "unit", "question", "revision", "hour", "value", "n", "seq"},
		},
	} {
		if err == nil {
			*p.into, err = newInserter(ctx, conn, p.table, p.columns, p.suffix)
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return a, nil
}

func (a *sqliteAlone) close(context.Context) error { return a.conn.Close() }

func (a *sqliteAlone) commit(ctx context.Context) error {
	a.single++
	_, err := a.singles.ExecContext(ctx, a.single, a.single)
	return err
}

func (a *sqliteAlone) write(ctx context.Context, batch []*row) error {
	if _, err := a.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, r := range batch {
		a.response++
		a.submissions.add(a.program, r.id[:], r.digest[:], r.receipt)
		a.responses.add(a.response, a.program, r.id[:], r.at.UnixMicro(), r.touchpoint, r.unit, r.language, r.passed)
		for _, answer := range r.answers {
			a.answers.add(a.response, answer.question, answer.revision, answer.kind, answer.vals)
		}
	}
	for k, n := range countsOf(batch) {
		a.counts.add(a.program, k.touchpoint, k.unit, k.question, k.revision, k.hour, k.value, n, 0)
	}
	for _, i := range []*inserter{a.submissions, a.responses, a.answers, a.counts} {
		if err := i.flush(ctx); err != nil {
			return err
		}
	}
	_, err := a.conn.ExecContext(ctx, "COMMIT")
	return err
}

// inserter adds rows to a table, manyRows by one statement where there are so many.
type inserter struct {
	one, many *sql.Stmt
	columns   int
	values    []any
}

const manyRows = 32

func newInserter(ctx context.Context, conn *sql.Conn, table string, columns []string, suffix string) (*inserter, error) {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES "
	i := &inserter{columns: len(columns)}
	var err error
	if i.one, err = conn.PrepareContext(ctx, insert+row+suffix); err != nil {
		return nil, err
	}
	i.many, err = conn.PrepareContext(ctx, insert+strings.TrimSuffix(strings.Repeat(row+", ", manyRows), ", ")+suffix)
	return i, err
}

func (i *inserter) add(values ...any) { i.values = append(i.values, values...) }

func (i *inserter) flush(ctx context.Context) error {
	rest := i.values
	for len(rest) > 0 {
		statement, n := i.one, i.columns
		if len(rest) >= manyRows*i.columns {
			statement, n = i.many, manyRows*i.columns
		}
		if _, err := statement.ExecContext(ctx, rest[:n]...); err != nil {
			return err
		}
		rest = rest[n:]
	}
	i.values = i.values[:0]
	return nil
}
