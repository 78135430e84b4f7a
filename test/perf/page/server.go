package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// host is what the browser calls the server: pages of an address of this machine may do more over plain HTTP than others.
	host = "survey.test"
	// emptyPath is the page of one word. movingPath is one that does what no page may: it shifts, and asks for a script and, by
	// naming none, for an icon.
	emptyPath, movingPath = "/empty", "/moving"

	emptyPage  = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Empty</title><link rel="icon" href="data:,"><p>Empty`
	movingPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Moving</title><p>Moved
<script>addEventListener('load', function () { setTimeout(function () {
document.body.insertAdjacentHTML('afterbegin', '<div style="height:200px">above</div>') }, 50) })</script><script src="/moving.js"></script>`
)

// server serves pages as an endpoint does, and counts.
type server struct {
	url      string
	requests atomic.Int64
	bytes    atomic.Int64
	http     *http.Server
	ended    chan error
}

// newHandler returns the endpoint's handler with a page, registered as so many programs. It has no store, since no page asks
// one; and its clock and chance are the same in every run, and so are its pages.
func newHandler(p page, programs int) (http.Handler, error) {
	registry := intake.NewRegistry()
	served := intake.Program{Survey: p.survey, Tokens: intake.Tokens{Sign: signToken}}
	registry.Set(p.survey.Program, served)
	for i := range programs - 1 {
		registry.Set(store.Key{Namespace: "others", Name: fmt.Sprintf("other-%d", i)}, served)
	}
	return intake.New(registry, intake.Config{
		RatePerMinute: -1, Clock: func() time.Time { return now }, Log: logr.Discard(), Rand: rand.NewChaCha8([32]byte{1}),
	})
}

// serve starts a server of the page on a free port of this machine.
func serve(ctx context.Context, p page) (*server, error) {
	handler, err := newHandler(p, 1)
	if err != nil {
		return nil, err
	}
	return serveHandler(ctx, handler)
}

func serveHandler(ctx context.Context, handler http.Handler) (*server, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{url: strings.Replace("http://"+listener.Addr().String(), "127.0.0.1", host, 1), ended: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc(emptyPath, static(emptyPage))
	mux.HandleFunc(movingPath, static(movingPage))
	mux.Handle("/", handler)
	s.http = intake.HTTPServer("", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.requests.Add(1)
		mux.ServeHTTP(w, r)
	}))
	go func() { s.ended <- s.http.Serve(countingListener{listener, &s.bytes}) }()
	return s, nil
}

func static(page string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(page)) // a client that has gone cannot be told
	}
}

// counted are the requests and bytes since the last time.
func (s *server) counted() (requests, bytes int64) { return s.requests.Swap(0), s.bytes.Swap(0) }

// close ends the server at once.
func (s *server) close() error {
	err := s.http.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// countingListener counts what is written to its connections.
type countingListener struct {
	net.Listener
	bytes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{conn, l.bytes}, nil
}

type countingConn struct {
	net.Conn
	bytes *atomic.Int64
}

func (c countingConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}
