package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// exportChunk bounds the responses that an export holds in memory.
const exportChunk = 200

// Both follow the keys of the tables' partitions one after the other, so that no more than a chunk is sorted, and what is
// read does not grow with what was exported before. The bounds of submitted_at alone are for the choice of partitions.
const (
	exportResponses = `
SELECT s.id, s.digest, s.receipt, r.submitted_at, r.touchpoint, r.unit, r.language, r.standing, r.passed::text, r.failed::text
FROM (
    SELECT * FROM response
    WHERE program = $1 AND submitted_at >= $2 AND (submitted_at, submission) > ($2, $3)
    ORDER BY submitted_at, submission LIMIT $4
) AS r JOIN submission AS s ON s.program = r.program AND s.id = r.submission
ORDER BY r.submitted_at, r.submission`
	exportAnswers = `
SELECT submission, question, revision, kind, vals::text FROM answer
WHERE program = $1 AND submitted_at >= $2 AND submitted_at <= $4
    AND (submitted_at, submission) >= ($2, $3) AND (submitted_at, submission) <= ($4, $5)
ORDER BY submitted_at, submission, question`
)

// Export implements store.Store. While fn runs, the server keeps what it has to show of the past.
func (s *Store) Export(ctx context.Context, program store.Key, fn func(store.Response) error) error {
	var stopped error
	err := s.readBulk(ctx, func(ctx context.Context, t pgx.Tx) error {
		number, err := findProgram(ctx, t, program)
		if err != nil || number == 0 {
			return err
		}
		e := exporter{ctx: ctx, tx: t, key: program, program: number, at: pgtype.Timestamptz{
			InfinityModifier: pgtype.NegativeInfinity, Valid: true,
		}}
		for {
			chunk, err := e.next()
			if err != nil || len(chunk) == 0 {
				return err
			}
			for _, r := range chunk {
				if stopped = fn(r); stopped != nil {
					return stopped
				}
			}
		}
	})
	if stopped != nil {
		return stopped
	}
	if err != nil {
		return wrap("export", err)
	}
	return nil
}

// exporter reads a program's responses in chunks: the next are those after at and id.
type exporter struct {
	ctx     context.Context
	tx      pgx.Tx
	key     store.Key
	program int32
	at      pgtype.Timestamptz
	id      uuid.UUID
}

func (e *exporter) next() ([]store.Response, error) {
	rows, err := e.tx.Query(e.ctx, exportResponses, e.program, e.at, pgtype.UUID{Bytes: e.id, Valid: true}, exportChunk)
	if err != nil {
		return nil, err
	}
	var chunk []store.Response
	index := map[uuid.UUID]int{}
	var id uuid.UUID
	var digest []byte
	var passed, failed string
	r := store.Response{Program: e.key}
	_, err = pgx.ForEachRow(rows, []any{&id, &digest, &r.Receipt, &r.SubmittedAt, &r.Touchpoint, &r.Unit, &r.Language, &r.Standing,
		&passed, &failed}, func() (err error) {
		r.ID, r.Digest, r.SubmittedAt = id.String(), [32]byte(digest), r.SubmittedAt.UTC()
		if r.Passed, err = commit.DecodeChecks(passed); err != nil {
			return err
		}
		if r.Failed, err = commit.DecodeChecks(failed); err != nil {
			return err
		}
		index[id] = len(chunk)
		chunk = append(chunk, r)
		return nil
	})
	if err != nil || len(chunk) == 0 {
		return nil, err
	}
	first, last := chunk[0], chunk[len(chunk)-1]
	if err := e.readAnswers(chunk, index, first.SubmittedAt, first.ID, last.SubmittedAt, last.ID); err != nil {
		return nil, err
	}
	e.at, e.id = pgtype.Timestamptz{Time: last.SubmittedAt, Valid: true}, id
	return chunk, nil
}

// readAnswers gives the responses of a chunk their answers: they lie between its first and its last.
func (e *exporter) readAnswers(chunk []store.Response, index map[uuid.UUID]int, from time.Time, first string, to time.Time, last string) error {
	rows, err := e.tx.Query(e.ctx, exportAnswers, e.program, from, first, to, last)
	if err != nil {
		return err
	}
	var id uuid.UUID
	var a store.Answer
	var vals string
	_, err = pgx.ForEachRow(rows, []any{&id, &a.Question, &a.Revision, &a.Kind, &vals}, func() (err error) {
		if a.Values, err = commit.DecodeValues(vals); err == nil {
			r := &chunk[index[id]]
			r.Answers = append(r.Answers, a)
		}
		return err
	})
	return err
}
