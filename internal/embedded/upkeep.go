package embedded

import (
	"context"
	"time"

	"github.com/cx-operator/cx-operator/internal/intake"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	upkeepTick  = time.Minute
	retireEvery = time.Hour
	forgetEvery = day
	day         = 24 * time.Hour
	// visitsKept is how long a visit is known that may still end: longer than any figure looks back.
	visitsKept = 31 * day
)

// turns are when a program's store was last looked after.
type turns struct{ retired, forgotten time.Time }

// keepUp deletes what stores need no longer, soon after the start and whenever it is due.
func (e *Endpoint) keepUp(ctx context.Context) {
	tick := time.NewTicker(upkeepTick)
	defer tick.Stop()
	for {
		e.keepUpOnce(ctx, e.options.Clock())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// keepUpOnce looks after the programs whose turn it is. One whose store is away stays due; nobody waits for the same store
// twice.
func (e *Endpoint) keepUpOnce(ctx context.Context, now time.Time) {
	programs, away := e.served(), map[string]bool{}
	for key, p := range programs {
		s, ok := e.storeOf(p.storeName)
		if !ok || away[p.storeName] {
			continue
		}
		last := e.turnsOf(key)
		if now.Sub(last.retired) >= retireEvery {
			if e.retire(ctx, s, p.survey, now) {
				last.retired = now
			} else {
				away[p.storeName] = true
			}
		}
		if now.Sub(last.forgotten) >= forgetEvery && !away[p.storeName] {
			if e.forget(ctx, s, p, programs, now) {
				last.forgotten = now
			} else {
				away[p.storeName] = true
			}
		}
		e.noteTurns(key, last)
	}
}

// retire deletes answers that are older than their program keeps them, and says whether it could.
func (e *Endpoint) retire(ctx context.Context, s store.Store, sv *survey.Survey, now time.Time) bool {
	n, err := s.Retire(ctx, sv.Program, now.Add(-time.Duration(sv.RetentionDays)*day))
	if err != nil {
		if ctx.Err() == nil {
			e.options.Log.Error(err, "Answers past their retention were not deleted", "program", sv.Program.String())
		}
		return false
	}
	if n > 0 {
		e.options.Log.Info("Deleted answers past their retention", "program", sv.Program.String(), "answers", n)
	}
	return true
}

// forget deletes visits and invitations that nothing asks for any more, and says whether it could.
func (e *Endpoint) forget(ctx context.Context, s store.Store, p program, all map[store.Key]program, now time.Time) bool {
	kept := visitsKept
	for _, other := range all {
		if other.storeName == p.storeName {
			kept = max(kept, remembered(p.survey, other.survey))
		}
	}
	n, err := s.Forget(ctx, p.survey.Program, now.Add(-visitsKept), now.Add(-kept), now)
	if err != nil {
		if ctx.Err() == nil {
			e.options.Log.Error(err, "Visits and invitations of old were not deleted", "program", p.survey.Program.String())
		}
		return false
	}
	if n > 0 {
		e.options.Log.Info("Deleted visits and invitations of old", "program", p.survey.Program.String(), "records", n)
	}
	return true
}

// remembered is how long an invitation of a program binds one of the same store, which may be itself: from when it was made
// until nobody can be within a cooldown of it, or of the last answer to it.
func remembered(invited, by *survey.Survey) time.Duration {
	cooldowns := []survey.Cooldown{by.Access.Namespace}
	if invited.Program == by.Program {
		cooldowns = append(cooldowns, by.Access.Program)
	}
	answered := time.Duration(invited.LinkDays())*day + intake.LinkGrace
	longest := answered
	for _, c := range cooldowns {
		longest = max(longest, time.Duration(c.AfterInvitation)*day)
		if c.AfterAnswer > 0 { // which counts from the end of the day of the answer
			longest = max(longest, answered+time.Duration(c.AfterAnswer+1)*day)
		}
	}
	return longest
}

func (e *Endpoint) turnsOf(key store.Key) turns {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.turns[key]
}

// noteTurns notes it, unless the program was withdrawn meanwhile.
func (e *Endpoint) noteTurns(key store.Key, t turns) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, served := e.programs[key]; served {
		e.turns[key] = t
	}
}
