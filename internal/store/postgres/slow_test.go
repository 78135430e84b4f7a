package postgres

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/test/pgtest"
)

// proxy stands between a store and its server, and can delay what the server says, or everything for good.
type proxy struct {
	dir, server string
	listener    net.Listener
	group       sync.WaitGroup

	mu      sync.Mutex
	resumed chan struct{} // closed while all flows
	delay   time.Duration
	conns   []net.Conn
}

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "pgproxy") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{dir: dir, server: filepath.Join(server, ".s.PGSQL.5432"), listener: listener, resumed: make(chan struct{})}
	close(p.resumed)
	p.group.Go(p.accept)
	t.Cleanup(func() {
		p.resume()
		if err := errors.Join(listener.Close(), os.RemoveAll(dir)); err != nil {
			t.Error(err)
		}
		p.cut()
		p.group.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.server)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.group.Go(func() { p.pass(server, client) })
		p.group.Go(func() { p.pass(client, server) })
	}
}

// pass copies from one side to the other until one is closed.
func (p *proxy) pass(to, from net.Conn) {
	defer to.Close()
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		resumed, delay := p.resumed, p.delay
		p.mu.Unlock()
		<-resumed
		<-time.After(delay) // a slow network
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hang keeps back everything from now on.
func (p *proxy) hang() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resumed = make(chan struct{})
}

func (p *proxy) resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.resumed:
	default:
		close(p.resumed)
	}
}

func (p *proxy) slowDown(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// through returns where the schema is through the proxy.
func (p *proxy) through(dsn string) string {
	return strings.Replace(dsn, "host="+escaped(server.Socket()), "host="+escaped(p.dir), 1)
}

func escaped(path string) string { return strings.ReplaceAll(path, "/", "%2F") }

// TestSlowNetwork makes each message take a while: a caller's patience ends before that, its answer is stored all the same.
func TestSlowNetwork(t *testing.T) {
	p := newProxy(t, server.Socket())
	s := mustOpen(t, p.through(newSchema(t, server)), Options{QueueLength: 4})
	defer mustClose(t, s)
	mustAppend(t, s, answered(1, "1"))
	p.slowDown(200 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Append(ctx, []store.Response{answered(2, "1")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append without patience: %v", err)
	}
	mustAppend(t, s, answered(3, "1"))
	p.slowDown(0)
	mustAppend(t, s, answered(2, "1"))
	wantKept(t, s, 3)
}

// TestHangingNetwork lets nothing through any more, as a firewall does that forgot a connection: callers are answered in
// time, the queue is bounded, and the store comes back by itself.
func TestHangingNetwork(t *testing.T) {
	p := newProxy(t, server.Socket())
	s := mustOpen(t, p.through(newSchema(t, server))+"&connect_timeout=1", Options{QueueLength: 4, commitTimeout: time.Second})
	defer mustClose(t, s)
	mustAppend(t, s, answered(0, "1"))
	p.hang()
	ended, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Append(ended, []store.Response{answered(1, "1")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Append without patience: %v", err)
	}
	if _, err := s.Changes(ended, store.Cursor{}, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Changes without patience: %v", err)
	}
	// Each failure takes the writer's time: meanwhile the others wait, and no more than the queue holds.
	outcomes := make(chan error)
	for i := range 20 {
		go func() {
			_, err := s.Append(context.Background(), []store.Response{answered(i, "1")})
			outcomes <- err
		}()
	}
	busy, failed := 0, 0
	for range 20 {
		switch err := <-outcomes; {
		case errors.Is(err, store.ErrBusy):
			busy++
		case err != nil && strings.HasPrefix(err.Error(), "postgres: append: "):
			failed++
		default:
			t.Errorf("Append while nothing comes through: %v", err)
		}
	}
	if busy < 10 || failed == 0 {
		t.Errorf("%d were refused and %d failed, of 20 for a queue of 4", busy, failed)
	}
	p.resume()
	p.cut()
	for i := range 20 {
		for {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			_, err := s.Append(ctx, []store.Response{answered(i, "1")})
			cancel()
			if err == nil {
				break
			}
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("Append after the network came back: %v", err)
			}
		}
	}
	wantKept(t, s, 20)
}

// TestIdleConnectionsDie cuts all connections while nobody uses them, as a firewall or a restart does: nobody is to notice.
func TestIdleConnectionsDie(t *testing.T) {
	p := newProxy(t, server.Socket())
	dsn := newSchema(t, server)
	s, other := mustOpen(t, p.through(dsn), Options{}), mustOpen(t, dsn, Options{})
	defer mustClose(t, s)
	defer mustClose(t, other)
	for i := range 3 {
		updated := s.Updated()
		mustAppend(t, s, answered(i, "1"))
		p.cut()
		mustAppend(t, s, answered(10+i, "1"))
		<-updated
		mustRead(t, s, store.Cursor{})
		p.cut()
		mustRead(t, s, store.Cursor{})
		wantKept(t, s, 2*i+2)
	}
	// It also listens again.
	for i, heard := 100, false; !heard; i++ {
		updated := s.Updated()
		mustAppend(t, other, answered(i, "1"))
		select {
		case <-updated:
			heard = true
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// TestLockedByOthers has an administrator hold a lock: the lock's time limit, not the caller's patience, ends the attempt.
func TestLockedByOthers(t *testing.T) {
	dsn := newSchema(t, server)
	mustClose(t, mustOpen(t, dsn, Options{}))
	s := mustOpen(t, dsn, Options{commitTimeout: time.Second})
	defer mustClose(t, s)
	release := hold(t, dsn)
	_, err := s.Append(context.Background(), []store.Response{answered(1, "1")})
	if err == nil || errors.Is(err, store.ErrBusy) || !away(err) {
		t.Errorf("Append while its table is locked: %v", err)
	}
	release()
	mustAppend(t, s, answered(1, "1"))
	wantKept(t, s, 1)
}

// TestServerAway opens nothing where there is no server, and says where it looked, but not with which password.
func TestServerAway(t *testing.T) {
	for _, dsn := range []string{
		pgtest.DSN(t.TempDir(), nil) + "&password=secret", "host=/nowhere password=secret user=me", "postgres://me:secret@[::1]:1/x", "port=secret",
	} {
		s, err := Open(context.Background(), dsn, Options{})
		if err == nil || s != nil || !strings.HasPrefix(err.Error(), "postgres: ") {
			t.Errorf("Open of %s: %v, %v", dsn, s, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") && !strings.HasPrefix(dsn, "port") {
			t.Errorf("the password is in %v", err)
		}
	}
}
