package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Contents says what a file holds, after it was checked.
type Contents struct {
	// SchemaVersion is the number of the last migration.
	SchemaVersion int64
	// Programs and Responses that are kept.
	Programs, Responses int64
	// Bytes is the file's size.
	Bytes int64
}

// Backup copies the store in the file path to the file to, as of one commit, while the store may be open and be written
// to. The copy holds nothing of what was deleted. It is checked as Inspect does, and gets its name, which must not be
// taken, only when it is whole and on disk. While it is made, the store's log cannot be taken into its file and grows.
func Backup(ctx context.Context, path, to string) (Contents, error) {
	if err := absent(to); err != nil {
		return Contents{}, err
	}
	if info, err := os.Stat(path); err != nil {
		return Contents{}, err
	} else if !info.Mode().IsRegular() || info.Size() == 0 {
		return Contents{}, fmt.Errorf("sqlite: backup: %s is no store", path)
	}
	partial, err := os.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*.partial")
	if err != nil {
		return Contents{}, err
	}
	defer func() { _ = os.Remove(partial.Name()) }() // its other name stays, if it got one
	err = vacuumInto(ctx, path, partial.Name())
	if err = errors.Join(err, partial.Sync(), partial.Close()); err != nil {
		return Contents{}, fmt.Errorf("sqlite: backup of %s: %w", path, err)
	}
	contents, err := Inspect(ctx, partial.Name())
	if err != nil {
		return Contents{}, fmt.Errorf("sqlite: backup of %s: the copy is not sound: %w", path, err)
	}
	if err := name(partial.Name(), to); err != nil {
		return Contents{}, err
	}
	return contents, syncFolder(filepath.Dir(to))
}

func absent(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("sqlite: %s: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// name gives a file a second name that must be free, or moves it there where a file can have only one.
func name(from, to string) error {
	err := os.Link(from, to)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, errors.ErrUnsupported) {
		if err := absent(to); err != nil {
			return err
		}
		return os.Rename(from, to)
	}
	return err
}

func vacuumInto(ctx context.Context, path, to string) (err error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)", "trusted_schema(OFF)"}}))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	_, err = db.ExecContext(ctx, `VACUUM INTO ?`, to)
	return err
}

// Inspect checks a file that no store has open: that SQLite finds it sound, that a version of this program wrote it, and
// that the counts of every program equal a recount of its responses. It reads all of it.
func Inspect(ctx context.Context, path string) (c Contents, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return Contents{}, err
	}
	if log, err := os.Stat(path + "-wal"); err == nil && log.Size() > 0 {
		return Contents{}, fmt.Errorf("%s-wal is beside it: it is not a backup but a store, or a copy of one that was in use", path)
	}
	// As immutable, SQLite writes nothing beside the file.
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "immutable": {"1"}, "_pragma": {"query_only(ON)", "trusted_schema(OFF)"}}))
	if err != nil {
		return Contents{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c.Bytes = info.Size()
	if err := intact(ctx, db); err != nil {
		return Contents{}, err
	}
	err = db.QueryRowContext(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied),
		(SELECT count(*) FROM program), (SELECT count(*) FROM response)`).Scan(&c.SchemaVersion, &c.Programs, &c.Responses)
	if err != nil {
		return Contents{}, fmt.Errorf("it is not a store of this program: %w", err)
	}
	return c, recountAll(ctx, db)
}

func intact(ctx context.Context, db *sql.DB) error {
	for _, check := range []string{`PRAGMA integrity_check(5)`, `PRAGMA foreign_key_check`} {
		rows, err := db.QueryContext(ctx, check)
		if err != nil {
			return fmt.Errorf("it cannot be read: %w", err)
		}
		found, err := firstColumn(rows)
		if err != nil {
			return fmt.Errorf("it cannot be read: %w", err)
		}
		if len(found) > 0 && found[0] != "ok" {
			return fmt.Errorf("it is damaged: %s", strings.Join(found, "; "))
		}
	}
	return nil
}

func firstColumn(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	var out []string
	for rows.Next() {
		row := make([]any, len(columns))
		var first string
		row[0] = &first
		for i := 1; i < len(row); i++ {
			row[i] = new(any)
		}
		if err := rows.Scan(row...); err != nil {
			return nil, err
		}
		out = append(out, first)
	}
	return out, rows.Err()
}

func recountAll(ctx context.Context, db *sql.DB) error {
	t, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // nothing was written
	keys, err := programs(ctx, t)
	if err != nil {
		return err
	}
	for id, key := range keys {
		wrong, err := recountProgram(ctx, t, id)
		if err != nil {
			return fmt.Errorf("recounting %s: %w", key, err)
		}
		if len(wrong) > 0 {
			return fmt.Errorf("counts of %s do not equal its responses: %s", key, wrong[0])
		}
	}
	return nil
}

func programs(ctx context.Context, t *sql.Tx) (map[int64]store.Key, error) {
	rows, err := t.QueryContext(ctx, `SELECT id, namespace, name FROM program`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	keys := map[int64]store.Key{}
	for rows.Next() {
		var id int64
		var key store.Key
		if err := rows.Scan(&id, &key.Namespace, &key.Name); err != nil {
			return nil, err
		}
		keys[id] = key
	}
	return keys, rows.Err()
}
