package postgres

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

func TestErrorsAreClassified(t *testing.T) {
	code := func(c string) error { return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: c, ConstraintName: "c"}) }
	for name, c := range map[string]struct {
		err                 error
		away, lost, clashed bool
	}{
		"no connection":           {errors.New("dial: connection refused"), true, true, false},
		"time is up":              {context.DeadlineExceeded, true, true, false},
		"connection failure":      {code("08006"), true, true, false},
		"shutdown":                {code("57P01"), true, true, false},
		"starting up":             {code("57P03"), true, true, false},
		"idle in a transaction":   {code("25P03"), true, true, false},
		"a standby":               {code("25006"), true, true, false},
		"disk full":               {code("53100"), true, false, false},
		"too many connections":    {code("53300"), true, false, false},
		"a statement's time":      {code("57014"), true, false, false},
		"a lock's time":           {code("55P03"), true, false, false},
		"deadlock":                {code("40P01"), true, false, true},
		"serialization":           {code("40001"), true, false, true},
		"no such table":           {code("42P01"), true, false, false},
		"not permitted":           {code("42501"), true, false, false},
		"I/O":                     {code("58030"), true, false, false},
		"corrupted":               {code("XX001"), true, false, false},
		"zero byte":               {code("22021"), false, false, false},
		"time out of range":       {code("22008"), false, false, false},
		"check":                   {code("23514"), false, false, false},
		"duplicate":               {code("23505"), false, false, false},
		"too long for an index":   {code("54000"), false, false, false},
		"no partition of the row": {&pgconn.PgError{Code: "23514"}, true, false, false},
	} {
		if got := away(c.err); got != c.away {
			t.Errorf("%s: away %t", name, got)
		}
		if got := lost(c.err); got != c.lost {
			t.Errorf("%s: lost %t", name, got)
		}
		if got := clashed(c.err); got != c.clashed {
			t.Errorf("%s: clashed %t", name, got)
		}
	}
}

func TestWhole(t *testing.T) {
	for _, n := range []int64{0, 1, 5, math.MaxInt32, math.MaxInt32 + 1, math.MaxUint32, math.MaxUint32 + 1, 1<<40 + 7} {
		for _, d := range []int64{0, 1, 2, 1000, 1 << 30} {
			for _, near := range []int64{n + d, n - d} {
				if got := whole(near, n&math.MaxUint32); got != n {
					t.Errorf("the number near %d that ends like %d is %d", near, n, got)
				}
			}
		}
	}
}

// TestFeedBeyondHalfNumbers has numbers pass the half that a lock's name holds.
func TestFeedBeyondHalfNumbers(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	conn := connect(t, dsn)
	mustExec(t, conn, `SELECT setval('commit_seq', $1)`, int64(math.MaxUint32-2))
	p, want := mustRead(t, s, mustRead(t, s, store.Cursor{}).Next), int64(0)
	for i := range 6 {
		mustAppend(t, s, answered(i, "1"))
		want++
		// A transaction of another under way, that took its lock but has no number yet.
		mustExec(t, conn, "BEGIN")
		mustExec(t, conn, lockLowerBound)
		if p = mustRead(t, s, p.Next); len(p.Counts) != 1 || p.Counts[0].N != want || p.Next.Seq != math.MaxUint32-1+int64(i) {
			t.Errorf("page after commit %d: %+v", i, p)
		}
		mustExec(t, conn, "COMMIT")
	}
	hangUp(t, conn)
}

func TestSession(t *testing.T) {
	dsn := newSchema(t, server) + "&synchronous_commit=off&statement_timeout=1h"
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	ctx := context.Background()
	for name, want := range map[string]string{
		"synchronous_commit": "on", "statement_timeout": "20s", "lock_timeout": "10s", "timezone": "UTC",
		"idle_in_transaction_session_timeout": "30s", "application_name": "cx-operator",
	} {
		var writer, reader string
		query := `SELECT current_setting($1)`
		err := errors.Join(s.writer.conn.QueryRow(ctx, query, name).Scan(&writer), s.pool.QueryRow(ctx, query, name).Scan(&reader))
		if err != nil || writer != want || reader != want {
			t.Errorf("%s is %q for the writer and %q for readers, %v; want %q", name, writer, reader, err, want)
		}
	}
	// A store takes no more connections than it says.
	for i := range 5 {
		mustAppend(t, s, answered(i, "1"))
		mustRead(t, s, store.Cursor{})
		wantKept(t, s, i+1)
	}
	if total := s.pool.Stat().MaxConns(); total != defaultPoolSize {
		t.Errorf("the pool may have %d connections, want %d", total, defaultPoolSize)
	}
}

func TestOpenRefuses(t *testing.T) {
	ctx := context.Background()
	conn := connect(t, server.DSN(nil))
	n := fmt.Sprint(schemas.Add(1))
	mustExec(t, conn, `CREATE DATABASE ascii`+n+` ENCODING 'SQL_ASCII' TEMPLATE template0`)
	mustExec(t, conn, `CREATE ROLE reader`+n+` LOGIN`)
	hangUp(t, conn)
	for name, c := range map[string]struct{ dsn, says string }{
		"another encoding":  {strings.Replace(server.DSN(nil), "/postgres?", "/ascii"+n+"?", 1), "UTF8"},
		"no such database":  {strings.Replace(server.DSN(nil), "/postgres?", "/nowhere?", 1), "nowhere"},
		"no permission":     {strings.Replace(server.DSN(nil), "user=postgres", "user=reader"+n, 1), "permission denied"},
		"no schema to use":  {server.DSN(map[string]string{"search_path": "nowhere"}), "no schema"},
		"not understood":    {"postgres://%zz", "parse"},
		"no server's port":  {"host=127.0.0.1 port=1", "127.0.0.1"},
		"connection closed": {"host=/dev/null", "/dev/null"},
	} {
		if s, err := Open(ctx, c.dsn, Options{}); s != nil || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v; want an error with %q", name, s, err, c.says)
		}
	}
}

// TestPlans wants the queries whose cost must not grow with the whole database to follow indexes, and those that read no
// more than they need of an order not to sort first.
func TestPlans(t *testing.T) {
	ctx := context.Background()
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	for i := range 4 {
		many := make([]store.Response, 0, 2000)
		for n := range 2000 {
			many = append(many, at(i*2000+n, noon.AddDate(0, -n%24, i)))
		}
		mustAppend(t, s, many...)
	}
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	mustExec(t, conn, `INSERT INTO customer_case (program, id, touchpoint, language, reasons, state, opened_at, promised_by, submission, receipt,
			contact, contact_hash, retention_days, told)
		SELECT 1, uuid_in(md5(n::text)::cstring), '', '', '[]', (ARRAY['Open', 'Contacted', 'Resolved', 'Informed'])[1 + n % 4], $1::timestamptz,
			$1::timestamptz + n * interval '1 hour', uuid_in(md5('s' || n)::cstring), 'R' || n, '\x00', sha256(int4send(n)), 30, n % 100 > 0
		FROM generate_series(1, 8000) AS n`, noon)
	mustExec(t, conn, `INSERT INTO case_notice (program, id, transition, at, state) SELECT 1, id, 'Opened', opened_at, 'Delivered' FROM customer_case`)
	mustExec(t, conn, `ANALYZE`)
	id, ids, times := storetest.ID("answered", 1), []string{storetest.ID("answered", 1)}, []time.Time{noon}
	some := []any{1, times, ids, noon, noon}
	all := []any{1, noon, noon.AddDate(1, 0, 0), "annulled", nil, nil, "", ""}
	gate := "gate"
	list := commit.CaseList{States: []string{"Open", "Contacted"}, After: commit.CasePlace{PromisedBy: math.MinInt64}, Until: math.MaxInt64, Limit: 10}
	listed, listArgs := listQuery(1, list)
	behind, behindArgs := countQuery(1, list)
	list.Touchpoint = &gate
	listedAt, listAtArgs := listQuery(1, list)
	for name, c := range map[string]struct {
		query string
		args  []any
		sorts bool
	}{
		"case":                   {holdCase, []any{1, id}, false},
		"case's events":          {caseEvents, []any{1, id}, false},
		"case's answers":         {caseAnswers, []any{1, noon, id}, true},
		"cases":                  {listed, listArgs, true},
		"cases of a touchpoint":  {listedAt, listAtArgs, true},
		"behind cases":           {behind, behindArgs, false},
		"set case":               {setCase, []any{1, id, 1, "Open", nil, nil, nil, "", 2, nil}, false},
		"trim events":            {trimEvent, []any{1, id, 99}, false},
		"contacts by receipt":    {contactReceipt, []any{1, "R1", deleteBatch}, false},
		"contacts by hash":       {contactHash, []any{1, make([]byte, 32), deleteBatch}, false},
		"contacts that expired":  {contactExpired, []any{1, noon, deleteBatch}, false},
		"leave cases":            {leaveCases, []any{1, ids}, true},
		"untended":               {untended, []any{1, noon, noon}, false},
		"untold":                 {holdUntold, []any{1, noon, deleteBatch}, false},
		"drop delivered notices": {dropDelivered, []any{1, noon, deleteBatch}, false},
		"notices":                {findNotices, []any{1, "Pending", 0, 10}, false},
		"page end":               {pageEnd, []any{7000, 10}, true},
		"changed counts":         {changedCounts, []any{7, 8}, true},
		"more":                   {moreThan, []any{7}, false},
		"export":                 {exportResponses, []any{1, noon, id, exportChunk}, true},
		"export's answers":       {exportAnswers, []any{1, noon, id, noon, id}, true},
		"expired":                {expired, []any{1, noon, deleteBatch}, false},
		"delete answers":         {deleteAnswers, some, true},
		"delete responses":       {deleteResponses, some, true},
		"fold":                   {foldRetired, append(some[:5:5], 0), true},
		"count responses":        {countResponses, append(some[:5:5], 0, 1), true},
		"bury":                   {buryIdentities, []any{1, ids}, true},
		"by receipt":             {byReceipt, []any{1, "R1"}, true},
		"erased receipt":         {erasedByReceipt, []any{1, "R1"}, true},
		"submissions":            {findSubmissions, []any{[]int{1}, ids}, true},
		"chosen after":           {chosenAfter, append(all[:8:8], id, deleteBatch), false},
		"chosen of":              {chosenOf, append(all[:8:8], some[1:]...), true},
		"give standing":          {giveStanding, append(some[:5:5], "annulled"), true},
		"pasts":                  {pasts, []any{[][]byte{make([]byte, 32)}}, true},
		"old visits":             {oldVisits, []any{1, noon, deleteBatch}, false},
		"old invitations":        {oldInvitations, []any{1, noon, id, noon, noon, deleteBatch}, false},
		"held visits":            {holdVisits, []any{1, ids, noon}, true},
		"fold visits":            {foldVisits, []any{1, ids, 0}, true},
		"fold invitations":       {foldInvitations, []any{1, ids, 0}, true},
	} {
		// What is read whole then, is so for want of an index, and not because it is small.
		mustExec(t, conn, `SET enable_seqscan = off`)
		mustExec(t, conn, `SET plan_cache_mode = force_generic_plan`)
		rows, err := conn.Query(ctx, "EXPLAIN "+c.query, c.args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		plan := strings.Join(lines, "\n")
		for _, table := range []string{"rollup", "submission", "response", "answer", "erased", "invitation", "visit", "customer_case", "case_notice", "case_event"} {
			if strings.Contains(plan, "Seq Scan on "+table) {
				t.Errorf("%s reads a whole table:\n%s", name, plan)
				break
			}
		}
		// A list sorts what its states have of a page, and nothing within a state.
		if strings.HasPrefix(name, "cases") && (strings.Count(plan, "Sort  (cost") > 1 || strings.Contains(plan, "Bitmap")) {
			t.Errorf("%s reads more than a page:\n%s", name, plan)
		}
		if !c.sorts && strings.Contains(plan, "Sort  (cost") {
			t.Errorf("%s sorts:\n%s", name, plan)
		}
	}
}
