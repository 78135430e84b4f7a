package convert

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// boundQuestion reads the answer to one question from the cells of a row.
type boundQuestion struct {
	name, kind string
	// asked is the question of the survey; nil where the survey is not known.
	asked *survey.Question
	// columns: one, or for MultipleChoice one for each of names, the choices.
	columns []int
	names   []string
	// headers are the keys of the headers of names' columns.
	headers []string
	// labels translates a label's key to a number or the name of a choice; mapped are the labels that the mapping has.
	labels map[string]any
	mapped []string
	// coded says that some labels are numbers, so that a number which is none of them means nothing.
	coded             bool
	noAnswer          map[string]bool
	separator         string
	chosen, notChosen map[string]bool
}

// fault is what is wrong with one cell.
type fault struct {
	column  int
	message string
}

// answer returns the answer in a row, nil if there is none, or what is wrong.
func (q *boundQuestion) answer(cells []string, noAnswer map[string]bool) (any, []fault) {
	if q.names != nil {
		return q.fromColumns(cells, noAnswer)
	}
	at := q.columns[0]
	value, message := q.fromCell(cells[at], noAnswer)
	if message != "" {
		return nil, []fault{{at, message}}
	}
	return value, nil
}

func (q *boundQuestion) fromCell(cell string, noAnswer map[string]bool) (value any, message string) {
	text := tidy(plainValue(cell))
	key := strings.ToLower(text)
	if _, isLabel := q.labels[key]; !isLabel && (key == "" || q.noAnswer[key] || noAnswer[key]) {
		return nil, ""
	}
	if lostToSpreadsheet(cell) {
		return nil, fmt.Sprintf("%s shows that a spreadsheet has lost what was here: take it from the original, or list it in noAnswer", quoted(text))
	}
	switch q.kind {
	case typeText:
		return strings.TrimSpace(plain(cell)), ""
	case typeMultiple:
		return q.several(text)
	case typeSingle:
		if name, ok := q.one(text); ok {
			return name, ""
		}
		return nil, q.unknown(text)
	}
	return q.scale(text)
}

func (q *boundQuestion) scale(text string) (any, string) {
	if value, ok := q.labels[strings.ToLower(text)]; ok {
		return value, ""
	}
	if q.coded {
		return nil, q.unknown(text)
	}
	n, problem := wholeOf(text)
	if problem != "" {
		if len(q.mapped) > 0 && !scientific.MatchString(text) {
			return nil, q.unknown(text)
		}
		return nil, fmt.Sprintf("%s %s%s", quoted(text), problem, q.bounds())
	}
	if q.asked != nil && (n < int64(q.asked.Scale.Min) || n > int64(q.asked.Scale.Max)) {
		return nil, fmt.Sprintf("%d is not on the scale%s", n, q.bounds())
	}
	return int(n), ""
}

func (q *boundQuestion) bounds() string {
	if q.asked == nil {
		return ""
	}
	return fmt.Sprintf(", allowed are %d to %d", q.asked.Scale.Min, q.asked.Scale.Max)
}

// one returns the choice that a label stands for. Where no labels are known, the label must be the name.
func (q *boundQuestion) one(text string) (string, bool) {
	if value, ok := q.labels[strings.ToLower(text)]; ok {
		name, ok := value.(string)
		return name, ok
	}
	return text, len(q.labels) == 0
}

// several reads the choices of one cell. A label may have the separator in it: of the ways to cut, the one with the
// longest labels first is taken.
func (q *boundQuestion) several(text string) (any, string) {
	parts := strings.Split(text, strings.TrimSpace(q.separator))
	if strings.TrimSpace(q.separator) == "" {
		parts = strings.Split(text, " ")
	}
	var names []string
	for i := 0; i < len(parts); {
		if strings.TrimSpace(parts[i]) == "" {
			i++
			continue
		}
		name, used := q.longest(parts[i:])
		if used == 0 {
			return nil, q.unknown(tidy(parts[i]))
		}
		if slices.Contains(names, name) {
			return nil, fmt.Sprintf("names the choice %s twice", name)
		}
		names = append(names, name)
		i += used
	}
	if len(names) == 0 {
		return nil, ""
	}
	return names, ""
}

// maxJoined bounds how many parts are tried as one label.
const maxJoined = 10

func (q *boundQuestion) longest(parts []string) (name string, used int) {
	if len(q.labels) == 0 {
		return tidy(parts[0]), 1
	}
	for n := min(len(parts), maxJoined); n > 0; n-- {
		if name, ok := q.one(tidy(strings.Join(parts[:n], strings.TrimSpace(q.separator)))); ok {
			return name, n
		}
	}
	return "", 0
}

// fromColumns reads one column for each choice. A cell that says its own header, as some tools write it, says yes.
func (q *boundQuestion) fromColumns(cells []string, noAnswer map[string]bool) (any, []fault) {
	var names []string
	var faults []fault
	for i, at := range q.columns {
		key := labelKey(plainValue(cells[at]))
		switch {
		case key == "" || q.notChosen[key] || q.noAnswer[key] || noAnswer[key]:
		case q.chosen[key] || key == q.headers[i] || key == labelKey(q.names[i]) || q.labels[key] == q.names[i]:
			if !slices.Contains(names, q.names[i]) {
				names = append(names, q.names[i])
			}
		default:
			faults = append(faults, fault{at, fmt.Sprintf("%s says neither that the choice was made (%s, or its label) nor that it was not (%s)",
				quoted(tidy(cells[at])), sorted(q.chosen), sorted(q.notChosen))})
		}
	}
	if len(names) == 0 || len(faults) > 0 {
		return nil, faults
	}
	return names, nil
}

func sorted(set map[string]bool) string { return list(slices.Sorted(maps.Keys(set))) }

// unknown says that a label means nothing, and which do.
func (q *boundQuestion) unknown(text string) string {
	const most = 20
	allowed := slices.Clone(q.mapped)
	allowed = append(allowed, q.choiceNames()...)
	if len(allowed) > most {
		allowed = append(allowed[:most], "...")
	}
	for i, label := range allowed {
		allowed[i] = quoted(label)
	}
	also := ""
	if q.kind == typeScale && !q.coded && q.asked != nil {
		also = fmt.Sprintf(", or a number from %d to %d", q.asked.Scale.Min, q.asked.Scale.Max)
	}
	return fmt.Sprintf("%s is not known, allowed are %s%s", quoted(text), list(allowed), also)
}

func (q *boundQuestion) hasChoice(name string) bool { return slices.Contains(q.choiceNames(), name) }

func (q *boundQuestion) choiceNames() []string {
	if q.asked == nil {
		return nil
	}
	var names []string
	for _, c := range q.asked.Choices {
		names = append(names, c.Name)
	}
	return names
}
