package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// reconnectPause is between two attempts to listen again.
const reconnectPause = time.Second

// channel is what the processes of one store tell each other of commits on. The payload is who committed.
const channel = `'cx_answers_' || 'meta'::regclass::oid`

// listen connects and begins to listen.
func (s *Store) listen(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	var name string
	if err = conn.QueryRow(ctx, `SELECT `+channel).Scan(&name); err == nil {
		_, err = conn.Exec(ctx, `LISTEN `+pgx.Identifier{name}.Sanitize())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listening: %w", err), conn.Close(ctx))
	}
	return conn, nil
}

// hear wakes who waits for an update when another process commits. After each new connection it does so, too, because
// nothing tells what was missed.
func (s *Store) hear(config *pgx.ConnConfig, conn *pgx.Conn) {
	for {
		n, err := conn.WaitForNotification(s.open)
		if err == nil {
			if n.Payload != s.instance {
				s.updated.Fire()
			}
			continue
		}
		s.hangUp(conn)
		if conn = s.listenAgain(config); conn == nil {
			return
		}
		s.updated.Fire()
	}
}

// listenAgain tries until it succeeds, or returns nil when the store closes.
func (s *Store) listenAgain(config *pgx.ConnConfig) *pgx.Conn {
	for s.open.Err() == nil {
		conn, err := s.listen(s.open, config)
		if err == nil {
			return conn
		}
		s.rest(reconnectPause)
	}
	return nil
}

// hangUp closes a connection that may be broken: whether it is told so does not matter.
func (s *Store) hangUp(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), reconnectPause)
	defer cancel()
	_ = conn.Close(ctx)
}

// changed wakes who waits for an update here, and has others told.
func (s *Store) changed() {
	s.updated.Fire()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// announcePause is between two announcements: the first after a rest is made at once, and those that come meanwhile by the next.
const announcePause = 50 * time.Millisecond

// announce tells other processes of commits, many at a time where they come fast. It does so after the commits and beside
// them, because the server lets only one transaction at a time commit that notifies. What cannot be told is not told again:
// the others read from time to time all the same.
func (s *Store) announce() {
	for s.open.Err() == nil {
		select {
		case <-s.news:
			s.tell(s.open)
		case <-s.open.Done():
		}
		s.rest(announcePause)
	}
	select {
	case <-s.news:
		ctx, cancel := context.WithTimeout(context.Background(), reconnectPause)
		defer cancel()
		s.tell(ctx)
	default:
	}
}

func (s *Store) tell(ctx context.Context) {
	_, _ = s.pool.Exec(ctx, `SELECT pg_notify(`+channel+`, $1)`, s.instance)
}

// rest waits for as long, or until the store closes.
func (s *Store) rest(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.open.Done():
	}
}
