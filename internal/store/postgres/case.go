package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	caseColumns = `c.id, c.promised_by, c.touchpoint, c.language, c.reasons, c.state, c.opened_at, c.contacted_at, c.resolved_at,
		c.informed_at, c.plan, c.version, c.contact, c.contact_erased_at, c.retention_days, c.expires_at, c.submission`
	findCase   = `SELECT ` + caseColumns + ` FROM customer_case AS c WHERE c.program = $1 AND c.id = $2`
	caseEvents = `SELECT at, actor, state, note FROM case_event WHERE program = $1 AND id = $2 ORDER BY version`
	// caseAnswers finds the response by its identity: of a case, nothing else leads there.
	caseAnswers = `SELECT question, revision, kind, vals::text FROM answer
		WHERE program = $1 AND submitted_at = $2 AND submission = $3 ORDER BY question`
)

// readCases runs fn in a transaction that sees one state of the database, and takes a moment.
func (s *Store) readCases(ctx context.Context, key store.Key, fn func(ctx context.Context, t pgx.Tx, program int32) error) error {
	return s.reading(ctx, func(ctx context.Context) error {
		return pgx.BeginTxFunc(ctx, s.pool, snapshot, func(t pgx.Tx) error {
			program, err := findProgram(ctx, t, key)
			if err != nil {
				return err
			}
			return fn(ctx, t, program)
		})
	})
}

// Case implements store.Cases.
func (s *Store) Case(ctx context.Context, program store.Key, id string) (out store.Case, err error) {
	parsed, err := commit.CaseID(id)
	if err == nil {
		err = s.readCases(ctx, program, func(ctx context.Context, t pgx.Tx, number int32) error {
			found, err := records(ctx, t, findCase, number, uuidOf(parsed))
			if err != nil {
				return err
			}
			if len(found) == 0 {
				return store.ErrNotFound
			}
			out, err = complete(ctx, t, number, found[0])
			return err
		})
	}
	if err != nil {
		return store.Case{}, wrap("case", err)
	}
	out.Program = program
	return out, nil
}

func uuidOf(id uuid.UUID) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }

// complete adds its answers and history to a case.
func complete(ctx context.Context, q querier, program int32, r commit.CaseRecord) (store.Case, error) {
	rows, err := q.Query(ctx, caseEvents, program, uuidOf(uuid.MustParse(r.ID)))
	if err != nil {
		return store.Case{}, err
	}
	events, err := pgx.CollectRows(rows, scanEvent)
	if err != nil {
		return store.Case{}, err
	}
	r.History = append([]store.CaseEvent{commit.Opened(&r.Case)}, events...)
	if r.Submission == uuid.Nil {
		return r.Case, nil
	}
	if rows, err = q.Query(ctx, caseAnswers, program, r.OpenedAt, uuidOf(r.Submission)); err != nil {
		return store.Case{}, err
	}
	answers, err := pgx.CollectRows(rows, scanCaseAnswer)
	if len(answers) > 0 {
		r.Answers = answers
	}
	return r.Case, err
}

func scanEvent(row pgx.CollectableRow) (e store.CaseEvent, err error) {
	err = row.Scan(&e.At, &e.By, &e.State, &e.Note)
	e.At = e.At.UTC()
	return e, err
}

func scanCaseAnswer(row pgx.CollectableRow) (a store.Answer, err error) {
	var vals string
	if err := row.Scan(&a.Question, &a.Revision, &a.Kind, &vals); err != nil {
		return a, err
	}
	a.Values, err = commit.DecodeValues(vals)
	return a, err
}

// records reads cases by a query for caseColumns.
func records(ctx context.Context, q querier, query string, args ...any) ([]commit.CaseRecord, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanCase)
}

func scanCase(row pgx.CollectableRow) (r commit.CaseRecord, err error) {
	var id, submission pgtype.UUID
	var reasons string
	var contacted, resolved, informed, erased, expires *time.Time
	if err := row.Scan(&id, &r.PromisedBy, &r.Touchpoint, &r.Language, &reasons, &r.State, &r.OpenedAt, &contacted, &resolved,
		&informed, &r.Plan, &r.Version, &r.Contact, &erased, &r.RetentionDays, &expires, &submission); err != nil {
		return r, err
	}
	if r.Reasons, err = commit.DecodeValues(reasons); err != nil {
		return r, err
	}
	r.ID, r.Submission = uuid.UUID(id.Bytes).String(), submission.Bytes
	r.OpenedAt, r.PromisedBy = r.OpenedAt.UTC(), r.PromisedBy.UTC()
	r.ContactedAt, r.ResolvedAt, r.InformedAt = timeOf(contacted), timeOf(resolved), timeOf(informed)
	r.ContactErasedAt, r.ExpiresAt = timeOf(erased), timeOf(expires)
	return r, nil
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// ListCases implements store.Cases.
func (s *Store) ListCases(ctx context.Context, program store.Key, q store.CaseQuery) (page store.CasePage, err error) {
	list, err := commit.NewCaseList(q)
	if err == nil && len(list.States) > 0 {
		err = s.readCases(ctx, program, func(ctx context.Context, t pgx.Tx, number int32) (err error) {
			page, err = listCases(ctx, t, number, list)
			return err
		})
	}
	if err != nil {
		return store.CasePage{}, wrap("list cases", err)
	}
	for i := range page.Cases {
		page.Cases[i].Program = program
	}
	return page, nil
}

func listCases(ctx context.Context, t pgx.Tx, program int32, list commit.CaseList) (store.CasePage, error) {
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
	return page, t.QueryRow(ctx, query, args...).Scan(&page.Remaining)
}

// listQuery returns the query for one more than a page. Each state is a range of an index in the order of the list, of which no
// more than a page is read: what it costs does not grow with how many cases there are.
func listQuery(program int32, list commit.CaseList) (string, []any) {
	parts, args := listParts(`SELECT `+caseColumns, program, list)
	args = append(args, list.Limit+1)
	end := fmt.Sprintf(" ORDER BY promised_by, id LIMIT $%d", len(args))
	return "SELECT * FROM ((" + strings.Join(parts, end+") UNION ALL (") + end + ")) AS l" + end, args
}

func countQuery(program int32, list commit.CaseList) (string, []any) {
	parts, args := listParts(`SELECT count(*)`, program, list)
	return "SELECT (" + strings.Join(parts, ") + (") + ")", args
}

// listParts returns what is to be selected of a list, for each of its states. All that comes from the caller is in the
// arguments.
func listParts(selects string, program int32, list commit.CaseList) (parts []string, args []any) {
	args = []any{program, boundary(list.After.PromisedBy), uuidOf(list.After.ID), boundary(list.Until)}
	where := ``
	if list.Touchpoint != nil {
		args = append(args, *list.Touchpoint)
		where = ` AND c.touchpoint = $5`
	}
	for _, state := range list.States {
		args = append(args, state)
		parts = append(parts, fmt.Sprintf(`%s FROM customer_case AS c
			WHERE c.program = $1%s AND c.state = $%d AND (c.promised_by, c.id) > ($2, $3) AND c.promised_by <= $4`, selects, where, len(args)))
	}
	return parts, args
}
