package convert

import (
	"fmt"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// keeps tells whether the filters keep a row.
func (p *plan) keeps(cells []string) bool {
	for _, f := range p.only {
		key := labelKey(plainValue(cells[f.at]))
		if f.notEmpty && (key == "" || p.noAnswer[key]) || !f.notEmpty && !f.values[key] {
			return false
		}
	}
	return true
}

// submission reads a row, all but its id.
func (p *plan) submission(cells []string) (survey.Submission, []fault) {
	sub := p.constant
	var faults []fault
	for _, f := range []struct {
		at   int
		into *string
	}{{p.touchpoint, &sub.Touchpoint}, {p.team, &sub.Team}, {p.language, &sub.Language}} {
		if f.at >= 0 {
			*f.into = p.text(f.at, cells[f.at])
		}
	}
	if p.at >= 0 {
		at, message := p.time(cells[p.at])
		if message != "" {
			faults = append(faults, fault{p.at, message})
		}
		sub.SubmittedAt = at
	}
	if p.standing >= 0 {
		sub.Standing = p.text(p.standing, cells[p.standing])
	}
	sub.Passed, sub.Failed = names(cells, p.passed), names(cells, p.failed)
	sub.Answers = make(map[string]any, len(p.questions))
	for i := range p.questions {
		value, wrong := p.questions[i].answer(cells, p.noAnswer)
		faults = append(faults, wrong...)
		if value != nil {
			sub.Answers[p.questions[i].name] = value
		}
	}
	return sub, faults
}

// names reads a cell with the names of checks; none where there is no such column.
func names(cells []string, column int) []string {
	if column < 0 {
		return nil
	}
	var all []string
	for name := range strings.SplitSeq(plainValue(cells[column]), ";") {
		if name = tidy(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// text reads a cell of a touchpoint, team or language.
func (p *plan) text(column int, cell string) string {
	cell = tidy(plainValue(cell))
	key := strings.ToLower(cell)
	if value, ok := p.fields[column][key]; ok {
		return value
	}
	if p.noAnswer[key] {
		return ""
	}
	return cell
}

func (p *plan) time(cell string) (at, message string) {
	text := tidy(plainValue(cell))
	switch {
	case text == "" || p.noAnswer[strings.ToLower(text)]:
		return "", "is empty: an answer needs the time at which it was given"
	case p.unknownTime != "" && text == p.unknownTime:
		return "", fmt.Sprintf("%s stands for a time that the tool did not keep: give one for all answers as submittedAt.value", text)
	}
	read, err := p.clock.read(cell)
	if err != nil {
		return "", err.Error()
	}
	return written(read), ""
}

// written returns a time as a submission has it.
func written(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// times returns how many answers a row stands for.
func (p *plan) times(cells []string) (int, []fault) {
	if p.count < 0 {
		return 1, nil
	}
	text := tidy(plainValue(cells[p.count]))
	n, problem := wholeOf(text)
	switch {
	case text == "":
		return 0, []fault{{p.count, fmt.Sprintf("is empty, must be a whole number from 0 to %d", MaxCount)}}
	case problem != "":
		return 0, []fault{{p.count, fmt.Sprintf("%s %s, must be from 0 to %d", quoted(text), problem, MaxCount)}}
	case n < 0 || n > MaxCount:
		return 0, []fault{{p.count, fmt.Sprintf("%d is out of bounds, must be from 0 to %d", n, MaxCount)}}
	}
	return int(n), nil
}

// columnOf returns the column that the field of a submission was read from, or -1.
func (p *plan) columnOf(pointer string) int {
	switch pointer {
	case "/id":
		return p.id
	case "/touchpoint":
		return p.touchpoint
	case "/team":
		return p.team
	case "/language":
		return p.language
	case "/submittedAt":
		return p.at
	case "/standing":
		return p.standing
	}
	for prefix, column := range map[string]int{"/passed": p.passed, "/failed": p.failed} {
		if strings.HasPrefix(pointer, prefix) {
			return column
		}
	}
	rest, ok := strings.CutPrefix(pointer, "/answers/")
	if !ok {
		return -1
	}
	name, _, _ := strings.Cut(rest, "/")
	for _, q := range p.questions {
		if q.name == name {
			return q.columns[0]
		}
	}
	return -1
}
