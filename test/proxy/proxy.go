// Package proxy stands between a client and a server of TCP, so that a test can make the way between them slow or cut it.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// Proxy passes connections on.
type Proxy struct {
	listener        net.Listener
	network, target string
	running         sync.WaitGroup

	mu     sync.Mutex
	delay  time.Duration
	silent chan struct{} // closed when nothing is held back any more; nil while nothing is
	open   map[net.Conn]bool
	closed bool
}

// Listen listens at a TCP address (host:port, port 0 for any) and passes each connection to the target: "tcp" and host:port,
// or "unix" and a path.
func Listen(ctx context.Context, address, network, target string) (*Proxy, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for a proxy: %w", err)
	}
	p := &Proxy{listener: listener, network: network, target: target, open: map[net.Conn]bool{}}
	p.running.Go(p.accept)
	return p, nil
}

// Address is where the proxy listens.
func (p *Proxy) Address() string { return p.listener.Addr().String() }

// Delay holds back whatever is sent, in either direction, for so long; 0 for no more. It counts for each piece that is read:
// a question and its answer take twice as long.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// Silence holds back everything until Resume: connections are open, and nothing comes.
func (p *Proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent == nil {
		p.silent = make(chan struct{})
	}
}

// Resume ends what Silence began. What was held back arrives now.
func (p *Proxy) Resume() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.silent != nil {
		close(p.silent)
		p.silent = nil
	}
}

// Close ends all connections and returns when none is left.
func (p *Proxy) Close() error {
	err := p.listener.Close()
	p.Resume()
	p.mu.Lock()
	p.closed = true
	for conn := range p.open {
		_ = conn.Close() // whoever uses it is told by that
	}
	p.mu.Unlock()
	p.running.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // about one client that has gone
		}
		p.running.Go(func() { p.serve(client) })
	}
}

// serve ends a connection when either side does, as the other would be told by the server itself.
func (p *Proxy) serve(client net.Conn) {
	p.keep(client)
	defer p.drop(client)
	var dialer net.Dialer
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // the target is on this machine
	server, err := dialer.DialContext(ctx, p.network, p.target)
	cancel()
	if err != nil {
		return
	}
	p.keep(server)
	defer p.drop(server)
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client) })
	both.Go(func() { p.pass(client, server) })
	both.Wait()
}

func (p *Proxy) pass(to, from net.Conn) {
	defer func() {
		_, _ = to.Close(), from.Close() // so that the other direction ends too
	}()
	const most = 32 << 10
	buffer := make([]byte, most)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p.hold()
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// hold waits as long as the proxy is slow or silent.
func (p *Proxy) hold() {
	p.mu.Lock()
	delay, silent := p.delay, p.silent
	p.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	if silent != nil {
		<-silent
	}
}

func (p *Proxy) keep(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[conn] = true
	if p.closed { // it came while the others were closed
		_ = conn.Close()
	}
}

func (p *Proxy) drop(conn net.Conn) {
	_ = conn.Close() // the other side may have done so
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}
