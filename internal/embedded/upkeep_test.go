package embedded

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// recorder is a store that takes note of what it is to forget.
type recorder struct {
	store.Store
	calls   []forgotten
	retires int
	// away is the error of Retire, err that of Forget.
	away, err error
}

func (r *recorder) Retire(ctx context.Context, program store.Key, before time.Time) (int64, error) {
	if r.retires++; r.away != nil {
		return 0, r.away
	}
	return r.Store.Retire(ctx, program, before)
}

type forgotten struct {
	Program                   store.Key
	Visits, Invitations, Made time.Time
}

func (r *recorder) Forget(_ context.Context, program store.Key, visits, invitations, now time.Time) (int64, error) {
	r.calls = append(r.calls, forgotten{program, visits, invitations, now})
	return 1, r.err
}

func (s *served) record() *recorder {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &recorder{Store: s.Endpoint.stores[answers.String()].store}
	s.Endpoint.stores[answers.String()].store = r
	return r
}

const day = 24 * time.Hour

func (s *served) keepUp(now time.Time) {
	s.t.Helper()
	s.keeper.Once(s.t.Context(), now, s.tasks())
}

// Visits and invitations are looked after once a day; a store that fails is asked again at the next turn.
func TestForgetting(t *testing.T) {
	s := start(t, t.TempDir())
	s.open()
	r := s.record()
	t.Cleanup(func() { s.mu.Lock(); s.Endpoint.stores[answers.String()].store = r.Store; s.mu.Unlock() })
	sv := form("A")
	sv.Access = survey.Access{LinkDays: 10, Program: survey.Cooldown{AfterAnswer: 90}}
	s.serve(sv)
	other := form("B")
	other.Program.Name = "departures"
	other.Access = survey.Access{Namespace: survey.Cooldown{AfterInvitation: 200}}
	now := s.clock()
	r.err = errors.New("disk full")
	s.keepUp(now)
	r.err = nil
	s.keepUp(now.Add(time.Minute))
	s.keepUp(now.Add(time.Hour))
	s.keepUp(now.Add(24 * time.Hour))
	s.serve(other)
	s.keepUp(now.Add(50 * time.Hour))
	call := func(program store.Key, at time.Time, days int) forgotten {
		return forgotten{program, at.Add(-31 * day), at.Add(-time.Duration(days) * day), at}
	}
	want := []forgotten{
		call(visits, now, 102), call(visits, now.Add(time.Minute), 102), // and not an hour, nor a day less a minute, later
		call(visits, now.Add(50*time.Hour), 200), call(other.Program, now.Add(50*time.Hour), 200),
	}
	if len(r.calls) == 4 && r.calls[2].Program != visits { // programs have no order
		r.calls[2], r.calls[3] = r.calls[3], r.calls[2]
	}
	if diff := cmp.Diff(want, r.calls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A store that hangs is waited for once in a round, not once for each of its programs.
func TestUpkeepOfAStoreThatIsAway(t *testing.T) {
	s := start(t, t.TempDir())
	s.open()
	r := s.record()
	t.Cleanup(func() { s.mu.Lock(); s.Endpoint.stores[answers.String()].store = r.Store; s.mu.Unlock() })
	other := form("B")
	other.Program.Name = "departures"
	s.serve(form("A"))
	s.serve(other)
	r.away = errors.New("no answer")
	s.keepUp(s.clock())
	if r.retires != 1 || len(r.calls) != 0 {
		t.Errorf("the store was asked %d times to retire and %d times to forget, want once", r.retires, len(r.calls))
	}
	r.away = nil
	s.keepUp(s.clock().Add(time.Minute))
	if r.retires != 3 || len(r.calls) != 2 {
		t.Errorf("then it was asked %d times to retire and %d times to forget, want twice more each", r.retires, len(r.calls))
	}
}
