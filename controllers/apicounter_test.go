package controllers_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
)

// apiCounter counts the operator's calls of the API server, and can cut it off at a write.
type apiCounter struct {
	mu     sync.Mutex
	calls  map[string]int
	wrote  int
	killAt int // the write after which the operator is cut off; 0 is never
	killed chan struct{}
	cut    bool
	gate   chan struct{} // what writes of statuses wait for, nil for nothing
	held   chan struct{} // closed when the first one waits
}

var errCutOff = errors.New("the operator was cut off")

func (a *apiCounter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if a.dead() {
			return nil, errCutOff
		}
		verb, resource := verbOf(r)
		last := a.count(verb, resource)
		if strings.HasSuffix(resource, "/status") {
			a.await(r.Context().Done())
		}
		response, err := next.RoundTrip(r)
		if !last {
			return response, err
		}
		if err == nil {
			_ = response.Body.Close()
		}
		a.kill()
		return nil, errCutOff
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// stall has writes of statuses wait until release is called; held is closed when the first one does.
func (a *apiCounter) stall() (held <-chan struct{}, release func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	gate := make(chan struct{})
	a.gate, a.held = gate, make(chan struct{})
	return a.held, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.gate == gate {
			a.gate = nil
			close(gate)
		}
	}
}

func (a *apiCounter) await(given <-chan struct{}) {
	a.mu.Lock()
	gate := a.gate
	if gate != nil && a.held != nil {
		close(a.held)
		a.held = nil
	}
	a.mu.Unlock()
	if gate == nil {
		return
	}
	select {
	case <-gate:
	case <-given:
	}
}

// count notes a call and says whether it is the last one.
func (a *apiCounter) count(verb, resource string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls == nil {
		a.calls = map[string]int{}
	}
	a.calls[verb+" "+resource]++
	if !isWrite(verb) || resource == "events" {
		return false
	}
	a.wrote++
	return a.killAt > 0 && a.wrote == a.killAt
}

func (a *apiCounter) kill() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut = true
	if a.killed != nil {
		close(a.killed)
		a.killed = nil
	}
}

func (a *apiCounter) dead() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.cut
}

func (a *apiCounter) revive() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cut, a.killAt = false, 0
}

// killAfter cuts the operator off after so many more writes; the channel is closed when that happened.
func (a *apiCounter) killAfter(writes int) <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.killAt, a.killed = a.wrote+writes, make(chan struct{})
	return a.killed
}

// writes is the number of writes that are no events.
func (a *apiCounter) writes() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.wrote
}

// reset forgets all calls.
func (a *apiCounter) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = map[string]int{}
}

// seen returns the calls since the last reset, without watches.
func (a *apiCounter) seen() map[string]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	seen := map[string]int{}
	for call, n := range a.calls {
		if !strings.HasPrefix(call, "watch ") {
			seen[call] = n
		}
	}
	return seen
}

func isWrite(verb string) bool { return verb != "get" && verb != "watch" }

// verbOf reads verb and resource off a request: "patch touchpoints/status".
func verbOf(r *http.Request) (verb, resource string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) > 0 && parts[0] == "api" {
		parts = parts[min(2, len(parts)):]
	} else {
		parts = parts[min(3, len(parts)):]
	}
	if len(parts) > 2 && parts[0] == "namespaces" {
		parts = parts[2:]
	}
	if len(parts) > 0 {
		resource = parts[0]
	}
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	verb = map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete"}[r.Method]
	if verb == "" {
		verb = "get"
		if r.URL.Query().Get("watch") != "" {
			verb = "watch"
		}
	}
	return verb, resource
}
