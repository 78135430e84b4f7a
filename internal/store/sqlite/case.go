package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	caseColumns = `c.id, c.promised_by, c.touchpoint, c.language, c.reasons, c.state, c.opened_at, c.contacted_at, c.resolved_at,
	c.informed_at, c.plan, c.version, c.contact, c.contact_erased_at, c.retention_days, c.expires_at, c.submission`
	findCase   = `SELECT ` + caseColumns + ` FROM customer_case AS c WHERE c.program = ? AND c.id = ?`
	caseEvents = `SELECT at, actor, state, note FROM case_event WHERE program = ? AND id = ? ORDER BY version`
	// caseAnswers finds the response by its identity: of a case, nothing else leads there.
	caseAnswers = `SELECT a.question, a.revision, a.kind, a.vals
FROM response AS r INDEXED BY response_by_submission CROSS JOIN answer AS a ON a.response = r.id
WHERE r.program = ? AND r.submission = ? ORDER BY a.question`
)

// querier is a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Case implements store.Cases.
func (s *Store) Case(ctx context.Context, program store.Key, id string) (out store.Case, err error) {
	parsed, err := commit.CaseID(id)
	if err == nil {
		err = s.read(ctx, s.feed, func(ctx context.Context, t *sql.Tx) error {
			number, err := numberOf(ctx, t, program)
			if err != nil {
				return err
			}
			record, err := readCase(ctx, t, number, parsed)
			out = record.Case
			return err
		})
	}
	if err != nil {
		return store.Case{}, fmt.Errorf("sqlite: case: %w", err)
	}
	out.Program = program
	return out, nil
}

// readCase reads a case with its answers and history.
func readCase(ctx context.Context, q querier, program int64, id uuid.UUID) (r commit.CaseRecord, err error) {
	if r, err = recordOf(ctx, q, program, id); err != nil {
		return r, err
	}
	if r.History, err = historyOf(ctx, q, program, id); err != nil {
		return r, err
	}
	r.History = append([]store.CaseEvent{commit.Opened(&r.Case)}, r.History...)
	if r.Submission != uuid.Nil {
		r.Answers, err = answersOf(ctx, q, program, r.Submission)
	}
	return r, err
}

func recordOf(ctx context.Context, q querier, program int64, id uuid.UUID) (commit.CaseRecord, error) {
	found, err := records(ctx, q, findCase, program, id[:])
	if err != nil {
		return commit.CaseRecord{}, err
	}
	if len(found) == 0 {
		return commit.CaseRecord{}, store.ErrNotFound
	}
	return found[0], nil
}

// records reads cases by a query for caseColumns.
func records(ctx context.Context, q querier, query string, args ...any) (found []commit.CaseRecord, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanCase(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, rows.Err()
}

func scanCase(rows *sql.Rows) (r commit.CaseRecord, err error) {
	var id, submission []byte
	var reasons string
	var opened, promised int64
	var contacted, resolved, informed, erased, expires sql.NullInt64
	if err := rows.Scan(&id, &promised, &r.Touchpoint, &r.Language, &reasons, &r.State, &opened, &contacted, &resolved,
		&informed, &r.Plan, &r.Version, &r.Contact, &erased, &r.RetentionDays, &expires, &submission); err != nil {
		return r, err
	}
	if r.Reasons, err = commit.DecodeValues(reasons); err != nil {
		return r, err
	}
	r.ID = uuid.UUID(id).String()
	copy(r.Submission[:], submission)
	r.OpenedAt, r.PromisedBy = time.UnixMicro(opened).UTC(), time.UnixMicro(promised).UTC()
	r.ContactedAt, r.ResolvedAt, r.InformedAt = timeOf(contacted), timeOf(resolved), timeOf(informed)
	r.ContactErasedAt, r.ExpiresAt = timeOf(erased), timeOf(expires)
	return r, nil
}

func timeOf(micros sql.NullInt64) time.Time {
	if !micros.Valid {
		return time.Time{}
	}
	return time.UnixMicro(micros.Int64).UTC()
}

func orNull(t time.Time) sql.NullInt64 {
	if t.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: t.UnixMicro(), Valid: true}
}

func historyOf(ctx context.Context, q querier, program int64, id uuid.UUID) (events []store.CaseEvent, err error) {
	rows, err := q.QueryContext(ctx, caseEvents, program, id[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var at int64
		var e store.CaseEvent
		if err := rows.Scan(&at, &e.By, &e.State, &e.Note); err != nil {
			return nil, err
		}
		e.At = time.UnixMicro(at).UTC()
		events = append(events, e)
	}
	return events, rows.Err()
}

func answersOf(ctx context.Context, q querier, program int64, submission uuid.UUID) (answers []store.Answer, err error) {
	rows, err := q.QueryContext(ctx, caseAnswers, program, submission[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var a store.Answer
		var vals string
		if err := rows.Scan(&a.Question, &a.Revision, &a.Kind, &vals); err != nil {
			return nil, err
		}
		if a.Values, err = commit.DecodeValues(vals); err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, rows.Err()
}

// ListCases implements store.Cases.
func (s *Store) ListCases(ctx context.Context, program store.Key, q store.CaseQuery) (page store.CasePage, err error) {
	list, err := commit.NewCaseList(q)
	if err == nil && len(list.States) > 0 {
		err = s.read(ctx, s.feed, func(ctx context.Context, t *sql.Tx) error {
			number, err := numberOf(ctx, t, program)
			if err != nil {
				return err
			}
			page, err = readCases(ctx, t, number, list)
			return err
		})
	}
	if err != nil {
		return store.CasePage{}, fmt.Errorf("sqlite: list cases: %w", err)
	}
	for i := range page.Cases {
		page.Cases[i].Program = program
	}
	return page, nil
}

func readCases(ctx context.Context, t *sql.Tx, program int64, list commit.CaseList) (store.CasePage, error) {
	query, args := listQuery(program, list)
	found, err := records(ctx, t, query, args...)
	if err != nil {
		return store.CasePage{}, err
	}
	cases := make([]store.Case, len(found))
	for i, r := range found {
		cases[i] = r.Case
	}
	page, more := list.Page(cases)
	if !more {
		return page, nil
	}
	query, args = countQuery(program, list.Behind(page))
	return page, t.QueryRowContext(ctx, query, args...).Scan(&page.Remaining)
}

// listQuery returns the query for one more than a page. Each state is a range of an index in the order of the list, and the
// ranges are merged: what it reads does not grow with how many cases there are.
func listQuery(program int64, list commit.CaseList) (string, []any) {
	parts, args := listParts(`SELECT `+caseColumns, program, list)
	return strings.Join(parts, "\nUNION ALL\n") + "\nORDER BY 2, 1 LIMIT ?6", args
}

func countQuery(program int64, list commit.CaseList) (string, []any) {
	parts, args := listParts(`SELECT count(*)`, program, list)
	return "SELECT (" + strings.Join(parts, ") + (") + ")", args
}

// listParts returns what is to be selected of a list, for each of its states. All that comes from the caller is in the
// arguments.
func listParts(selects string, program int64, list commit.CaseList) (parts []string, args []any) {
	args = []any{program, list.After.PromisedBy, list.After.ID[:], list.Until, list.Touchpoint, list.Limit + 1}
	from, where := `case_by_state`, ``
	if list.Touchpoint != nil {
		from, where = `case_by_touchpoint`, ` AND c.touchpoint = ?5`
	}
	for _, state := range list.States {
		args = append(args, state)
		parts = append(parts, fmt.Sprintf(`%s FROM customer_case AS c INDEXED BY %s
WHERE c.program = ?1%s AND c.state = ?%d AND (c.promised_by, c.id) > (?2, ?3) AND c.promised_by <= ?4`, selects, from, where, len(args)))
	}
	return parts, args
}
