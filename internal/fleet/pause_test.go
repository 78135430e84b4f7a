package fleet

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cx-operator/cx-operator/internal/rollup"
	"github.com/cx-operator/cx-operator/internal/store"
)

func TestPauseAfter(t *testing.T) {
	for name, c := range map[string]struct {
		failures int
		ready    bool
		random   float64
		want     time.Duration
	}{
		"at first":            {1, false, 0, 5 * time.Second},
		"a quarter sooner":    {1, false, 1, 3750 * time.Millisecond},
		"twice as long":       {2, false, 0, 10 * time.Second},
		"and so on":           {4, false, 0, 40 * time.Second},
		"at the most":         {5, false, 0, time.Minute},
		"for ever":            {1 << 40, false, 0.5, 52500 * time.Millisecond},
		"with a pod in vain":  {9, true, 0, 10 * time.Second},
		"with a pod at first": {1, true, 0, 5 * time.Second},
	} {
		if got := pauseAfter(c.failures, c.ready, c.random); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// refused is a transport that reaches nobody, and counts.
type refused struct{ tries int }

func (r *refused) RoundTrip(*http.Request) (*http.Response, error) {
	r.tries++
	return nil, context.DeadlineExceeded
}

// An endpoint that does not exist is tried less and less often, and at once when its first pod takes answers.
func TestNobodyThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nobody := &refused{}
		told := 0
		m := newMember(visits, Options{Clock: time.Now, Address: func(store.Key) string { return "https://nobody.test" }}, nobody, make(chan struct{}, 1))
		m.told = func(context.Context) { told++ }
		m.serve(of(visits, "A"))
		try := func(d time.Duration) int {
			before := nobody.tries
			for end := time.Now().Add(d); time.Now().Before(end); <-time.After(retry) {
				if _, err := m.Changes(t.Context(), store.Cursor{}, 1); err == nil {
					t.Error("it is read")
				}
			}
			return nobody.tries - before
		}
		if n := try(time.Hour); n < 60 || n > 90 {
			t.Errorf("%d tries in an hour, want one in a minute, or a bit less", n)
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
		ready := of(visits, "A")
		ready.Ready = true
		m.serve(ready)
		if n := try(time.Second); n != 1 {
			t.Errorf("%d tries once a pod takes answers", n)
		}
		if n := try(time.Minute); n < 5 || n > 9 {
			t.Errorf("%d tries in a minute although a pod takes answers, want one in 10 s", n)
		}
		again := of(visits, "A")
		again.Ready, again.Token = true, "another"
		m.serve(again)
		if n := try(time.Second); n != 1 {
			t.Errorf("%d tries with a new token", n)
		}
	})
}

// Those that failed wait for their turn, those that did not do not.
func TestRetriesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turns := make(chan struct{}, 1)
		o := Options{Book: rollup.NewBook(), Clock: time.Now, Address: func(store.Key) string { return "https://nobody.test" }}
		failed, fresh := newMember(visits, o, &refused{}, turns), newMember(arrivals, o, &refused{}, turns)
		failed.failures = 1
		turns <- struct{}{} // somebody else's
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := failed.turn(ctx); err == nil {
			t.Error("two are tried again at once")
		}
		end, err := fresh.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		end()
		<-turns
		if end, err = failed.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		end()
		if len(turns) != 0 {
			t.Error("the turn does not end")
		}
	})
}
