package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func BenchmarkAppend(b *testing.B) {
	storetest.BenchAppend(b, storetest.Bench{
		Open: func(b *testing.B) store.Store {
			return mustOpen(b, filepath.Join(b.TempDir(), "answers.db"), Options{})
		},
		Plain: plainWriter,
	})
}

// plainWriter inserts into a file of the store's tables, over a connection like the writer's.
func plainWriter(b *testing.B) func([]commit.Row, commit.Counts) error {
	path := filepath.Join(b.TempDir(), "plain.db")
	if err := mustOpen(b, path, Options{}).Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", writerDSN(path))
	if err != nil {
		b.Fatal(err)
	}
	conn, err := db.Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(conn.Close(), db.Close()); err != nil {
			b.Error(err)
		}
	})
	p := &plain{conn: conn, prepared: map[string]*sql.Stmt{}}
	key := storetest.BenchProgram
	if err := p.exec(`INSERT INTO program (namespace, name) VALUES (?, ?)`, key.Namespace, key.Name); err != nil {
		b.Fatal(err)
	}
	return p.write
}

// plain writes with prepared statements that insert many rows.
type plain struct {
	conn     *sql.Conn
	prepared map[string]*sql.Stmt
	last     int64
}

// plainRows is how many rows one statement inserts at most.
const plainRows = 64

func (p *plain) write(rows []commit.Row, counts commit.Counts) error {
	var submissions, responses, answers, sums [][]any
	for i := range rows {
		r := &rows[i]
		p.last++
		submissions = append(submissions, []any{1, r.ID[:], r.Digest[:], r.Receipt})
		responses = append(responses, []any{p.last, 1, r.ID[:], r.SubmittedAt, r.Touchpoint, r.Unit, r.Language, string(r.Standing), r.Passed, r.Failed})
		for _, a := range r.Answers {
			answers = append(answers, []any{p.last, a.Question, a.Revision, a.Kind, a.Vals})
		}
	}
	for _, k := range counts.Sorted() {
		sums = append(sums, []any{k.Program, k.Touchpoint, k.Unit, k.Question, k.Revision, int64(k.Hour), k.Value, counts[k], p.last})
	}
	if err := p.exec(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	for _, s := range []struct {
		into, end string
		rows      [][]any
	}{
		{`submission (program, id, digest, receipt)`, ``, submissions},
		{`response (id, program, submission, submitted_at, touchpoint, unit, language, standing, passed, failed)`, ``, responses},
		{`answer (response, question, revision, kind, vals)`, ``, answers},
		{`rollup (program, touchpoint, unit, question, revision, hour, value, n, seq)`,
			` ON CONFLICT DO UPDATE SET n = n + excluded.n, seq = excluded.seq`, sums},
	} {
		one := "(?" + strings.Repeat(", ?", len(s.rows[0])-1) + ")"
		for chunk := range slices.Chunk(s.rows, plainRows) {
			query := `INSERT INTO ` + s.into + ` VALUES ` + one + strings.Repeat(", "+one, len(chunk)-1) + s.end
			if err := p.exec(query, slices.Concat(chunk...)...); err != nil {
				return err
			}
		}
	}
	if err := p.exec(`UPDATE program SET seq = ? WHERE id = 1`, p.last); err != nil {
		return err
	}
	return p.exec(`COMMIT`)
}

func (p *plain) exec(query string, args ...any) (err error) {
	stmt := p.prepared[query]
	if stmt == nil {
		if stmt, err = p.conn.PrepareContext(context.Background(), query); err != nil {
			return err
		}
		p.prepared[query] = stmt
	}
	_, err = stmt.Exec(args...)
	return err
}

func BenchmarkImport(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "answers.db"), Options{})
	defer s.Close()
	responses := make([]store.Response, b.N)
	for i := range responses {
		responses[i] = storetest.BenchResponse(i)
	}
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := s.Append(context.Background(), responses); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "responses/s")
}

// BenchmarkInvite invites different people, as many as may be at once, with every rule.
func BenchmarkInvite(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "answers.db"), Options{})
	defer s.Close()
	rule := store.Cooldown{AfterInvitation: 24 * time.Hour, AfterAnswer: 24 * time.Hour}
	invitations := make([]store.Invitation, b.N)
	for i := range invitations {
		hash := sha256.Sum256(fmt.Append(nil, i))
		invitations[i] = store.Invitation{Program: program, ID: storetest.ID("invite", i), Digest: hash, Contact: hash[:], InvitedAt: time.Unix(int64(i), 0)}
	}
	b.ReportAllocs()
	b.ResetTimer()
	for chunk := range slices.Chunk(invitations, commit.MaxInvitations) {
		if _, err := s.Invite(context.Background(), chunk, store.Fatigue{Program: rule, Namespace: rule}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "invitations/s")
}
