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
	calls []forgotten
	err   error
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
	s.keepUpOnce(t.Context(), now)
	r.err = nil
	s.keepUpOnce(t.Context(), now.Add(time.Minute))
	s.keepUpOnce(t.Context(), now.Add(time.Hour))
	s.keepUpOnce(t.Context(), now.Add(24*time.Hour))
	s.serve(other)
	s.keepUpOnce(t.Context(), now.Add(50*time.Hour))
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

func TestRemembered(t *testing.T) {
	arrivals := store.Key{Namespace: "sfo", Name: "arrivals"}
	of := func(program store.Key, a survey.Access) *survey.Survey {
		return &survey.Survey{Program: program, Access: a}
	}
	for name, c := range map[string]struct {
		invited, by *survey.Survey
		days        int
	}{
		"no rules, no links":        {of(visits, survey.Access{}), of(visits, survey.Access{}), 31},
		"no rules":                  {of(visits, survey.Access{LinkDays: 7}), of(visits, survey.Access{LinkDays: 7}), 8},
		"an invitation":             {of(visits, survey.Access{}), of(visits, survey.Access{Program: survey.Cooldown{AfterInvitation: 90}}), 90},
		"a short rule":              {of(visits, survey.Access{}), of(visits, survey.Access{Program: survey.Cooldown{AfterInvitation: 3}}), 31},
		"the last day of an answer": {of(visits, survey.Access{}), of(visits, survey.Access{Program: survey.Cooldown{AfterAnswer: 365}}), 397},
		"another program":           {of(visits, survey.Access{}), of(arrivals, survey.Access{Program: survey.Cooldown{AfterInvitation: 90}}), 31},
		"the namespace": {
			of(visits, survey.Access{LinkDays: 7}), of(arrivals, survey.Access{LinkDays: 365, Namespace: survey.Cooldown{AfterAnswer: 30}}), 39,
		},
	} {
		if got := remembered(c.invited, c.by); got != time.Duration(c.days)*day {
			t.Errorf("%s: %s, want %d days", name, got, c.days)
		}
	}
}
