// Package sqlite keeps answers in one SQLite file that one process has open: a store for one machine.
//
// One goroutine writes. It commits everything that waited together, so that the cost of a durable commit is shared.
// Readers have connections of their own and, with a write-ahead log, neither wait for the writer nor hold it up.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/gofrs/flock"
	"github.com/google/uuid"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// Options of a Store. The zero value is good for production.
type Options struct {
	// QueueLength is how many responses may wait for a commit, or be in one; the next gets store.ErrBusy. Of a large
	// Append only as many count as one commit takes of it. Default 1024.
	QueueLength int
	// BatchSize is the greatest number of responses in one commit. An Append gets at most half of a commit while others
	// wait. Default 512.
	BatchSize int
}

const (
	// feedReaders and bulkReaders bound the connections, and with them the memory, that readers take. The feed has its
	// own, so that slow downloads cannot hold it up.
	feedReaders = 2
	bulkReaders = 4
)

// Store is a store.Store in one SQLite file.
type Store struct {
	lock  *flock.Flock
	write *sql.DB // one connection, the writer's
	feed  *sql.DB
	bulk  *sql.DB

	// epoch is new for each opening, which is when a file can have been replaced by a backup.
	epoch   string
	version int64
	// seq is the newest commit that readers of the feed can see.
	seq     atomic.Int64
	updated commit.Broadcast

	loop   *commit.Loop
	writer *writer
	keeper *keeper
	// reading ends when the store closes, and what is being read with it.
	reading     context.Context
	stopReading context.CancelFunc
	close       func() error
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the file path, which it makes if it is absent (0600, in a folder of 0700), and brings its
// tables up to date. The store is the caller's alone until it is closed: meanwhile another Open of the file, from here or
// from another process, fails at once with store.ErrLocked. A file that a newer version wrote is refused.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := makeFile(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("sqlite: locking %s: %w", path, err)
	}
	if !locked {
		return nil, fmt.Errorf("sqlite: %s: %w", path, store.ErrLocked)
	}
	s := &Store{lock: lock}
	if err := s.open(ctx, path, o); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: opening %s: %w", path, err), s.release())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string, o Options) error {
	epoch, err := uuid.NewRandom()
	if err != nil {
		return err
	}
	s.epoch = epoch.String()
	if s.write, err = sql.Open("sqlite", writerDSN(path)); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.version, err = migrate(ctx, s.write); err != nil {
		return err
	}
	if s.feed, err = openReaders(path, feedReaders); err != nil {
		return err
	}
	if s.bulk, err = openReaders(path, bulkReaders); err != nil {
		return err
	}
	if s.writer, err = newWriter(ctx, s); err != nil {
		return err
	}
	if s.keeper, err = newKeeper(s, path); err != nil {
		return err
	}
	s.reading, s.stopReading = context.WithCancel(context.Background())
	s.close = sync.OnceValue(s.shutdown)
	s.loop = commit.NewLoop("sqlite", o.QueueLength, o.BatchSize, s.writer.write)
	go s.loop.Run()
	go s.keeper.run(s.reading)
	return nil
}

// makeFile makes the file and its folder where they are absent, for the owner alone, and returns its real path, so that
// one file has one lock.
func makeFile(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.Chmod(0o600), f.Close(), syncFolder(filepath.Dir(path))); err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(path)
}

// syncFolder makes the names in a folder durable: SQLite does so for its log, not for the file itself.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writerDSN asks for durable commits (WAL with synchronous FULL), and for deleted answers to be overwritten.
func writerDSN(path string) string {
	return dsn(path, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"trusted_schema(OFF)",
		"secure_delete(ON)",
		"temp_store(MEMORY)", // a container may have no other folder that can be written
		"cache_size(-16384)", // KiB
		"wal_autocheckpoint(" + checkpointPages + ")",
		"journal_size_limit(67108864)", // the log shrinks to 64 MiB after a long reader let it grow
	}})
}

func openReaders(path string, n int) (*sql.DB, error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{"mode": {"ro"}, "_pragma": {
		"busy_timeout(10000)",
		"query_only(ON)",
		"temp_store(MEMORY)",
		"trusted_schema(OFF)",
	}}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(n)
	db.SetMaxIdleConns(n)
	return db, nil
}

func dsn(path string, q url.Values) string {
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}
