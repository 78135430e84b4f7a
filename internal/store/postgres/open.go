// Package postgres keeps answers in a PostgreSQL database, version 13 or later, that several processes share.
//
// Each process has one writer, which commits everything that waited together, under a slot of its own: the counts are sums
// over slots, so that processes never wait for each other's rows. A store takes a few connections, and no more: one for its
// writer, one for what other processes announce, and Options.PoolSize for reading. They need sessions that last (advisory
// locks, LISTEN): a pooler in between must not be in transaction mode.
//
// A database that goes away fails what is under way. The store connects again by itself.
package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// Options of a Store. The zero value is good for production.
type Options struct {
	// QueueLength is how many responses may wait for a commit of this process, or be in one; the next gets
	// store.ErrBusy. Of a large Append only as many count as one commit takes of it. Default 1024.
	QueueLength int
	// BatchSize is the greatest number of responses in one commit. An Append gets at most half of a commit while others
	// wait. Default 512.
	BatchSize int
	// PoolSize is how many connections are for reading, 2 or more. One of them is never taken by exports and recounts,
	// so that they do not hold up the feed. Default 4.
	PoolSize int
	// Schema is the name of the schema that the tables are in, at most 63 bytes. It is made where it is missing. Empty for
	// the first of the search_path's names, which must be there.
	Schema string
	// Untrusted says that the DSN comes from somebody else than who runs this process. It must be a URI then, of which
	// nothing is taken that would have the process read files or give away what it knows, and no error shows any of it
	// but the names of hosts, user and database.
	Untrusted bool

	// commitTimeout of the writer, for tests; commitTimeout if zero.
	commitTimeout time.Duration
}

const defaultPoolSize = 4

// Store is a store.Store in a PostgreSQL database.
type Store struct {
	// instance names this opening, for what it announces to others.
	instance string
	version  int64
	pool     *pgxpool.Pool
	// bulk has an element for each export or recount under way.
	bulk chan struct{}

	updated commit.Broadcast
	news    chan struct{}
	loop    *commit.Loop
	writer  *writer

	// open ends when the store closes, and with it what is being read and listened to.
	open       context.Context
	end        context.CancelFunc
	background sync.WaitGroup
	close      func() error
}

var _ store.Store = (*Store)(nil)

// Open opens the store in the database that dsn names (a URL or key=value words, as psql takes them; passwords better come
// from a passfile or the environment), and brings its tables up to date. It fails if the database is away, older than
// PostgreSQL 13, or has tables that need a newer program.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	config, err := parse(dsn, o)
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	if err := prepareServer(ctx, config.ConnConfig, o.Schema); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	s := &Store{news: make(chan struct{}, 1)}
	if s.version, err = migrate(ctx, config.ConnConfig); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	instance, err := uuid.NewRandom()
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	s.instance = instance.String()
	s.open, s.end = context.WithCancel(context.Background())
	if err := s.connect(ctx, config, o); err != nil {
		s.end()
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return s, nil
}

func (s *Store) connect(ctx context.Context, config *pgxpool.Config, o Options) (err error) {
	s.writer = &writer{store: s, config: config.ConnConfig, timeout: cmp.Or(o.commitTimeout, commitTimeout)}
	if err := s.writer.connect(ctx); err != nil {
		return err
	}
	listener, err := s.listen(ctx, config.ConnConfig)
	if err != nil {
		return errors.Join(err, s.writer.disconnect())
	}
	size := defaultPoolSize
	if o.PoolSize > 0 {
		size = max(2, o.PoolSize)
	}
	config.MaxConns, config.MinConns = int32(size), 0
	// Who reads gets a connection that lives, even a moment after the server was started anew.
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return true }
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return errors.Join(err, s.writer.disconnect(), listener.Close(ctx))
	}
	s.bulk = make(chan struct{}, size-1)
	s.loop = commit.NewLoop("postgres", o.QueueLength, o.BatchSize, s.writer.write)
	s.close = sync.OnceValue(s.shutdown)
	go s.loop.Run()
	s.background.Go(func() { s.hear(config.ConnConfig, listener) })
	s.background.Go(s.announce)
	return nil
}

// Close implements store.Store. What was accepted is committed; reads under way are cut off with store.ErrClosed.
func (s *Store) Close() error { return s.close() }

func (s *Store) shutdown() error {
	s.loop.Stop()
	s.end()
	s.background.Wait()
	s.closePool()
	if err := s.writer.disconnect(); err != nil {
		return fmt.Errorf("postgres: closing: %w", err)
	}
	return nil
}

// closePool waits for the readers, but not long for one that is stuck in what it does with what it read.
func (s *Store) closePool() {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		s.pool.Close()
	}()
	timer := time.NewTimer(connectTimeout)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}
