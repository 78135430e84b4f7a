package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"
)

// echo answers each line with itself.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					fmt.Fprintln(conn, lines.Text())
				}
			}()
		}
	}()
	return listener.Addr().String()
}

type client struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *Proxy) *client {
	t.Helper()
	conn, err := net.Dial("tcp", p.Address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &client{conn, bufio.NewReader(conn)}
}

// ask sends a line, waits for the echo, and returns how long that took.
func (c *client) ask(limit time.Duration) (time.Duration, error) {
	start := time.Now()
	if err := c.SetDeadline(start.Add(limit)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintln(c, "hello"); err != nil {
		return 0, err
	}
	return c.hear(start)
}

func (c *client) hear(start time.Time) (time.Duration, error) {
	line, err := c.lines.ReadString('\n')
	if err == nil && line != "hello\n" {
		err = fmt.Errorf("heard %q", line)
	}
	return time.Since(start), err
}

func TestProxy(t *testing.T) {
	p, err := Listen(t.Context(), "127.0.0.1:0", "tcp", echo(t))
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, p)
	if _, err := c.ask(time.Minute); err != nil {
		t.Fatal(err)
	}
	const slow = 50 * time.Millisecond
	p.Delay(slow)
	if took, err := c.ask(time.Minute); err != nil || took < 2*slow {
		t.Errorf("slow: %s, %v, want at least %s", took, err, 2*slow)
	}
	p.Delay(0)
	p.Silence()
	if _, err := c.ask(slow); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silent: %v, want that nothing comes", err)
	}
	p.Resume()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.hear(time.Now()); err != nil {
		t.Errorf("after Resume: %v, want what was held back", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ask(time.Minute); err == nil {
		t.Error("the connection outlived the proxy")
	}
}

// Where the server is away, a connection ends at once.
func TestTargetIsAway(t *testing.T) {
	p, err := Listen(t.Context(), "127.0.0.1:0", "unix", t.TempDir()+"/none")
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t, p)
	if _, err := c.ask(time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error = %v, want that the connection has ended", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}
