package storetest

import (
	"slices"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// series names what a count counts.
type series struct {
	Program                    store.Key
	Touchpoint, Unit, Question string
	Revision                   int32
	Hour                       store.Hour
	Value                      string
}

func seriesOf(c store.Count) series {
	return series{c.Program, c.Touchpoint, c.Unit, c.Question, c.Revision, c.Hour, c.Value}
}

// hourOf is store.HourOf, made anew.
func hourOf(at time.Time) store.Hour { return store.Hour(at.Truncate(time.Hour).Unix() / 3600) }

// tally counts responses as a store should, independently of it.
func tally(responses []store.Response) map[series]int64 {
	out := map[series]int64{}
	for _, r := range responses {
		switch r.Standing {
		case store.StandingAnnulled:
		case store.StandingSuspect:
			for _, check := range r.Failed {
				out[pseudo(r.Program, r.Touchpoint, r.Unit, "@suspect", r.SubmittedAt, check)]++
			}
		default:
			tallyAnswers(r, out)
		}
		tallyVisit(r, out)
	}
	return out
}

func tallyAnswers(r store.Response, out map[series]int64) {
	for _, a := range r.Answers {
		values := slices.Clone(a.Values)
		switch a.Kind {
		case store.KindMultiple:
			values = append(values, "")
		case store.KindText:
			values = []string{""}
		}
		for _, v := range values {
			out[series{r.Program, r.Touchpoint, r.Unit, a.Question, a.Revision, hourOf(r.SubmittedAt), v}]++
		}
	}
}

// tallyVisit counts the visit that a response ended.
func tallyVisit(r store.Response, out map[series]int64) {
	if r.StartedAt.IsZero() {
		return
	}
	out[pseudo(r.Program, r.Touchpoint, r.Unit, "@completed", r.StartedAt, "")]++
	if seconds, ok := store.SecondsBucket(r.SubmittedAt.Sub(r.StartedAt)); ok {
		out[pseudo(r.Program, r.Touchpoint, r.Unit, "@seconds", r.StartedAt, seconds)]++
	}
}

// pseudo names a count of a pseudo-question.
func pseudo(program store.Key, touchpoint, unit, question string, at time.Time, value string) series {
	return series{program, touchpoint, unit, question, 1, hourOf(at), value}
}

// ofInvitation and ofVisit name a count that an invitation or a visit is in.
func ofInvitation(i store.Invitation, question, value string) series {
	return pseudo(i.Program, i.Touchpoint, i.Unit, question, i.InvitedAt, value)
}

func ofVisit(v store.Visit, question, value string) series {
	return pseudo(v.Program, v.Touchpoint, v.Unit, question, v.StartedAt, value)
}

// sum adds counts up, without those that come to nothing.
func sum(all ...map[series]int64) map[series]int64 {
	out := map[series]int64{}
	for _, counts := range all {
		for key, n := range counts {
			if out[key] += n; out[key] == 0 {
				delete(out, key)
			}
		}
	}
	return out
}

// ofProgram returns the counts of one program.
func ofProgram(counts map[series]int64, program store.Key) map[series]int64 {
	out := map[series]int64{}
	for key, n := range counts {
		if key.Program == program {
			out[key] = n
		}
	}
	return out
}
