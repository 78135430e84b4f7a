package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// exportRows follows the index of responses and then the key of answers, so that nothing is sorted or held in memory.
const exportRows = `
SELECT r.id, s.id, s.digest, s.receipt, r.submitted_at, r.touchpoint, r.unit, r.language,
       r.standing, r.passed, r.failed, a.question, a.revision, a.kind, a.vals
FROM program AS p
CROSS JOIN response AS r INDEXED BY response_by_time ON r.program = p.id
CROSS JOIN submission AS s ON s.program = r.program AND s.id = r.submission
CROSS JOIN answer AS a ON a.response = r.id
WHERE p.namespace = ? AND p.name = ?
ORDER BY r.submitted_at, r.submission, a.question`

// Export implements store.Store. While fn runs, the log cannot be taken into the file, so a slow fn lets the log grow.
func (s *Store) Export(ctx context.Context, program store.Key, fn func(store.Response) error) error {
	return s.read(ctx, s.bulk, func(ctx context.Context, t *sql.Tx) error {
		rows, err := t.QueryContext(ctx, exportRows, program.Namespace, program.Name)
		if err != nil {
			return fmt.Errorf("sqlite: export: %w", err)
		}
		defer rows.Close()
		return eachResponse(rows, program, fn)
	})
}

// eachResponse puts the answers of a response, one to a row, together again.
func eachResponse(rows *sql.Rows, program store.Key, fn func(store.Response) error) error {
	var current store.Response
	var currentID int64
	for rows.Next() {
		id, r, err := scanAnswer(rows)
		if err != nil {
			return fmt.Errorf("sqlite: export: %w", err)
		}
		if id == currentID {
			current.Answers = append(current.Answers, r.Answers...)
			continue
		}
		if currentID != 0 {
			if err := fn(current); err != nil {
				return err
			}
		}
		current, currentID = r, id
		current.Program = program
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("sqlite: export: %w", err)
	}
	if currentID == 0 {
		return nil
	}
	return fn(current)
}

func scanAnswer(rows *sql.Rows) (int64, store.Response, error) {
	var id, at int64
	var submission, digest []byte
	var vals, passed, failed string
	var r store.Response
	var a store.Answer
	if err := rows.Scan(&id, &submission, &digest, &r.Receipt, &at, &r.Touchpoint, &r.Unit, &r.Language,
		&r.Standing, &passed, &failed, &a.Question, &a.Revision, &a.Kind, &vals); err != nil {
		return 0, r, err
	}
	values, err := commit.DecodeValues(vals)
	if err != nil {
		return 0, r, err
	}
	a.Values = values
	if r.Passed, err = commit.DecodeChecks(passed); err != nil {
		return 0, r, err
	}
	if r.Failed, err = commit.DecodeChecks(failed); err != nil {
		return 0, r, err
	}
	r.ID = uuid.UUID(submission).String()
	r.SubmittedAt = time.UnixMicro(at).UTC()
	copy(r.Digest[:], digest)
	r.Answers = []store.Answer{a}
	return id, r, nil
}
