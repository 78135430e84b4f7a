package sqlite

import (
	"context"
	"database/sql"
	"net/url"
	"time"
)

const (
	// checkpointPages is after how many pages of log the writer takes the log into the file by itself, at the end of a commit, in
	// SQLite's way: 64 MiB. It is for when nobody else could, such as beside a reader that takes long.
	checkpointPages = "16384"
	// longLog is how many pages of log are to begin anew: 4 MiB. That holds the writer up, so a short log does not; but a log that
	// grows makes each commit dearer than one that is written over: with 96 MiB one client waited 2.4 commits' time, and now 1.9.
	longLog = 1024
	// checkpointPause is between two checkpoints at least, and checkpointCommits are the commits that are worth one.
	checkpointPause   = 250 * time.Millisecond
	checkpointCommits = 32
)

const takeLog = `PRAGMA wal_checkpoint(PASSIVE)`

// keeper takes the log into the file beside the writer, so that no commit waits for it.
type keeper struct {
	store *Store
	db    *sql.DB
	// long is longLog, but in tests.
	long int
	// commits are those since the last checkpoint; the writer's goroutine counts them.
	commits int
	due     chan struct{}
	done    chan struct{}
}

func newKeeper(s *Store, path string) (*keeper, error) {
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"synchronous(FULL)", "wal_autocheckpoint(0)", "trusted_schema(OFF)", "cache_size(-256)"}}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &keeper{store: s, db: db, long: longLog, due: make(chan struct{}, 1), done: make(chan struct{})}, nil
}

// committed is called by the writer after each commit.
func (k *keeper) committed() {
	if k.commits++; k.commits < checkpointCommits {
		return
	}
	k.commits = 0
	select {
	case k.due <- struct{}{}:
	default:
	}
}

// run works until the store closes.
func (k *keeper) run(ctx context.Context) {
	defer close(k.done)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return
		case <-k.due:
		}
		k.checkpoint(ctx)
		pause.Reset(checkpointPause)
	}
}

// checkpoint takes the log into the file. What was committed meanwhile, the writer takes itself where the log is long, so that its
// next commit begins the log anew. What fails is tried again after the next commits: the log has all of it.
func (k *keeper) checkpoint(ctx context.Context) {
	var busy, logged, taken int
	if err := k.db.QueryRowContext(ctx, takeLog).Scan(&busy, &logged, &taken); err != nil || logged < k.long {
		return
	}
	_ = k.store.loop.Do(ctx, func() error { return k.store.writer.exec(takeLog) })
}

// stop waits for the end of run, whose context has ended.
func (k *keeper) stop() error {
	<-k.done
	return k.db.Close()
}
