package operations

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/time/rate"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Config of a handler. All fields are required unless they say otherwise.
type Config struct {
	// Program that is served.
	Program store.Key
	// Token returns the program's token "internal" as it is now; empty lets nobody in.
	Token func() string
	// ScrapeTokenHash is the SHA-256 of a token that may read /metrics as well; empty for none.
	ScrapeTokenHash []byte
	// Store returns the store as it is now.
	Store func() Opened
	// Survey that is served; without it no themes are found.
	Survey *survey.Survey
	// Ready says whether the endpoint takes answers.
	Ready func() bool
	// Explain says in a sentence without anything secret why the store could not be read, the same as long as the cause is;
	// nil where there is nothing to say.
	Explain func(error) string
	// Metrics answers to who may read metrics.
	Metrics http.Handler
	// Draining is closed when the endpoint is about to end: calls that wait are answered then, and no connection is kept.
	Draining <-chan struct{}
	// Desk returns where people work on the program's cases, or a desk.ErrUnavailable whose text has nothing secret; nil where
	// the endpoint keeps none.
	Desk func() (desk.Desk, error)
	// Log takes what a person on call would want to know.
	Log logr.Logger
}

// Opened is a store, or why there is none.
type Opened struct {
	// Store that is open; nil for none.
	Store store.Store
	// Why there is no store, in a sentence without anything secret.
	Why string
	// Replaced is closed when another store, or none, takes the place of this one.
	Replaced <-chan struct{}
}

type handler struct {
	Config
	faults rate.Sometimes
	// reading has room for one call that reads comments.
	reading chan struct{}
}

// NewHandler returns the handler of the operations port.
func NewHandler(c Config) http.Handler {
	h := &handler{Config: c, faults: rate.Sometimes{First: 1, Interval: 10 * time.Second}, reading: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc(pathHealth, get(func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok\n") }))
	mux.HandleFunc(pathReady, get(h.ready))
	mux.HandleFunc(pathMetrics, get(h.metrics))
	mux.HandleFunc(pathChanges, get(h.internal(h.changes)))
	mux.HandleFunc(pathStore, get(h.internal(h.info)))
	mux.HandleFunc(pathThemes, get(h.internal(h.themes)))
	h.routeCases(mux)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		newProblem(http.StatusNotFound, "not-found", "There is nothing at this address", "").write(w)
	})
	return h.closing(mux)
}

// closing has clients connect anew, and so perhaps to another pod, once the endpoint drains.
func (h *handler) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if h.draining() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func (h *handler) draining() bool {
	select {
	case <-h.Draining:
		return true
	default:
		return false
	}
}

func get(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "The address does not take this method", "Allowed are GET, HEAD.").write(w)
			return
		}
		next(w, r)
	}
}

func say(w http.ResponseWriter, status int, text string) {
	writeBody(w, status, "text/plain; charset=utf-8", []byte(text))
}

func (h *handler) ready(w http.ResponseWriter, _ *http.Request) {
	if h.draining() || !h.Ready() {
		say(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	say(w, http.StatusOK, "ok\n")
}

func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	if !h.allowed(r, h.ScrapeTokenHash) {
		refuse(w, r)
		return
	}
	h.Metrics.ServeHTTP(w, r)
}

// internal is for who has the program's token.
func (h *handler) internal(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !h.allowed(r) {
			refuse(w, r)
			return
		}
		next(w, r)
	}
}

// info describes the store.
func (h *handler) info(w http.ResponseWriter, r *http.Request) {
	opened := h.Store()
	if opened.Store == nil {
		unavailable(opened.Why).write(w)
		return
	}
	info, err := opened.Store.Info(r.Context())
	if err != nil {
		h.fail(w, r, err)
		return
	}
	body, err := json.Marshal(wireInfo(info))
	if err != nil { // a text and a number can be written
		panic(err)
	}
	writeBody(w, http.StatusOK, "application/json", body)
}

func (h *handler) explain(err error) string {
	switch {
	case errors.Is(err, store.ErrClosed):
		return "the store is closed"
	case errors.Is(err, context.DeadlineExceeded):
		return "the store does not answer in time"
	case h.Explain == nil:
		return ""
	}
	return h.Explain(err)
}

// fail answers what could not be read, and logs it, at most once every ten seconds.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil { // the client has left
		return
	}
	var p *Problem
	if !errors.As(err, &p) {
		h.faults.Do(func() { h.Log.Error(err, "The counts could not be read") })
		p = unavailable(h.explain(err))
	}
	p.write(w)
}
