package participation

import (
	"math"
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// counts are those of one window.
type counts struct {
	completed, invited, answered int64
	// unfinished visits by the last question that was answered; skipped invitations by store.Skip.String; suspect
	// responses by the check that failed.
	unfinished, skipped, suspect map[string]int64
	// seconds are the completed visits whose time is known, by store.SecondsBucket.
	seconds map[int64]int64
}

// read counts the window that ends at to, and says when it next differs although nothing is counted before: its first hour
// with a count falls out of it, or an hour that has counts already ends. A visit is counted in the hour that runs; that of
// another machine may be one ahead.
func read(count CountFunc, to store.Hour) (counts, time.Time) {
	var next store.Hour
	consider := func(h store.Hour) {
		if next == 0 || h < next {
			next = h
		}
	}
	values := func(question string) map[string]int64 {
		w := count(question, to-windowHours, to)
		if w.Any {
			consider(w.Earliest + windowHours + 1)
		}
		if ahead := count(question, to, to+2); ahead.Any {
			consider(ahead.Earliest + 1)
		}
		return w.Values
	}
	c := counts{
		completed:  sum(values(store.QuestionCompleted)),
		unfinished: values(store.QuestionUnfinished),
		seconds:    buckets(values(store.QuestionSeconds)),
		invited:    sum(values(store.QuestionInvited)),
		answered:   sum(values(store.QuestionAnswered)),
		skipped:    values(store.QuestionSkipped),
		suspect:    values(store.QuestionSuspect),
	}
	c.answered = min(c.answered, c.invited)
	if next == 0 {
		return c, time.Time{}
	}
	return c, next.Time()
}

// buckets reads the upper ends of store.SecondsBucket; what is none is left out.
func buckets(values map[string]int64) map[int64]int64 {
	found := map[int64]int64{}
	for value, n := range values {
		if s, err := strconv.ParseInt(value, 10, 64); err == nil && s >= 1 && n > 0 {
			found[s] = add(found[s], n)
		}
	}
	return found
}

func sum[K comparable](values map[K]int64) int64 {
	var all int64
	for _, n := range values {
		all = add(all, n)
	}
	return all
}

// add is a sum that does not overflow. Counts are never negative; one that is counts as none.
func add(a, b int64) int64 {
	b = max(b, 0)
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
