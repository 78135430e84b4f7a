package postgres

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/storetest"
)

// TestMigrations fills the tables of every version so far as a program of that version would, and opens them.
func TestMigrations(t *testing.T) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("migrations: %v, %v", files, err)
	}
	for version := 1; version <= len(files); version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			data, err := os.ReadFile(fmt.Sprintf("testdata/versions/%05d.sql", version))
			if err != nil {
				t.Fatalf("every version needs its data: %v", err)
			}
			dsn := newSchema(t, server)
			migrateTo(t, dsn, int64(version))
			conn := connect(t, dsn)
			if _, err := conn.PgConn().Exec(context.Background(), string(data)).ReadAll(); err != nil {
				t.Fatal(err)
			}
			hangUp(t, conn)
			s := mustOpen(t, dsn, Options{})
			defer mustClose(t, s)
			if info, err := s.Info(context.Background()); err != nil || info.SchemaVersion != int64(len(files)) {
				t.Errorf("Info: %v, %v; want version %d", info, err, len(files))
			}
			retired := store.Response{ID: "00000000-0000-4000-8000-000000000003", Digest: [32]byte(bytes.Repeat([]byte{3}, 32))}
			if keeps(t, dsn, retired) {
				t.Error("the identity of what was retired is in clear")
			}
			storetest.Aged(t, s)
			if version >= 2 {
				storetest.AgedInvitations(t, s)
			}
			if version >= 4 {
				storetest.AgedCases(t, s)
			}
		})
	}
}

func migrateTo(t *testing.T, dsn string, version int64) {
	t.Helper()
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	db := stdlib.OpenDB(*config)
	defer db.Close()
	provider, err := newProvider(db)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(context.Background(), version); err != nil {
		t.Fatal(err)
	}
}

// TestNewerTables opens tables that a newer program has expanded, and then contracted.
func TestNewerTables(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	mustAppend(t, s, answered(1, "1"))
	mustClose(t, s)
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	mustExec(t, conn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	mustExec(t, conn, `ALTER TABLE submission ADD COLUMN later text DEFAULT 'x'`)
	mustExec(t, conn, `ALTER TABLE response ADD COLUMN later text`)

	s = mustOpen(t, dsn, Options{})
	mustAppend(t, s, answered(2, "1"))
	wantKept(t, s, 2)
	if info, err := s.Info(context.Background()); err != nil || info.SchemaVersion != 99 {
		t.Errorf("Info: %v, %v; want the tables' version", info, err)
	}
	// A program of the version before works on while they are expanded.
	mustExec(t, conn, `ALTER TABLE answer ADD COLUMN later text`)
	mustExec(t, conn, `ALTER TABLE response ADD COLUMN later_still text`)
	mustAppend(t, s, answered(3, "1"))
	if n := len(exportAll(t, s)); n != 3 {
		t.Errorf("Export has %d responses, want 3", n)
	}
	mustClose(t, s)

	mustExec(t, conn, `UPDATE meta SET oldest = 98`)
	for range 2 {
		if s, err := Open(context.Background(), dsn, Options{}); s != nil || err == nil || !strings.Contains(err.Error(), "needs version 98") &&
			!strings.Contains(err.Error(), "knows version 98") {
			t.Errorf("Open of tables that need a newer program: %v, %v", s, err)
		}
	}
}

// TestTombstonesOfMany has more retired submissions among others than one transaction of a migration rewrites.
func TestTombstonesOfMany(t *testing.T) {
	const n = 5000
	dsn := newSchema(t, server)
	migrateTo(t, dsn, 2)
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	mustExec(t, conn, `INSERT INTO program (namespace, name) SELECT 'airport', 'p' || i FROM generate_series(1, 3) AS i`)
	mustExec(t, conn, `INSERT INTO submission (program, id, digest, receipt, submitted_at)
		SELECT 1 + i % 3, ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, sha256(int4send(i)), 'R' || i, '1999-01-01 00:00+00'
		FROM generate_series(1, $1::int) AS i`, n)
	// Of the second program and the first thousands of the others nothing is retired.
	mustExec(t, conn, `INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language)
		SELECT program, submitted_at, id, '', '', '' FROM submission WHERE program = 2 OR receipt < 'R3'`)
	kept := ask(t, dsn, `SELECT count(*)::text FROM response`)
	migrateTo(t, dsn, 3)
	migrateTo(t, dsn, 3)
	if got := ask(t, dsn, `SELECT count(*) || ' of ' || count(*) + (SELECT count(*) FROM erased) FROM submission`); got != fmt.Sprint(kept, " of ", n) {
		t.Errorf("submissions that are kept: %s, want %s of %d", got, kept, n)
	}
	if got := ask(t, dsn, `SELECT count(*)::text FROM submission AS s FULL JOIN response AS r ON r.program = s.program AND r.submission = s.id
		WHERE s.id IS NULL OR r.submission IS NULL`); got != "0" {
		t.Errorf("%s submissions or responses are without the other", got)
	}
}

// TestVersionBefore runs the statements with which a program of the version before works on, beside one of this.
func TestVersionBefore(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	link := store.Invitation{Program: program, ID: storetest.ID("link", 1), InvitedAt: noon, ExpiresAt: noon.AddDate(0, 0, 1)}
	if _, err := s.Invite(context.Background(), []store.Invitation{link}, store.Fatigue{}); err != nil {
		t.Fatal(err)
	}
	suspect := answered(1, "1")
	suspect.Standing, suspect.Failed = store.StandingSuspect, []string{"page"}
	annulled := answered(2, "2")
	annulled.Standing = store.StandingAnnulled
	mustAppend(t, s, suspect, annulled, answered(3, "3"), answered(4, "4"))
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	id := storetest.ID("before", 5)
	for _, query := range []string{
		`BEGIN`,
		`INSERT INTO submission (program, id, digest, receipt, submitted_at) VALUES (1, '` + id + `', sha256('5'), 'R5', '2026-05-04 12:00+00')`,
		`INSERT INTO response (program, submitted_at, submission, touchpoint, unit, language) VALUES (1, '2026-05-04 12:00+00', '` + id + `', '', '', '')`,
		`INSERT INTO answer (program, submitted_at, submission, question, revision, kind, vals)
			VALUES (1, '2026-05-04 12:00+00', '` + id + `', 'recommend', 1, 'scale', '["5"]')`,
		`SELECT nextval('commit_seq')`,
		`INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, slot, seq)
			VALUES (1, '', '', 'recommend', 1, 493860, '5', 1, 7, currval('commit_seq'))`,
		`INSERT INTO progress (program, slot, seq) VALUES (1, 7, currval('commit_seq'))`,
		`COMMIT`,
	} {
		mustExec(t, conn, query)
	}
	wantKept(t, s, 5)
	// It erases one, and retires all others but the last.
	const doomed = ` WHERE program = 1 AND submitted_at >= '2026-05-04 12:00+00' AND submitted_at <= '2026-05-04 12:00+00' AND submission = ANY ($1::uuid[])`
	const counted = doomed + ` AND answered_at >= '2026-05-04 12:00+00' AND answered_at <= '2026-05-04 12:00+00' GROUP BY 1, 2, 3, 4, 5, 6, 7
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET `
	for _, c := range []struct {
		ids   []string
		count string
	}{
		{[]string{storetest.ID("answered", 4)}, `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, seq)
			SELECT program, touchpoint, unit, question, revision, hour, value, 7, -count(*), currval('commit_seq') FROM counted` + counted +
			`n = rollup.n + excluded.n, seq = excluded.seq`},
		{[]string{suspect.ID, annulled.ID, id}, `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, slot, n, retired, seq)
			SELECT program, touchpoint, unit, question, revision, hour, value, 7, 0, count(*), 0 FROM counted` + counted +
			`retired = rollup.retired + excluded.retired`},
	} {
		mustExec(t, conn, c.count, c.ids)
		mustExec(t, conn, `DELETE FROM answer`+doomed, c.ids)
		mustExec(t, conn, `DELETE FROM response`+doomed, c.ids)
	}
	wantKept(t, s, 1)
	mustAppend(t, s, answered(3, "3"), suspect)
	wantKept(t, s, 1)
}

// TestFeedOfVersionBefore has a program of the version before change counts of this one, of the same slot, and wants the feed to
// tell them once.
func TestFeedOfVersionBefore(t *testing.T) {
	dsn := newSchema(t, server)
	s := mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	conn := connect(t, dsn)
	defer hangUp(t, conn)
	cursor := store.Cursor{}
	for n := range 70 { // beyond the last of 64 numbers
		mustAppend(t, s, answered(2*n, "1"), answered(2*n+1, "2"))
		cursor = wantCounts(t, s, cursor, map[string]int64{"1": int64(2*n + 1), "2": int64(n + 1)})
		mustExec(t, conn, `SELECT nextval('commit_seq')`)
		mustExec(t, conn, `UPDATE rollup SET n = n + 1, seq = currval('commit_seq') WHERE value = '1'`)
		mustExec(t, conn, `UPDATE progress SET seq = currval('commit_seq')`)
		cursor = wantCounts(t, s, cursor, map[string]int64{"1": int64(2*n + 2)})
	}
}

// wantCounts reads what changed since a cursor, twice, and wants the counts by their values, and then nothing.
func wantCounts(t *testing.T, s *Store, since store.Cursor, want map[string]int64) store.Cursor {
	t.Helper()
	got := map[string]int64{}
	page := mustRead(t, s, since)
	for _, c := range page.Counts {
		got[c.Value] = c.N
	}
	if diff := cmp.Diff(want, got); diff != "" || page.More {
		t.Errorf("since %v, more %t (-want +got):\n%s", since, page.More, diff)
	}
	if again := mustRead(t, s, page.Next); len(again.Counts) > 0 {
		t.Errorf("since %v, where nothing changed: %v", page.Next, again.Counts)
	}
	return page.Next
}
