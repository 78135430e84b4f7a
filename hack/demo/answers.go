package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// answer is one line of the import: one answer to one question. The table does not say which answers one passenger gave.
type answer struct {
	ID          string         `json:"id"`
	Touchpoint  string         `json:"touchpoint,omitempty"`
	Team        string         `json:"team,omitempty"`
	Language    string         `json:"language"`
	Answers     map[string]int `json:"answers"`
	SubmittedAt string         `json:"submittedAt"`
}

// answers turns the table into answers.
type answers struct {
	counts      []count
	touchpoints map[string]string // the touchpoint that serves a question, by question
	today       time.Time         // any instant of the day on which the demo runs
	location    *time.Location    // the airport's
}

// idSpace makes the demo's ids: the same row and ordinal always get the same one, so that a repeated import is a repeat.
var idSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://cx-operator.io/demo/sfo-2017"))

// writeTo writes one line of JSON per answer.
func (a answers) writeTo(w io.Writer) error {
	lines := bufio.NewWriter(w)
	encoder := json.NewEncoder(lines)
	first := a.firstOfMonth()
	for _, c := range a.counts {
		for ordinal := range c.N {
			if err := encoder.Encode(a.answer(c, ordinal, first)); err != nil {
				return fmt.Errorf("writing answers: %w", err)
			}
		}
	}
	if err := lines.Flush(); err != nil {
		return fmt.Errorf("writing answers: %w", err)
	}
	return nil
}

func (a answers) answer(c count, ordinal int, first time.Time) answer {
	id := uuid.NewSHA1(idSpace, fmt.Appendf(nil, "%d/%s/%s/%d/%d", c.Day, c.Area, c.Question, c.Score, ordinal))
	team := ""
	if c.Area != "" {
		team = "boarding-area-" + strings.ToLower(c.Area)
	}
	return answer{
		ID:          id.String(),
		Touchpoint:  a.touchpoints[c.Question],
		Team:        team,
		Language:    "en",
		Answers:     map[string]int{c.Question: c.Score},
		SubmittedAt: timeOfDay(first.AddDate(0, 0, c.Day-1), id).UTC().Format(time.RFC3339),
	}
}

// firstOfMonth is the day that stands for 1 May, so that the last day of the table is yesterday at the airport.
func (a answers) firstOfMonth() time.Time {
	last := slices.MaxFunc(a.counts, func(x, y count) int { return x.Day - y.Day }).Day
	year, month, day := a.today.In(a.location).Date()
	return time.Date(year, month, day-last, 0, 0, 0, 0, a.location)
}

// timeOfDay spreads answers over the hours in which an airport is busy, 05:00 to 23:00. The table does not know them.
func timeOfDay(day time.Time, id uuid.UUID) time.Time {
	const opens, seconds = 5, 18 * 60 * 60
	offset := binary.BigEndian.Uint64(id[8:]) % seconds
	year, month, date := day.Date()
	return time.Date(year, month, date, opens, 0, int(offset), 0, day.Location())
}

// servedBy tells for each question which touchpoint serves it: the first by name that names it. The comment, which every
// touchpoint serves, is not in the table.
func servedBy(touchpoints []v1alpha1.Touchpoint) map[string]string {
	served := map[string]string{}
	for i := range touchpoints {
		name := touchpoints[i].Name
		for _, question := range touchpoints[i].Spec.Questions {
			if other, taken := served[question]; !taken || name < other {
				served[question] = name
			}
		}
	}
	return served
}
