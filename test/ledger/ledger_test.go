package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// program is one that can go wrong in every way that a ledger is there to find.
type program struct {
	mu     sync.Mutex
	stored []string // lines of the export
	known  map[string]bool
	// fault gets each new answer with its number, and may answer in its own way: then it returns true.
	fault       func(p *program, n int, w http.ResponseWriter, line string) bool
	differences []string
	seen        int
}

func (p *program) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.Method == http.MethodGet && r.Header.Get("Authorization") == "Bearer read":
		for _, line := range p.stored {
			fmt.Fprintln(w, line)
		}
	case strings.HasSuffix(r.URL.Path, ":annul") && r.Header.Get("Authorization") == "Bearer import":
		_ = json.NewEncoder(w).Encode(map[string]any{"recount": map[string]any{"differences": p.differences}})
	case r.Method == http.MethodPost && r.URL.Path == "/api/v1/namespaces/ns/programs/p/responses":
		p.submit(w, r)
	default:
		w.WriteHeader(http.StatusUnauthorized)
	}
}

func (p *program) submit(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var answer struct{ ID string }
	if err := json.Unmarshal(body, &answer); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if p.known[answer.ID] {
		return
	}
	p.seen++
	if p.fault != nil && p.fault(p, p.seen, w, string(body)) {
		return
	}
	p.known[answer.ID] = true
	p.stored = append(p.stored, string(body))
	w.WriteHeader(http.StatusCreated)
}

func TestLedgerFindsWhatIsWrong(t *testing.T) {
	const fifth = 5
	at := func(n int, do func(p *program, w http.ResponseWriter, line string) bool) func(*program, int, http.ResponseWriter, string) bool {
		return func(p *program, seen int, w http.ResponseWriter, line string) bool {
			return seen == n && do(p, w, line)
		}
	}
	tests := []struct {
		name  string
		fault func(p *program, n int, w http.ResponseWriter, line string) bool
		// differences of the recount
		differences      []string
		lost, duplicated int
		check            func(t *testing.T, c Counts)
	}{
		{name: "all is well", check: func(t *testing.T, c Counts) {
			if c.Trouble() != 0 {
				t.Errorf("trouble: %+v", c)
			}
		}},
		{name: "one is acknowledged and not stored", lost: 1, fault: at(fifth, func(p *program, w http.ResponseWriter, line string) bool {
			p.know(line)
			w.WriteHeader(http.StatusCreated)
			return true
		})},
		{name: "one is stored as another value", lost: 1, fault: at(fifth, func(p *program, w http.ResponseWriter, line string) bool {
			p.know(line)
			p.stored = append(p.stored, strings.NewReplacer(`"q":1`, `"q":2`, `"q":2`, `"q":3`, `"q":3`, `"q":4`, `"q":4`, `"q":5`, `"q":5`, `"q":1`).Replace(line))
			w.WriteHeader(http.StatusCreated)
			return true
		})},
		{name: "one is stored twice", duplicated: 1, fault: at(fifth, func(p *program, _ http.ResponseWriter, line string) bool {
			p.stored = append(p.stored, line)
			return false
		})},
		{name: "one is stored again when it is sent again", duplicated: 1, fault: at(fifth, func(p *program, w http.ResponseWriter, line string) bool {
			p.stored = append(p.stored, line)
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}), check: func(t *testing.T, c Counts) {
			if c.Unavailable != 1 || c.Trouble() != 1 {
				t.Errorf("counts %+v, want one that was unavailable", c)
			}
		}},
		{name: "one is called new twice", duplicated: 1, fault: at(1, func(_ *program, w http.ResponseWriter, _ string) bool {
			w.WriteHeader(http.StatusCreated) // the very first is sent by two at once
			return true
		})},
		{name: "one is counted twice", duplicated: 1, differences: []string{"a day has 8, and 7 are stored"}},
		{name: "one was stored and nobody said so", fault: at(fifth, func(p *program, _ http.ResponseWriter, line string) bool {
			p.know(line)
			p.stored = append(p.stored, line)
			panic(http.ErrAbortHandler)
		}), check: func(t *testing.T, c Counts) {
			if c.Wrong != 0 {
				t.Errorf("counts %+v, want none wrong", c)
			}
		}},
		{name: "a 500", fault: at(fifth, func(_ *program, w http.ResponseWriter, _ string) bool {
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}), check: func(t *testing.T, c Counts) {
			if c.Wrong != 1 || len(c.Faults) != 1 || !strings.Contains(c.Faults[0], "status 500") {
				t.Errorf("counts %+v, want one wrong, named", c)
			}
		}},
		{name: "a 503 without Retry-After", fault: at(fifth, func(_ *program, w http.ResponseWriter, _ string) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}), check: func(t *testing.T, c Counts) {
			if c.Wrong != 1 {
				t.Errorf("counts %+v, want one wrong", c)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &program{known: map[string]bool{}, fault: tt.fault, differences: tt.differences}
			server := httptest.NewServer(p)
			defer server.Close()
			o := Options{Address: server.URL, Program: "ns/p", Touchpoint: "t", Question: "q", PerSecond: 100, Pause: time.Millisecond}
			l := New(o)
			stop := l.Start(t.Context())
			awaitEntries(t, l, 10)
			stop(time.Minute)
			stored, err := Read(t.Context(), o, "read", "import")
			if err != nil {
				t.Fatal(err)
			}
			r := l.Compare(stored)
			if r.Lost != tt.lost || r.Duplicated != tt.duplicated || r.Acknowledged != r.Sent || r.Sent < 10 {
				t.Errorf("%+v, want all acknowledged, %d lost and %d duplicated", r, tt.lost, tt.duplicated)
			}
			if len(r.Findings) != tt.lost+tt.duplicated {
				t.Errorf("findings %q", r.Findings)
			}
			if tt.check != nil {
				tt.check(t, l.Counts())
			}
			if !l.AcknowledgedSince(time.Time{}) || l.AcknowledgedSince(time.Now()) {
				t.Error("something was acknowledged, and nothing after now")
			}
		})
	}
}

func (p *program) know(line string) {
	var answer struct{ ID string }
	if err := json.Unmarshal([]byte(line), &answer); err != nil {
		panic(err)
	}
	p.known[answer.ID] = true
}

// awaitEntries waits until so many answers were begun.
func awaitEntries(t *testing.T, l *Ledger, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		l.mu.Lock()
		begun := len(l.entries)
		l.mu.Unlock()
		if begun >= n {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("only %d answers were begun", begun)
		}
	}
}

// Where nobody answers, nothing is acknowledged and nothing lost, and stop does not wait for ever.
func TestNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	l := New(Options{Address: server.URL, Program: "ns/p", Touchpoint: "t", Question: "q", PerSecond: 100, Pause: time.Millisecond})
	stop := l.Start(t.Context())
	awaitEntries(t, l, 3)
	stop(50 * time.Millisecond)
	r := l.Compare(Stored{})
	if r.Sent < 3 || r.Acknowledged != 0 || r.Lost != 0 || r.Duplicated != 0 {
		t.Errorf("%+v, want some sent and nothing else", r)
	}
	if c := l.Counts(); c.Unanswered == 0 || c.Wrong != 0 {
		t.Errorf("counts %+v, want unanswered only", c)
	}
	if l.AcknowledgedSince(time.Time{}) {
		t.Error("something was acknowledged")
	}
	if _, ok := l.Recovery(time.Time{}); ok {
		t.Error("it counts as recovered")
	}
	if _, err := Read(t.Context(), l.options, "read", "import"); err == nil {
		t.Error("what is stored was read from nobody")
	}
}

// An export that one may not read, or that is no export, is never taken for an empty one.
func TestReadFails(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"unauthorized": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) },
		"no lines":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "<html>") },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, `{"id":"a","answers":{"q":1}}`)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
	} {
		server := httptest.NewServer(handler)
		if got, err := Read(t.Context(), Options{Address: server.URL, Program: "ns/p"}, "read", "import"); err == nil {
			t.Errorf("%s: %+v and no error", name, got)
		}
		server.Close()
	}
}

func TestRecovery(t *testing.T) {
	start := time.Now()
	events := func(pattern string) (all []event) {
		for i, c := range pattern {
			all = append(all, event{start.Add(time.Duration(i) * time.Second), c == '+'})
		}
		return all
	}
	for _, tt := range []struct {
		pattern string
		want    time.Duration
		ok      bool
	}{
		{"+++++", 0, true},
		{"", 0, true},
		{"-++", 0, true},                      // over before the moment
		{"+-+", 500 * time.Millisecond, true}, // on at the moment
		{"++--+", 2500 * time.Millisecond, true},
		{"++-+-++", 3500 * time.Millisecond, true},
		{"++--", 0, false},
		{"--", 0, false},
	} {
		got, ok := recovery(events(tt.pattern), start.Add(1500*time.Millisecond))
		if ok != tt.ok || ok && got != tt.want {
			t.Errorf("%q: %s, %t, want %s, %t", tt.pattern, got, ok, tt.want, tt.ok)
		}
	}
}
