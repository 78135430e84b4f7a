package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Restored says what a restore did.
type Restored struct {
	Contents
	// Aside is where the replaced file is; empty where there was none.
	Aside string
	// Erased is how many responses were erased again that were erased in the replaced file; NotErased says why it is not
	// known what was.
	Erased    int
	NotErased error
}

// Restore puts a backup in the place of the store in the file path, which nobody may have open (store.ErrLocked), and
// moves the replaced file aside. The backup is checked as Inspect does and is not changed. Responses, and contacts of cases,
// that were erased since the backup are erased again, as far as the replaced file can be read.
//
// Readers of the feed start anew, since every opening of a store is an epoch of its own. Answers that were acknowledged
// after the backup are only in the file that was moved aside.
func Restore(ctx context.Context, from, path string, now time.Time) (Restored, error) {
	contents, err := Inspect(ctx, from)
	if err != nil {
		return Restored{}, fmt.Errorf("sqlite: restoring %s: %w", from, err)
	}
	if path, err = place(path); err != nil {
		return Restored{}, fmt.Errorf("sqlite: restore: %w", err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return Restored{}, fmt.Errorf("sqlite: locking %s: %w", path, err)
	}
	if !locked {
		return Restored{}, fmt.Errorf("sqlite: %s: %w", path, store.ErrLocked)
	}
	out, err := restore(ctx, from, path, now)
	out.Contents = contents
	if err = errors.Join(err, lock.Unlock()); err != nil {
		return Restored{}, fmt.Errorf("sqlite: restoring %s: %w", path, err)
	}
	return out, nil
}

// place returns the real path of a file that need not be there; its folder is made.
func place(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return path, nil
	}
	return real, err
}

func restore(ctx context.Context, from, path string, now time.Time) (Restored, error) {
	var out Restored
	incoming := path + ".restoring"
	if err := removeStore(incoming); err != nil { // of a restore that was broken off
		return out, err
	}
	defer func() { _ = removeStore(incoming) }() // after a failure: there is nothing left to tell
	if err := copyFile(from, incoming); err != nil {
		return out, err
	}
	_, err := os.Stat(path)
	replaces := err == nil
	var gone []tombstone
	var without []emptied
	if replaces {
		gone, without, out.NotErased = erasures(ctx, path)
	}
	if out.Erased, err = eraseAgain(ctx, incoming, gone, without); err != nil {
		return out, err
	}
	if replaces {
		if out.Aside, err = setAside(ctx, path, now); err != nil {
			return out, err
		}
	}
	if err := os.Rename(incoming, path); err != nil {
		return out, err
	}
	return out, syncFolder(filepath.Dir(path))
}

// removeStore removes a file and what SQLite and a Store leave beside it.
func removeStore(path string) error {
	var errs []error
	for _, suffix := range []string{"", "-wal", "-shm", "-journal", ".lock"} {
		if err := os.Remove(path + suffix); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // it was only read
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

// tombstone is what is left of a response that was erased.
type tombstone struct {
	program store.Key
	receipt string
}

// Before version 3, what was retired left no tombstone.
const (
	erasedAll  = `SELECT p.namespace, p.name, e.receipt FROM erased AS e JOIN program AS p ON p.id = e.program`
	erasedOnly = erasedAll + ` WHERE e.retired = 0`
)

// emptied is a case whose contact was erased.
type emptied struct {
	program store.Key
	id      uuid.UUID
	at      int64
}

const emptiedCases = `SELECT p.namespace, p.name, c.id, c.contact_erased_at FROM customer_case AS c JOIN program AS p ON p.id = c.program
WHERE c.contact_erased_at IS NOT NULL`

// erasures reads what was erased from a store that nobody has open. A store from before there was erasure, or cases, has none.
func erasures(ctx context.Context, path string) (gone []tombstone, without []emptied, err error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "_pragma": {"query_only(ON)", "trusted_schema(OFF)"}}))
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var tables, columns, cases int
	if err := db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM sqlite_schema WHERE name = 'erased'),
		(SELECT count(*) FROM pragma_table_info('erased') WHERE name = 'retired'),
		(SELECT count(*) FROM sqlite_schema WHERE name = 'customer_case')`).Scan(&tables, &columns, &cases); err != nil || tables == 0 {
		return nil, nil, err
	}
	query := erasedOnly
	if columns == 0 {
		query = erasedAll
	}
	if gone, err = tombstones(ctx, db, query); err != nil || cases == 0 {
		return gone, nil, err
	}
	without, err = emptyCases(ctx, db)
	return gone, without, err
}

func tombstones(ctx context.Context, db *sql.DB, query string) (gone []tombstone, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t tombstone
		if err := rows.Scan(&t.program.Namespace, &t.program.Name, &t.receipt); err != nil {
			return nil, err
		}
		gone = append(gone, t)
	}
	return gone, rows.Err()
}

func emptyCases(ctx context.Context, db *sql.DB) (without []emptied, err error) {
	rows, err := db.QueryContext(ctx, emptiedCases)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e emptied
		if err := rows.Scan(&e.program.Namespace, &e.program.Name, &e.id, &e.at); err != nil {
			return nil, err
		}
		without = append(without, e)
	}
	return without, rows.Err()
}

// eraseAgain opens the file, which brings its tables up to date, and erases what it still has of the tombstones' responses
// and of the cases' contacts, which come first, so that they keep the time at which they were erased.
func eraseAgain(ctx context.Context, path string, gone []tombstone, without []emptied) (erased int, err error) {
	s, err := Open(ctx, path, Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, e := range without {
		if _, err := s.EraseContacts(ctx, e.program, "", nil, e.id.String(), time.UnixMicro(e.at)); err != nil {
			return 0, err
		}
	}
	before, err := s.countErased(ctx)
	if err != nil {
		return 0, err
	}
	for _, t := range gone {
		if _, err := s.Erase(ctx, t.program, t.receipt); err != nil {
			return 0, err
		}
	}
	after, err := s.countErased(ctx)
	return after - before, err
}

func (s *Store) countErased(ctx context.Context) (n int, err error) {
	err = s.read(ctx, s.bulk, func(ctx context.Context, t *sql.Tx) error {
		return t.QueryRowContext(ctx, `SELECT count(*) FROM erased WHERE retired = 0`).Scan(&n)
	})
	return n, err
}

// setAside gives the file another name. Its log goes first, because SQLite would take it into any file of that name; of a
// sound file, it is taken into the file before.
func setAside(ctx context.Context, path string, now time.Time) (string, error) {
	checkpoint(ctx, path)
	aside := path + ".replaced-" + now.UTC().Format("20060102T150405Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if _, err := os.Lstat(path + suffix); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := absent(aside + suffix); err != nil {
			return "", err
		}
		if err := os.Rename(path+suffix, aside+suffix); err != nil {
			return "", err
		}
	}
	return aside, syncFolder(filepath.Dir(path))
}

// checkpoint takes the log into the file. Where the file is damaged it cannot, and the log stays beside it.
func checkpoint(ctx context.Context, path string) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"trusted_schema(OFF)"}}))
	if err != nil {
		return
	}
	_, _ = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	_ = db.Close()
}
