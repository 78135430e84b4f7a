package intake

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

func TestMostConnections(t *testing.T) {
	for memory, want := range map[int64]int{0: 256, 96 << 20: 512, 241591911: 1228, 1 << 30: 5461, math.MaxInt64: 16384} {
		if got := MostConnections(memory); got != want {
			t.Errorf("%d connections in %d bytes, want %d", got, memory, want)
		}
	}
}

// guests is a server with a bound, each answer of which waits while it is told to.
type guests struct {
	t    *testing.T
	addr string
	// working has one for each request under way, and each may end when end is closed.
	working, end chan struct{}
	bound        *bounded
}

func newGuests(t *testing.T, most int) *guests {
	t.Helper()
	c := &guests{t: t, working: make(chan struct{}, 100), end: make(chan struct{})}
	server := HTTPServer("", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			c.working <- struct{}{}
			<-c.end
		}
	}))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c.addr = l.Addr().String()
	c.bound = Bound(l, server, most, false).(*bounded)
	done := make(chan error, 1)
	go func() { done <- server.Serve(c.bound) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
	})
	return c
}

// answer is what a client was told; its status is 0 where it was told nothing.
type answer struct {
	status int
	header http.Header
	last   bool // on the connection
	body   string
}

// ask sends a request and returns the answer.
func (c *guests) ask(conn net.Conn, path string) answer {
	c.t.Helper()
	if _, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
		return answer{}
	}
	return c.read(conn)
}

// read returns the next answer.
func (c *guests) read(conn net.Conn) answer {
	c.t.Helper()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return answer{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, response.Close, string(body)}
}

func (c *guests) mustServe(conn net.Conn) {
	c.t.Helper()
	if got := c.ask(conn, "/"); got.status != http.StatusOK {
		c.t.Fatalf("%+v", got)
	}
}

// settled waits until so many connections wait for a request, of those that had one and of those that had none.
func (c *guests) settled(idle, fresh int) {
	c.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		c.bound.mu.Lock()
		nowIdle, nowFresh := c.bound.idle.Len()-1, c.bound.fresh.Len()-1
		c.bound.mu.Unlock()
		if nowIdle == idle && nowFresh == fresh {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("%d idle and %d fresh, want %d and %d", nowIdle, nowFresh, idle, fresh)
		}
		<-time.After(time.Millisecond)
	}
}

func (c *guests) mustBeClosed(conn net.Conn) {
	c.t.Helper()
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil || errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("it is not closed: %d bytes, %v", n, err)
	}
}

// TestBoundMakesRoom: whoever waits longest for a next request makes room, then whoever waits longest for a first one.
func TestBoundMakesRoom(t *testing.T) {
	c := newGuests(t, 4)
	strangers := []net.Conn{dial(t, c.addr), nil}
	c.settled(0, 1)
	strangers[1] = dial(t, c.addr)
	c.settled(0, 2)
	first, second := dial(t, c.addr), dial(t, c.addr)
	c.mustServe(first)
	c.settled(1, 3)
	c.mustServe(second)
	c.settled(2, 2)    // the server says so after its answer
	c.mustServe(first) // so it waits shorter than the second now
	c.settled(2, 2)

	third := dial(t, c.addr)
	c.settled(1, 3)
	c.mustBeClosed(second)
	c.mustServe(third)
	c.mustServe(first)
	c.settled(2, 2)

	busy := []net.Conn{first, third, nil}
	for i, conn := range busy {
		if conn == nil {
			conn = dial(t, c.addr)
			busy[i] = conn
		}
		if _, err := io.WriteString(conn, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-c.working
	}
	c.mustBeClosed(strangers[0])
	c.settled(0, 1)
	last := dial(t, c.addr)
	c.mustBeClosed(strangers[1])
	c.mustServe(last)
	close(c.end)
	for _, conn := range busy {
		if got := c.read(conn); got.status != http.StatusOK {
			t.Errorf("a request under way: %+v", got)
		}
	}
}

// TestBoundRefuses: where all connections have requests under way, one more is told to come again, and is served when it does.
func TestBoundRefuses(t *testing.T) {
	c := newGuests(t, 3)
	for range 3 {
		if _, err := io.WriteString(dial(t, c.addr), "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-c.working
	}
	for range 2 * mostRefused {
		conn := dial(t, c.addr)
		got := c.ask(conn, "/")
		_ = conn.Close() // or it would be given a second
		var p problem
		if err := json.Unmarshal([]byte(got.body), &p); err != nil || p.Type != overloaded.Type || got.status != overloaded.Status {
			t.Fatalf("%+v, %v", got, err)
		}
		if got.header.Get("Retry-After") != "1" || !got.last || got.header.Get("Content-Type") != "application/problem+json" {
			t.Fatalf("%+v", got)
		}
	}
	close(c.end)
	c.settled(3, 0)
	c.mustServe(dial(t, c.addr))
}

// TestBoundOutlastsStrangers: thousands that connect and send nothing, or half a header, keep nobody out.
func TestBoundOutlastsStrangers(t *testing.T) {
	c := newGuests(t, 16)
	for i := range 200 {
		conn := dial(t, c.addr)
		if i%2 == 0 {
			if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nX-Slow: "); err != nil {
				t.Fatal(err)
			}
		}
		if i%20 == 19 {
			c.mustServe(dial(t, c.addr))
		}
	}
	c.bound.mu.Lock()
	open := len(c.bound.open)
	c.bound.mu.Unlock()
	if open > 16 {
		t.Errorf("%d connections", open)
	}
}

// TestBoundOfTLS: what a connection does is known of one that is encrypted, too, in HTTP/1.1 and HTTP/2.
func TestBoundOfTLS(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.EnableHTTP2 = http2
		b := Bound(server.Listener, server.Config, 2, true).(*bounded)
		server.Listener = b
		server.StartTLS()
		for range 5 { // clients that keep their connections
			client := server.Client()
			client.Transport = client.Transport.(*http.Transport).Clone()
			answer, err := client.Get(server.URL)
			if err != nil || answer.StatusCode != http.StatusNotFound || (answer.ProtoMajor == 2) != http2 {
				t.Fatalf("%v, %v", answer, err)
			}
			_, err = io.Copy(io.Discard, answer.Body) // or the client does not keep the connection
			if err := errors.Join(err, answer.Body.Close()); err != nil {
				t.Error(err)
			}
			t.Cleanup(client.CloseIdleConnections)
		}
		(&guests{t: t, bound: b}).settled(2, 0)
		server.Close()
		(&guests{t: t, bound: b}).settled(0, 0)
	}
}

// TestRefusalIsAnAnswer: its length is that of its body.
func TestRefusalIsAnAnswer(t *testing.T) {
	answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(string(refusal))), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err != nil || string(body) != string(overloadedLine) {
		t.Errorf("%q, %v", body, err)
	}
}
