package convert

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// answersOf is what a test looks at of a submission: all but its id.
type answersOf struct {
	At, Language string
	Answers      map[string]any
}

func seen(subs []survey.Submission) []answersOf {
	var out []answersOf
	for _, s := range subs {
		out = append(out, answersOf{s.SubmittedAt, s.Language, s.Answers})
	}
	return out
}

func wantSample(t *testing.T, name, mapping string, skipped, rejected int, want []answersOf) *Report {
	t.Helper()
	subs, r, err := convert(t, csvJob(t, mapping), sample(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, seen(subs)); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	if r.Rows.Skipped != skipped || r.Rows.Rejected != rejected {
		t.Errorf("%s: %+v %v %v", name, r.Rows, r.Skipped, r.Problems)
	}
	return r
}

func TestFormbricks(t *testing.T) {
	// With the questions' texts as headings, the survey alone says what is what.
	r := wantSample(t, "formbricks.csv", "version: 1\nsource: s\nformat: formbricks\n", 1, 1, []answersOf{
		{"2026-03-01T00:05:09Z", "", map[string]any{"recommend": 9, "trip": "business", "used": []string{"wifi", "lounge"}, "comment": "Short queues, friendly staff"}},
		{"2026-03-02T10:00:00Z", "", map[string]any{"recommend": 0, "trip": "leisure", "used": []string{"none"}, "comment": "Line one\nline \"two\""}},
	})
	var said strings.Builder
	_ = r.WriteText(&said)
	for _, part := range []string{`file:6: column "1. How likely are you to recommend SFO?": 11 is not on the scale`, `column "3. What did you use?": "Sauna" is not known`, `"plan"`} {
		if !strings.Contains(said.String(), part) {
			t.Errorf("the report lacks %s:\n%s", part, said.String())
		}
	}
	wantSample(t, "formbricks.json", `version: 1
source: s
format: formbricks
noAnswer: [default]
submittedAt: {column: createdAt}
questions: {recommend: {column: q-nps}, trip: {column: q-trip}, used: {column: q-used}, comment: {column: q-text}}
`, 1, 0, []answersOf{
		{"2026-03-01T00:05:09.123Z", "en", map[string]any{"recommend": 9, "trip": "business", "used": []string{"wifi", "lounge"}, "comment": "Fine"}},
		{"2026-03-02T10:00:00Z", "es", map[string]any{"recommend": 0, "trip": "leisure"}},
	})
}

// A response has one identity, whether it comes by CSV or by JSON.
func TestFormbricksIdentity(t *testing.T) {
	a, _, err := convert(t, csvJob(t, "version: 1\nsource: s\nformat: formbricks\n"), sample(t, "formbricks.csv"))
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := convert(t, csvJob(t, "version: 1\nsource: s\nformat: formbricks\nquestions: {recommend: {column: q-nps}}\n"), sample(t, "formbricks.json"))
	if err != nil || len(b) != 2 || a[0].ID != b[0].ID || a[1].ID != b[1].ID {
		t.Errorf("%v %v %v", err, a, b)
	}
}

func TestLimeSurvey(t *testing.T) {
	const questions = `
questions:
  recommend: {column: NPS}
  trip: {column: TRIP, values: {A1: business, A2: leisure}}
  used: {columns: {"USED[SQ001]": wifi, "USED[SQ002]": lounge}}
  comment: {column: COM}
`
	first := []answersOf{
		{"2026-03-01T09:00:00Z", "en", map[string]any{"recommend": 10, "trip": "business", "used": []string{"wifi"}}},
		{"2026-03-02T09:00:00Z", "es", map[string]any{"recommend": 0, "trip": "leisure", "comment": "Señal débil"}},
	}
	r := wantSample(t, "limesurvey-codes.csv", "version: 1\nsource: s\nformat: limesurvey\nsubmittedAt: {timeZone: Europe/Berlin}"+questions, 1, 1, first)
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Message, "did not keep: give one for all answers as submittedAt.value") {
		t.Errorf("%v", r.Problems)
	}
	// With a time for all of them, the anonymous one comes in, and the unfinished one still does not.
	wantSample(t, "limesurvey-codes.csv", "version: 1\nsource: s\nformat: limesurvey\nsubmittedAt: {value: 2026-03-31}"+questions, 1, 0, []answersOf{
		{"2026-03-31T00:00:00Z", "en", first[0].Answers}, {"2026-03-31T00:00:00Z", "es", first[1].Answers},
		{"2026-03-31T00:00:00Z", "es", map[string]any{"recommend": 7, "trip": "leisure", "used": []string{"lounge"}}},
	})
	wantSample(t, "limesurvey-full.csv", `version: 1
source: s
format: limesurvey
noAnswer: [N/A]
questions:
  recommend: {column: 'NPS. How likely are you to recommend SFO?', values: {10 - Extremely likely: 10, 0 - Not at all likely: 0}}
  trip: {column: TRIP. Your trip}
  used: {columns: {"USED. What did you use? [WiFi]": wifi, "USED. What did you use? [Lounge]": lounge}}
`, 0, 0, []answersOf{
		{"2026-03-01T10:00:00Z", "en", map[string]any{"recommend": 10, "trip": "business", "used": []string{"wifi"}}},
		{"2026-03-02T10:00:00Z", "es", map[string]any{"recommend": 0, "trip": "leisure"}},
		{"2026-03-02T10:00:00Z", "es", map[string]any{"recommend": 5}},
	})
}

func TestTypeform(t *testing.T) {
	wantSample(t, "typeform.csv", `version: 1
source: s
format: typeform
questions:
  recommend: {column: 'How likely are you to recommend SFO?'}
  used: {columns: {WiFi: wifi, Lounge: lounge}}
  comment: {column: 'What should we know?'}
`, 1, 0, []answersOf{
		{"2026-03-01T10:00:00Z", "", map[string]any{"recommend": 9, "used": []string{"lounge", "wifi"}, "comment": "=nice"}},
		{"2026-03-02T10:00:00Z", "", map[string]any{"recommend": 0}},
	})
	// One that comes by a link to a spreadsheet is the same response.
	a, _, _ := convert(t, csvJob(t, "version: 1\nsource: s\nformat: typeform\n"), sample(t, "typeform.csv"))
	b, _, err := convert(t, csvJob(t, "version: 1\nsource: s\nformat: typeform\n"), sample(t, "typeform-sheet.csv"))
	if err != nil || len(b) != 1 || a[0].ID != b[0].ID {
		t.Errorf("%v %v %v", err, a, b)
	}
}

// What the endpoint exports as CSV needs no mapping.
func TestOwnExport(t *testing.T) {
	m, err := DefaultMapping(FormatCSV)
	if err != nil {
		t.Fatal(err)
	}
	j := Job{Program: programKey, Mapping: m, Survey: testSurvey(), Now: now}
	subs, r, err := convert(t, j, strings.NewReader("\ufeffid,submittedAt,touchpoint,team,language,recommend,trip,used,comment\r\n"+
		"7d444840-9dc0-4ad1-b245-5ffdce74fad2,2026-03-01T10:00:00.123456Z,,area-a,en,9,leisure,wifi;none,\"'=1+1\"\r\n"))
	if err != nil || r.Rows.Accepted != 1 {
		t.Fatalf("%v %v", err, r.Problems)
	}
	want := survey.Submission{
		ID: "7d444840-9dc0-4ad1-b245-5ffdce74fad2", Team: "area-a", Language: "en", SubmittedAt: "2026-03-01T10:00:00.123456Z",
		Answers: map[string]any{"recommend": 9, "trip": "leisure", "used": []string{"wifi", "none"}, "comment": "=1+1"},
	}
	if diff := cmp.Diff(want, subs[0]); diff != "" {
		t.Error(diff)
	}
}

// What an export says of the checks against robots comes back with it, and what is wrong with it is told at its column.
func TestOwnExportStanding(t *testing.T) {
	m, err := DefaultMapping(FormatCSV)
	if err != nil {
		t.Fatal(err)
	}
	s := testSurvey()
	s.Questions[0].Name = "standing" // its column is answers/standing
	j := Job{Program: programKey, Mapping: m, Survey: s, Now: now}
	row := func(id, rest string) string {
		return "7d444840-9dc0-4ad1-b245-00000000000" + id + ",2026-03-01T10:00:00Z,,,,9," + rest + "\r\n"
	}
	subs, r, err := convert(t, j, strings.NewReader("id,submittedAt,touchpoint,team,language,answers/standing,standing,passed,failed\r\n"+
		row("1", "suspect,link;page,honeypot")+row("2", "counted,,")+row("3", "forged,,")+row("4", "counted,Page,time")))
	if err != nil || r.Rows.Accepted != 2 || len(r.Problems) != 2 {
		t.Fatalf("%v %+v", err, r)
	}
	want := []survey.Submission{
		{ID: "7d444840-9dc0-4ad1-b245-000000000001", SubmittedAt: "2026-03-01T10:00:00Z", Answers: map[string]any{"standing": 9},
			Standing: "suspect", Passed: []string{"link", "page"}, Failed: []string{"honeypot"}},
		{ID: "7d444840-9dc0-4ad1-b245-000000000002", SubmittedAt: "2026-03-01T10:00:00Z", Answers: map[string]any{"standing": 9}, Standing: "counted"},
	}
	if diff := cmp.Diff(want, subs); diff != "" {
		t.Error(diff)
	}
	if r.Problems[0].Column != "standing" || r.Problems[1].Column != "passed" {
		t.Errorf("%+v", r.Problems)
	}
}

func TestNDJSON(t *testing.T) {
	in := "\ufeff" + lines(`{"id":"7d444840-9dc0-4ad1-b245-5ffdce74fad2","submittedAt":"2026-03-01T10:00:00Z","answers":{"recommend":9}}`,
		``, `{"id":"x","answers":{"recommend":11}}`, `{"id":`)
	r := NewReport()
	var subs []survey.Submission
	accepted := map[int]bool{}
	err := Job{Survey: testSurvey(), Now: now}.ConvertNDJSON("f", strings.NewReader(in), r, func(s survey.Submission, line int) error {
		subs, accepted[line] = append(subs, s), true
		return nil
	})
	checkReport(t, r, subs, accepted)
	if err != nil || len(subs) != 1 || r.Rows.Rejected != 2 || len(r.Problems) != 3 || r.Problems[2].Line != 4 {
		t.Errorf("%v %+v", err, r)
	}
	err = Job{}.ConvertNDJSON("f", strings.NewReader("{}\n"+strings.Repeat("x", maxLine+1)), NewReport(), func(survey.Submission, int) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "line 2 has more than") {
		t.Errorf("%v", err)
	}
}

func TestJSONFiles(t *testing.T) {
	j := csvJob(t, "version: 1\nsource: s\nformat: formbricks\nquestions: {recommend: {column: a}}\n")
	for in, says := range map[string]string{
		`[]`:                       `there is no column "a"`,
		`{"x": 1}`:                 "must be an array",
		`{"data": {}}`:             "must be an array",
		`[{"id": "1", "a": 1}`:     "cut off",
		`[{"id": "1", "a": 1}] []`: "something follows",
		`[{"id": "1", "a": }]`:     "malformed JSON",
		`{"data": [`:               "malformed JSON",
	} {
		if _, _, err := convert(t, j, strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", in, err)
		}
	}
	subs, r, err := convert(t, j, strings.NewReader("[\n{\"id\": \"1\",\n \"createdAt\": \"2026-03-01T10:00:00Z\", \"finished\": true, \"a\": 1},\n7,\n{\"id\": \"2\", \"createdAt\": \"2026-03-01T10:00:00Z\", \"finished\": true, \"a\": 1e400}\n]"))
	if err != nil || len(subs) != 1 || len(r.Problems) != 2 || r.Problems[0].Line != 4 || r.Problems[1].Line != 5 {
		t.Errorf("%v %v %+v", err, subs, r.Problems)
	}
}
