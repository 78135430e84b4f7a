package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// following reads a store's counts into the book until there are n answers, as the operator does.
func following(t *testing.T, s store.Feed, book *rollup.Book, n int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	changed := make(chan struct{}, 1)
	f := &rollup.Follower{Source: "nhs/answers", Feed: s, Book: book, Clock: time.Now, Log: logr.Discard(), Changed: func([]rollup.Place) {
		select {
		case changed <- struct{}{}:
		default:
		}
	}}
	done := make(chan error, 1)
	go func() { done <- f.Run(ctx) }()
	for answersIn(book) != n {
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("the book has %d answers, want %d", answersIn(book), n)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func answersIn(book *rollup.Book) int64 {
	return book.Window(rollup.Query{Program: surgeriesKey, ProgramWide: true, Question: "experience", Revision: 1, From: 0, To: 1 << 30}).Ever
}

// TestBackupAndRestore goes through what docs/backup.md says: a backup while the endpoint runs, more answers, a restore,
// and the operator's figures follow.
func TestBackupAndRestore(t *testing.T) {
	e := newEndpointHere(t)
	write(t, "visits.csv", visits)
	const imports = "import visits.csv $TO --token-file import-token --mapping mapping.yaml --survey program.yaml"
	e.want(imports, 0, "39 stored")
	e.want("backup --store "+e.path+" --to backup.sqlite", 0, "39 responses of 1 programs", "checked in backup.sqlite")
	e.want("backup --store "+e.path+" --to backup.sqlite", 2, "is there already, and is not overwritten")
	e.want("backup --store none --to other.sqlite", 1, "no such file")
	e.want("backup --store postgres://me:secret@db/x --to other.sqlite", 2, "for PostgreSQL use pg_dump")
	e.want("restore --store postgresql://me:secret@db/x --from backup.sqlite", 2, "for PostgreSQL use pg_dump")
	write(t, "visits.csv", visits+"2023-07-16,The Chelsea Practice,Unlikely,4\n")
	e.want(imports, 0, "4 stored, 39 there before")
	book := rollup.NewBook()
	following(t, e.store, book, 43)

	code, out, errOut := e.command("backup --store " + e.path + " --to -")
	if code != 0 || !strings.HasPrefix(out, "SQLite format 3\x00") || !strings.Contains(errOut, "43 responses") {
		t.Errorf("%d %s", code, errOut)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(e.path), ".backup-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	e.want("restore --from backup.sqlite --store "+e.path, 1, "stop what serves it first")
	if err := e.store.Close(); err != nil {
		t.Fatal(err)
	}
	e.want("restore --from visits.csv --store "+e.path, 1, "restoring visits.csv")
	e.want("restore --from backup.sqlite --store "+e.path, 0, "39 responses of 1 programs", "the file before is "+e.path+".replaced-")

	s, err := sqlite.Open(t.Context(), e.path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	following(t, s, book, 39)
	e.store = s
	if got := e.counted(); got["chelsea 2"] != 0 || got["earls-court 5"] != 28 {
		t.Errorf("%v", got)
	}
	if err := os.WriteFile("streamed.sqlite", []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err := sqlite.Inspect(t.Context(), "streamed.sqlite"); err != nil || c.Responses != 43 {
		t.Errorf("%+v, %v", c, err)
	}
	var said bytes.Buffer
	for _, c := range []struct {
		in   string
		code int
	}{{out[:len(out)-4096], 1}, {out, 0}} {
		if code := Main(t.Context(), []string{"restore", "--from", "-", "--store", "new/streamed.sqlite"}, strings.NewReader(c.in), &said, &said); code != c.code {
			t.Errorf("a restore of %d bytes of %d ends with %d: %s", len(c.in), len(out), code, said.String())
		}
	}
	if left, err := filepath.Glob("new/.*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// A backup that cannot be written to its end says so.
func TestBackupToABrokenPipe(t *testing.T) {
	e := newEndpointHere(t)
	var errOut bytes.Buffer
	if code := Main(t.Context(), []string{"backup", "--store", e.path, "--to", "-"}, nil, brokenPipe{}, &errOut); code != 1 || !strings.Contains(errOut.String(), "not complete") {
		t.Errorf("%d %s", code, errOut.String())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }
