package intake

import (
	"container/ring"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// connectionBytes is what a connection may need of a process's memory: its goroutines, its buffers, a header of the most that
	// HTTPServer takes, an answer that waits for its commit, and what the collector has not found yet.
	connectionBytes = 192 << 10
	// leastConnections and mostConnections bound what follows from memory. The latter is that of a process without a limit, too.
	leastConnections, mostConnections = 256, 16 << 10
)

// MostConnections is how many connections a process has room for that may use so much memory, in bytes, at the most.
func MostConnections(memory int64) int {
	return int(min(max(memory/connectionBytes, leastConnections), mostConnections))
}

const (
	// mostRefused is how many refused clients are given the time to read why, and refusedWithin how long. Others are cut off.
	mostRefused   = 64
	refusedWithin = time.Second
	// refusedBody is how much of what a refused client sends is read meanwhile, in bytes: it would be reset before it has read.
	refusedBody = 64 << 10
)

// Bound returns a listener for the server that keeps at most so many connections. For one more it closes the one that has waited
// longest for its next request; where none does, the one that has waited longest for its first, so that whoever connects and sends
// nothing keeps nobody out; and where all have requests under way, it answers the new one that it shall come again. The server must
// not be serving yet. Encrypted says that the server speaks TLS: what is refused gets no answer then.
func Bound(l net.Listener, s *http.Server, most int, encrypted bool) net.Listener {
	b := &bounded{
		Listener: l, most: most, encrypted: encrypted, open: map[net.Conn]*ring.Ring{}, fresh: ring.New(1), idle: ring.New(1),
		refused: make(chan struct{}, mostRefused),
	}
	s.ConnState = b.changed
	return b
}

type bounded struct {
	net.Listener
	most      int
	encrypted bool
	refused   chan struct{}

	mu   sync.Mutex
	open map[net.Conn]*ring.Ring
	// fresh and idle begin the rings of connections that wait for a request, in the order in which they began to: those which had
	// none yet, and the others. One with a request under way is a ring by itself.
	fresh, idle *ring.Ring
}

// Accept returns the next connection that there is room for.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		evicted, taken := b.take(conn)
		if evicted != nil {
			_ = evicted.Close() // its client is gone, or finds out
		}
		if taken {
			return conn, nil
		}
		b.refuse(conn)
	}
}

// take makes room for a connection, and returns the one that was there instead, nil for none; false if there is no room.
func (b *bounded) take(conn net.Conn) (evicted net.Conn, taken bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.open) >= b.most {
		if evicted = b.longest(); evicted == nil {
			return nil, false
		}
		b.forget(evicted)
	}
	place := ring.New(1)
	place.Value = conn
	b.open[conn] = place
	b.fresh.Prev().Link(place)
	return evicted, true
}

// longest returns the connection that can best be done without, nil for none.
func (b *bounded) longest() net.Conn {
	for _, waiting := range []*ring.Ring{b.idle, b.fresh} {
		if first := waiting.Next(); first != waiting {
			return first.Value.(net.Conn)
		}
	}
	return nil
}

// forget takes a connection off the books. The caller holds the lock.
func (b *bounded) forget(conn net.Conn) {
	if place := b.open[conn]; place != nil {
		place.Prev().Unlink(1)
		delete(b.open, conn)
	}
}

// changed is told by the server what a connection does.
func (b *bounded) changed(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	place := b.open[conn]
	if place == nil { // it was closed to make room
		return
	}
	switch state {
	case http.StateNew: // as it was taken
	case http.StateActive:
		place.Prev().Unlink(1)
	case http.StateIdle:
		place.Prev().Unlink(1)
		b.idle.Prev().Link(place)
	case http.StateClosed, http.StateHijacked:
		b.forget(conn)
	}
}

// refuse answers a connection that there is no room for, without waiting for its client.
func (b *bounded) refuse(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || b.encrypted {
		_ = conn.Close()
		return
	}
	select {
	case b.refused <- struct{}{}:
		go func() {
			defer func() { <-b.refused }()
			turnDown(tcp)
		}()
	default:
		_ = conn.Close()
	}
}

// refusal is all that a refused client is told.
var refusal = fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: %s\r\nRetry-After: %s\r\nContent-Length: %d\r\n\r\n%s",
	overloaded.Status, http.StatusText(overloaded.Status), typeProblem[0], retrySoon[0], len(overloadedLine), overloadedLine)

// turnDown tells a client to come again, and lets it read that.
func turnDown(conn *net.TCPConn) {
	end := sync.OnceFunc(func() { _ = conn.Close() }) // there is nobody left to tell
	defer end()
	defer time.AfterFunc(refusedWithin, end).Stop()
	if _, err := conn.Write(refusal); err != nil || conn.CloseWrite() != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, conn, refusedBody) // it ends when the client has read
}
