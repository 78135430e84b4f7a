package convert

import (
	"strings"
	"testing"
)

func TestParseMapping(t *testing.T) {
	m := mustMap(t, `version: 1
source: s
noAnswer: [No, "-", 99]
only: [{column: done, values: [Yes, 1]}]
submittedAt: {value: 2026-03-31}
questions:
  a: {column: a, values: {Yes: 1, No: 0, On: 2, 3: 3}}
`)
	// These words are labels, whatever YAML 1.1 says of them.
	if m.NoAnswer[0] != "No" || m.NoAnswer[2] != "99" || m.Only[0].Values[0] != "Yes" || m.Questions["a"].Values["No"] != 0 ||
		m.Questions["a"].Values["3"] != 3 || m.SubmittedAt.Value != "2026-03-31" {
		t.Errorf("%+v", m)
	}
	for name, c := range map[string]struct{ text, says string }{
		"empty":               {"", "empty"},
		"no version":          {"source: s", "version: must be 1"},
		"a later version":     {"version: 2\nsource: s", "version: must be 1"},
		"no source":           {"version: 1", "source: is required"},
		"control characters":  {"version: 1\nsource: \"a\\u0007b\"", "source: must have"},
		"an unknown field":    {"version: 1\nsource: s\nquestion: {}", "line 3: field question not found at the top"},
		"one deeper":          {"version: 1\nsource: s\nid: {colum: a}", "field colum not found in Column"},
		"twice":               {"version: 1\nsource: s\nsource: t", `"source" already defined`},
		"of another type":     {"version: 1\nsource: [s]", "cannot take list as string"},
		"a text that is cut":  {"version: 1\nsource: s\nid: Straße-Nummer", "cannot take text `Straße...` as Column"},
		"cut in a character":  {"version: 1\nsource: s\nid: Antworß-Nummer", "cannot take text `Antwor...` as Column"},
		"two documents":       {"version: 1\nsource: s\n---\nversion: 1", "one YAML document"},
		"an unknown format":   {"version: 1\nsource: s\nformat: xls", "allowed are csv, formbricks, limesurvey, typeform"},
		"an unknown encoding": {"version: 1\nsource: s\nencoding: utf8", "encoding: \"utf8\" is unknown, allowed are iso-8859-1, utf-16, utf-8, windows-1252"},
		"a delimiter":         {"version: 1\nsource: s\ndelimiter: ';;'", "delimiter: must be one of"},
		"a time zone":         {"version: 1\nsource: s\nsubmittedAt: {column: a, timeZone: Berlin}", "submittedAt: timeZone: \"Berlin\" is unknown"},
		"this machine's zone": {"version: 1\nsource: s\nsubmittedAt: {column: a, timeZone: Local}", "is unknown"},
		"a time format":       {"version: 1\nsource: s\nsubmittedAt: {column: a, formats: [MM/dd]}", "submittedAt: formats[0]: \"MM/dd\": a format needs a year"},
		"a time twice":        {"version: 1\nsource: s\nsubmittedAt: {column: a, value: b}", "either column or value"},
		"an id without":       {"version: 1\nsource: s\nid: {}", "id: column is required"},
		"nth":                 {"version: 1\nsource: s\nid: {column: a, nth: -1}", "id: nth must be"},
		"a filter of nothing": {"version: 1\nsource: s\nonly: [{column: a}]", "only[0]: either values or notEmpty"},
		"a field of nothing":  {"version: 1\nsource: s\nteam: {}", "team: either column or value"},
		"a field of both":     {"version: 1\nsource: s\nteam: {column: a, value: b}", "team: either column or value"},
		"a constant's values": {"version: 1\nsource: s\nteam: {value: b, values: {a: b}}", "team: values and nth go with column"},
		"a question of none":  {"version: 1\nsource: s\nquestions: {a: {}}", "questions.a: either column or columns"},
		"a question's type":   {"version: 1\nsource: s\nquestions: {a: {column: a, type: NPS}}", "questions.a: type: \"NPS\" is unknown, allowed are Scale"},
		"half a value":        {"version: 1\nsource: s\nquestions: {a: {column: a, values: {x: 1.5}}}", "\"x\" must be a whole number"},
		"a boolean value":     {"version: 1\nsource: s\nquestions: {a: {column: a, values: {x: true}}}", "\"x\" must be a whole number"},
		"one label twice":     {"version: 1\nsource: s\nquestions: {a: {column: a, values: {Don't: 1, \"don’t\": 2}}}", "are the same label"},
		"label and no answer": {"version: 1\nsource: s\nquestions: {a: {column: a, values: {x: 1}, noAnswer: [X]}}", "are the same label"},
		"columns of a scale":  {"version: 1\nsource: s\nquestions: {a: {columns: {a: b}, type: Scale}}", "columns go with the type"},
		"columns and values":  {"version: 1\nsource: s\nquestions: {a: {columns: {a: b}, values: {a: 1}}}", "go with column, not with columns"},
		"chosen without":      {"version: 1\nsource: s\nquestions: {a: {column: a, chosen: [x]}}", "chosen and notChosen go with columns"},
		"not UTF-8":           {"version: 1\nsource: \xff", "not UTF-8"},
		"too large":           {strings.Repeat("#", MaxMappingSize+1), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseMapping([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, want %s", err, c.says)
			}
		})
	}
}

// What only the survey or the file can tell is wrong with a mapping.
func TestBind(t *testing.T) {
	for name, c := range map[string]struct{ mapping, says string }{
		"a question":       {"questions: {nps: {column: a}}", "questions.nps: the survey has no such question; it has recommend, experience, trip, used, comment"},
		"another type":     {"questions: {trip: {column: a, type: Text}}", "questions.trip.type: the survey says SingleChoice"},
		"off the scale":    {"questions: {recommend: {column: a, values: {x: 11}}}", `questions.recommend.values: "x": 11 is not on the scale, allowed are 0 to 10`},
		"a name":           {"questions: {recommend: {column: a, values: {x: y}}}", "must be a whole number"},
		"a number":         {"questions: {trip: {column: a, values: {x: 1}}}", "must be a text, the name of a choice"},
		"no choice":        {"questions: {trip: {column: a, values: {x: y}}}", `"y" is not a choice, allowed are business, leisure`},
		"no choice either": {"questions: {used: {columns: {a: y}}}", `"y" is not a choice, allowed are wifi, lounge`},
		"text":             {"questions: {comment: {column: a, values: {x: y}}}", "takes no values"},
		"columns":          {"questions: {trip: {columns: {a: business}}}", "columns go with a MultipleChoice question only"},
		"no column":        {"questions: {comment: {column: z}}", `questions.comment: there is no column "z"; the file has "a", "b"`},
		"nth":              {"questions: {comment: {column: a, nth: 2}}", "only 1 columns are called"},
		"no guess":         {"", "no column is called as a question of the survey"},
		"no time":          {"submittedAt: {timeZone: Europe/London}\nquestions: {comment: {column: a}}", "submittedAt: column or value is required"},
		"a bad constant":   {"submittedAt: {value: yesterday}\nquestions: {comment: {column: a}}", "submittedAt.value: \"yesterday\" is not a time"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := bind(mustMap(t, "version: 1\nsource: s\n"+c.mapping), testSurvey(), []string{"a", "b", ""})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, want %s", err, c.says)
			}
		})
	}
	_, err := bind(mustMap(t, "version: 1\nsource: s\nquestions: {x: {column: a}}"), nil, []string{"a"})
	if err == nil || !strings.Contains(err.Error(), "questions.x.type: is required where the survey is not known") {
		t.Errorf("without a survey: %v", err)
	}
}

func TestWithFormat(t *testing.T) {
	m := mustMap(t, "version: 1\nsource: s\nquestions: {recommend: {column: a}}")
	if m, err := m.WithFormat(FormatTypeform); err != nil || m.defaults.id[0] != "#" {
		t.Errorf("%+v %v", m, err)
	}
	if _, err := m.WithFormat("xls"); err == nil {
		t.Error("an unknown format is taken")
	}
}
