// Package upkeep deletes what stores need no longer: answers past their retention, contacts of cases that were closed long ago,
// and visits and invitations that nothing asks for any more.
package upkeep

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/cx-operator/cx-operator/internal/intake"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

const (
	tickEvery   = time.Minute
	retireEvery = time.Hour
	forgetEvery = day
	day         = 24 * time.Hour
	// visitsKept is how long a visit is known that may still end: longer than any figure looks back.
	visitsKept = 31 * day
	// longestCooldown is what the API allows, in days.
	longestCooldown = 365
)

// Task is a program whose answers are looked after.
type Task struct {
	// Survey of the program as it is served.
	Survey *survey.Survey
	// Store that keeps its answers; nil while it is not open.
	Store store.Store
	// StoreName is the same for tasks of one store, and for no others.
	StoreName string
	// Shared says that the store may have programs of the namespace beside those of the tasks, with rules that are not known
	// here. Their invitations bind as long as any rule could have them.
	Shared bool
}

// Keeper remembers when each program was last looked after. Its zero value with a Log is ready. It is safe for concurrent use.
type Keeper struct {
	// Log is told of what was deleted and what could not be.
	Log logr.Logger

	mu    sync.Mutex
	turns map[store.Key]turns
}

// turns are when a program's store was last looked after.
type turns struct{ retired, forgotten time.Time }

// Run looks after the tasks, as they are each time, soon after the start and whenever it is due, until the context ends.
func (k *Keeper) Run(ctx context.Context, clock func() time.Time, tasks func() []Task) {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		k.Once(ctx, clock(), tasks())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Once looks after the programs whose turn it is. One whose store is away stays due; nobody waits for the same store twice.
// Programs that are not among the tasks are due when they are again.
func (k *Keeper) Once(ctx context.Context, now time.Time, tasks []Task) {
	away, next := map[string]bool{}, map[store.Key]turns{}
	last := k.last()
	for _, t := range tasks {
		key := t.Survey.Program
		done := last[key]
		if t.Store != nil && !away[t.StoreName] {
			var ok bool
			if done, ok = k.lookAfter(ctx, now, t, tasks, done); !ok {
				away[t.StoreName] = true
			}
		}
		next[key] = done
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.turns = next
}

func (k *Keeper) last() map[store.Key]turns {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.turns
}

// lookAfter does what is due for a program. It returns when each thing was last done, and false where the store is away.
func (k *Keeper) lookAfter(ctx context.Context, now time.Time, t Task, all []Task, last turns) (turns, bool) {
	if now.Sub(last.retired) >= retireEvery {
		if !k.retire(ctx, t, now) || !k.expire(ctx, t, now) {
			return last, false
		}
		last.retired = now
	}
	if now.Sub(last.forgotten) >= forgetEvery {
		if !k.forget(ctx, t, all, now) {
			return last, false
		}
		last.forgotten = now
	}
	return last, true
}

// retire deletes answers that are older than their program keeps them, and says whether it could.
func (k *Keeper) retire(ctx context.Context, t Task, now time.Time) bool {
	program := t.Survey.Program
	n, err := t.Store.Retire(ctx, program, now.Add(-time.Duration(t.Survey.RetentionDays)*day))
	if err != nil {
		if ctx.Err() == nil {
			k.Log.Error(err, "Answers past their retention were not deleted", "program", program.String())
		}
		return false
	}
	if n > 0 {
		k.Log.Info("Deleted answers past their retention", "program", program.String(), "answers", n)
	}
	return true
}

// expire erases contacts that are kept no longer, those of answers that were just deleted among them, and says whether it could.
func (k *Keeper) expire(ctx context.Context, t Task, now time.Time) bool {
	program := t.Survey.Program
	n, err := t.Store.ExpireContacts(ctx, program, now)
	if err != nil {
		if ctx.Err() == nil {
			k.Log.Error(err, "Contacts that are kept no longer were not erased", "program", program.String())
		}
		return false
	}
	if n > 0 {
		k.Log.Info("Erased contacts that are kept no longer", "program", program.String(), "contacts", n)
	}
	return true
}

// forget deletes visits and invitations that nothing asks for any more, and says whether it could.
func (k *Keeper) forget(ctx context.Context, t Task, all []Task, now time.Time) bool {
	program := t.Survey.Program
	n, err := t.Store.Forget(ctx, program, now.Add(-visitsKept), now.Add(-kept(t, all)), now)
	if err != nil {
		if ctx.Err() == nil {
			k.Log.Error(err, "Visits and invitations of old were not deleted", "program", program.String())
		}
		return false
	}
	if n > 0 {
		k.Log.Info("Deleted visits and invitations of old", "program", program.String(), "records", n)
	}
	return true
}

// kept is how long the invitations of a task's program bind anybody.
func kept(t Task, all []Task) time.Duration {
	longest := visitsKept
	for _, other := range all {
		if other.StoreName == t.StoreName {
			longest = max(longest, remembered(t.Survey, other.Survey))
		}
	}
	if t.Shared {
		strictest := survey.Cooldown{AfterInvitation: longestCooldown, AfterAnswer: longestCooldown}
		longest = max(longest, remembered(t.Survey, &survey.Survey{Access: survey.Access{Namespace: strictest}}))
	}
	return longest
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
