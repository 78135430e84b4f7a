package ledger

import "fmt"

// Result is what the ledger and the store have in common.
type Result struct {
	// Sent are the answers that were sent, however often.
	Sent int
	// Acknowledged are those that were said to be stored.
	Acknowledged int
	// Lost are those that were acknowledged and are not stored, or not as they were sent.
	Lost int
	// Duplicated are those that are stored or were called new more than once, and counts that are not what the stored answers
	// add up to.
	Duplicated int
	// Findings say which, at most 10 of each kind.
	Findings []string
}

// Compare compares the ledger with what is stored, once nothing is sent any more. Answers of others are left out of account,
// and so are those that are stored though nobody heard of it: to be sent again, they could only be what they are.
func (l *Ledger) Compare(stored Stored) Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Result{Sent: len(l.entries)}
	lost, twice := finder(&r, &r.Lost, "lost"), finder(&r, &r.Duplicated, "duplicated")
	for id, e := range l.entries {
		scores := stored.Scores[id]
		if e.acknowledged {
			r.Acknowledged++
		}
		switch {
		case e.acknowledged && len(scores) == 0:
			lost("%s was acknowledged and is not stored", id)
		case len(scores) > 0 && scores[0] != e.score:
			lost("%s was %d and is stored as %d", id, e.score, scores[0])
		case len(scores) > 1:
			twice("%s is stored %d times", id, len(scores))
		case e.created > 1:
			twice("%s was called new %d times", id, e.created)
		}
	}
	for _, difference := range stored.Differences {
		twice("counts: %s", difference)
	}
	return r
}

func finder(r *Result, count *int, what string) func(format string, args ...any) {
	return func(format string, args ...any) {
		const most = 10
		if *count++; *count <= most {
			r.Findings = append(r.Findings, what+": "+fmt.Sprintf(format, args...))
		}
	}
}
