package upkeep

import (
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

var visits = store.Key{Namespace: "sfo", Name: "visits"}

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

// What others of a shared store may ask is not known: as much is kept as any rule of theirs could need.
func TestKept(t *testing.T) {
	of := func(name, storeName string, shared bool, a survey.Access) Task {
		s := &survey.Survey{Program: store.Key{Namespace: "sfo", Name: name}, Access: a}
		return Task{Survey: s, StoreName: storeName, Shared: shared}
	}
	long := survey.Access{Namespace: survey.Cooldown{AfterInvitation: 200}}
	for name, c := range map[string]struct {
		task   Task
		others []Task
		days   int
	}{
		"alone":                {of("a", "one", false, survey.Access{}), nil, 31},
		"beside another":       {of("a", "one", false, survey.Access{}), []Task{of("b", "one", false, long)}, 200},
		"in another store":     {of("a", "one", false, survey.Access{}), []Task{of("b", "two", false, long)}, 31},
		"shared with unknowns": {of("a", "one", true, survey.Access{LinkDays: 10}), nil, 377},
	} {
		if got := kept(c.task, append(c.others, c.task)); got != time.Duration(c.days)*day {
			t.Errorf("%s: %s, want %d days", name, got, c.days)
		}
	}
}
