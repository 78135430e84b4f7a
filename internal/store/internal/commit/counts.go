package commit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// CountKey says what a count counts. Program is the program's number in the database.
type CountKey struct {
	Program    int64
	Touchpoint string
	Unit       string
	Question   string
	Revision   int32
	Hour       store.Hour
	Value      string
}

// CompareKeys orders counts by their fields, texts by their bytes.
func CompareKeys(a, b CountKey) int {
	return cmp.Or(
		cmp.Compare(a.Program, b.Program),
		cmp.Compare(a.Touchpoint, b.Touchpoint),
		cmp.Compare(a.Unit, b.Unit),
		cmp.Compare(a.Question, b.Question),
		cmp.Compare(a.Revision, b.Revision),
		cmp.Compare(a.Hour, b.Hour),
		cmp.Compare(a.Value, b.Value),
	)
}

// Counts is what a transaction adds to the counts.
type Counts map[CountKey]int64

// Add counts a row: its answers, or the checks that it failed, as its standing says, the visit that it ends, and the case that
// it opens.
func (c Counts) Add(program int64, r *Row) {
	key := CountKey{Program: program, Touchpoint: r.Touchpoint, Unit: r.Unit, Hour: r.Hour}
	switch r.Standing {
	case store.StandingAnnulled:
	case store.StandingSuspect:
		for _, check := range r.FailedChecks {
			c.AddPseudo(key, store.QuestionSuspect, check, 1)
		}
	default:
		c.addAnswers(key, r.Answers)
	}
	if r.Case != nil {
		c.AddCase(program, &store.Case{
			Touchpoint: r.Touchpoint, State: store.CaseOpen, OpenedAt: instant(r.SubmittedAt), PromisedBy: instant(r.Case.PromisedBy),
		}, 1)
	}
	if !r.Started {
		return
	}
	key.Hour = r.StartedHour
	c.AddPseudo(key, store.QuestionCompleted, "", 1)
	if r.Seconds != "" {
		c.AddPseudo(key, store.QuestionSeconds, r.Seconds, 1)
	}
}

func (c Counts) addAnswers(key CountKey, answers []Answer) {
	for _, a := range answers {
		key.Question, key.Revision = a.Question, a.Revision
		for _, v := range a.Counted {
			key.Value = v
			c[key]++
		}
	}
}

// AddPseudo adds n to the count of a pseudo-question, where the key says the rest: program, touchpoint, unit and hour.
func (c Counts) AddPseudo(key CountKey, question, value string, n int64) {
	key.Question, key.Revision, key.Value = question, 1, value
	c[key] += n
}

// Merge adds all of other.
func (c Counts) Merge(other Counts) {
	for k, n := range other {
		c[k] += n
	}
}

// Sorted returns the keys in the order of CompareKeys. Who changes counts in that order cannot deadlock with another.
func (c Counts) Sorted() []CountKey { return slices.SortedFunc(maps.Keys(c), CompareKeys) }

// MaxDifferences bounds what a recount lists.
const MaxDifferences = 100

// Difference describes a count that does not hold, for a recount. c.N is what is counted.
func Difference(c store.Count, kept, retired int64) string {
	return fmt.Sprintf("touchpoint %q, unit %q, question %q revision %d, hour %s, value %q: counted %d, "+
		"recounted %d kept and %d retired", c.Touchpoint, c.Unit, c.Question, c.Revision,
		c.Hour.Time().Format(time.RFC3339), c.Value, c.N, kept, retired)
}
