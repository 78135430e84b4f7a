package convert

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/survey"
)

// TestCountedTable turns the real counts of the NHS Friends and Family Test into answers, and counts them again.
func TestCountedTable(t *testing.T) {
	content, err := os.ReadFile("../score/testdata/gp-fft-counts.csv")
	if err != nil {
		t.Fatal(err)
	}
	mapping, err := os.ReadFile("testdata/nhs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	j := csvJob(t, string(mapping))
	j.Survey.Units = map[string]string{"earls-court": "x"}
	for _, name := range []string{"Earls Court Medical Centre", "Emperor's Gate Surgery", "Health Partners @ Violet Melchett",
		"Knightsbridge Medical Centre", "Royal Hospital Chelsea", "Scarsdale Medical Centre", "Stanhope Mews West",
		"The Abingdon Health Centre", "The Chelsea Practice", "The Good Practice"} {
		j.Survey.Units[strings.ToLower(strings.NewReplacer(" ", "-", "'", "", "@", "at").Replace(name))] = name
	}
	subs, r, err := convert(t, j, strings.NewReader(string(content)))
	if err != nil || len(r.Problems) > 0 {
		t.Fatalf("%v, %v", err, r.Problems)
	}
	got, want := map[string]int{}, map[string]int{}
	for _, s := range subs {
		got[fmt.Sprint(s.SubmittedAt[:10], s.Team, s.Answers["experience"])]++
	}
	stars := map[string]int{"Extremely likely": 5, "Likely": 4, "Neither likely nor unlikely": 3, "Unlikely": 2, "Extremely unlikely": 1}
	total, rows, unknown := 0, 0, 0
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n")[1:] {
		cells := strings.Split(strings.TrimSpace(line), ",")
		rows++
		if cells[2] == "Don't know" {
			unknown++
			continue
		}
		var n int
		if _, err := fmt.Sscan(cells[3], &n); err != nil {
			t.Fatal(err)
		}
		team := "earls-court"
		for unit, name := range j.Survey.Units {
			if name == cells[1] {
				team = unit
			}
		}
		// Midnight in London is 23:00 of the day before in summer.
		day := cells[0]
		if at := subsAt(t, day); at != "" {
			day = at
		}
		want[fmt.Sprint(day, team, stars[cells[2]])] += n
		total += n
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if r.Rows.Read != rows || r.Skipped["no answer"] != unknown || r.Answers != total || unknown == 0 {
		t.Errorf("%+v %v, want %d rows, %d unknown, %d answers", r.Rows, r.Skipped, rows, unknown, total)
	}
}

// subsAt returns the UTC day of midnight in London.
func subsAt(t *testing.T, day string) string {
	c, err := newClock(When{TimeZone: "Europe/London"})
	if err != nil {
		t.Fatal(err)
	}
	at, err := c.read(day)
	if err != nil {
		t.Fatal(err)
	}
	return at.Format("2006-01-02")
}

// The same file gives the same ids; a later one, with more rows and greater counts, gives them again and adds to them.
func TestSameFileTwice(t *testing.T) {
	const mapping = "version: 1\nsource: s\ncount: {column: n}\nsubmittedAt: {column: day}\nquestions: {recommend: {column: score}}\n"
	first := lines("day,score,n", "2026-01-01,9,2", "2026-01-01,9,1", "2026-01-02,0,1")
	later := lines("n,score,day,", "5,9,2026-01-01,", "1.0,0,2026-01-02,", "1,3,2026-01-03,")
	a, _, _ := convert(t, csvJob(t, mapping), strings.NewReader(first))
	b, _, _ := convert(t, csvJob(t, mapping), strings.NewReader(first))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("the same file again differs: %s", diff)
	}
	c, _, _ := convert(t, csvJob(t, mapping), strings.NewReader(later))
	have := map[string]survey.Submission{}
	for _, s := range c {
		have[s.ID] = s
	}
	for _, s := range a {
		if diff := cmp.Diff(s, have[s.ID]); diff != "" {
			t.Errorf("an answer of the first file is not the same in the later: %s", diff)
		}
	}
	if len(a) != 4 || len(c) != 7 {
		t.Errorf("%d and %d answers", len(a), len(c))
	}
	other := csvJob(t, strings.Replace(mapping, "source: s", "source: t", 1))
	d, _, _ := convert(t, other, strings.NewReader(first))
	e := csvJob(t, mapping)
	e.Program.Name = "tenants"
	f, _, _ := convert(t, e, strings.NewReader(first))
	if d[0].ID == a[0].ID || f[0].ID == a[0].ID {
		t.Error("another source or program has the same ids")
	}
	if a[0].ID != "961034de-6099-5304-b605-2ad3a5f517f4" {
		t.Errorf("the id of a row has changed, and with it every import made before: %s", a[0].ID)
	}
}

func TestIDColumn(t *testing.T) {
	const mapping = "version: 1\nsource: s\nid: {column: id}\nsubmittedAt: {value: 2026-01-01}\nquestions: {recommend: {column: score}}\n"
	in := lines("id,score",
		"7D444840-9DC0-4AD1-B245-5FFDCE74FAD2,1", // a UUID is taken as it is
		"12,2", "'13,3", "14.0,4",
		"12,2", // the same row
		"12,5", // the same id, another row
		"1.23457E+17,6", "#REF!,7", ",8")
	subs, r, err := convert(t, csvJob(t, mapping), strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	if len(subs) != 4 || subs[0].ID != "7d444840-9dc0-4ad1-b245-5ffdce74fad2" {
		t.Errorf("%+v", subs)
	}
	ids := newIdentities(programKey, "s")
	for i, id := range []string{"12", "13", "14"} {
		if want := ids.named(id, false)(0); subs[i+1].ID != want {
			t.Errorf("id %s became %s, want %s", id, subs[i+1].ID, want)
		}
	}
	var got []string
	for _, p := range r.Problems {
		got = append(got, fmt.Sprintf("%d %s %s", p.Line, p.Column, p.Message[:24]))
	}
	want := []string{`7 id the id "12" stands on li`, `8 id "1.23457E+17" is in scie`, `9 id "#REF!" shows that a spr`, `10 id is empty: every row need`}
	if diff := cmp.Diff(want, got); diff != "" || r.Skipped["the same row twice"] != 1 {
		t.Errorf("%v\n%s", r.Skipped, diff)
	}
}

// Rows that are damaged are refused one by one, with their line, their column, and what is allowed.
func TestRows(t *testing.T) {
	const mapping = `version: 1
source: s
noAnswer: [n/a, "-"]
touchpoint: {column: where, values: {Lounge: ""}}
team: {column: team}
language: {value: en}
submittedAt: {column: at, formats: [dd.MM.yyyy HH:mm, serial], timeZone: Europe/Berlin}
questions:
  recommend: {column: nps}
  experience: {column: csat, values: {Good: 5, Bad: 1}}
  trip: {column: trip, values: {Work: business}}
  used: {column: used}
  comment: {column: text}
`
	const head = "at;where;team;nps;csat;trip;used;text;;\n"
	for name, c := range map[string]struct {
		row  string
		want map[string]any // nil where the row is refused
		says string
	}{
		"plain":               {"01.03.2026 10:00;;;9;;;;;;", map[string]any{"recommend": 9}, ""},
		"decimals":            {"01.03.2026 10:00;;;9,0;4.0;;;;;", map[string]any{"recommend": 9, "experience": 4}, ""},
		"labels":              {"01.03.2026 10:00;;;;gOOD ;work;;;;", map[string]any{"experience": 5, "trip": "business"}, ""},
		"labels of languages": {"01.03.2026 10:00;;;;;Ocio;;;;", map[string]any{"trip": "leisure"}, ""},
		"several":             {"01.03.2026 10:00;;;;;;\"WiFi; Food; drinks;lounge\";;;", map[string]any{"used": []string{"wifi", "drinks", "lounge"}}, ""},
		"text":                {"01.03.2026 10:00;;;;;;;\"'=1+1\n'Twas \"\"nice\"\" \";;", map[string]any{"comment": "=1+1\n'Twas \"nice\""}, ""},
		"formula kept":        {"01.03.2026 10:00;;;;;;;=cmd|' /C calc'!A0;;", map[string]any{"comment": "=cmd|' /C calc'!A0"}, ""},
		"own apostrophe":      {"01.03.2026 10:00;;;'7;;;;'Twas;;", map[string]any{"recommend": 7, "comment": "'Twas"}, ""},
		"no answer":           {"01.03.2026 10:00;;;5;-;N/A;n/a;n/a;;", map[string]any{"recommend": 5}, ""},
		"serial":              {"46082,5;;;5;;;;;;", map[string]any{"recommend": 5}, ""},
		"touchpoint":          {"01.03.2026 10:00;Security and screening;boarding area a;;5;;;;;", map[string]any{"experience": 5}, ""},

		"off the scale":        {"01.03.2026 10:00;;;11;;;;;;", nil, `column "nps": 11 is not on the scale, allowed are 0 to 10`},
		"half":                 {"01.03.2026 10:00;;;9,5;;;;;;", nil, `column "nps": "9,5" is not a whole number, allowed are 0 to 10`},
		"thousands":            {"01.03.2026 10:00;;;9.000;;;;;;", nil, "with decimals or with thousands"},
		"scientific":           {"01.03.2026 10:00;;;1,00E+01;;;;;;", nil, "scientific notation"},
		"unknown label":        {"01.03.2026 10:00;;;;Goood;;;;;", nil, `column "csat": "Goood" is not known, allowed are "Bad", "Good", or a number from 1 to 5`},
		"label as a date":      {"01.03.2026 10:00;;;;;05. Nov;;;;", nil, `allowed are "Work", "business", "leisure"`},
		"unknown choice":       {"01.03.2026 10:00;;;;;;WiFi,Sauna;;;", nil, `"WiFi,Sauna" is not known`},
		"choice twice":         {"01.03.2026 10:00;;;;;;\"WiFi;wifi\";;;", nil, "names the choice wifi twice"},
		"lost text":            {"01.03.2026 10:00;;;9;;;;#NAME?;;", nil, "a spreadsheet has lost"},
		"narrow column":        {"########;;;9;;;;;;", nil, "is not a time"},
		"other day":            {"2026-03-01;;;9;;;;;;", nil, `"2026-03-01" is not a time as the formats say: dd.MM.yyyy HH:mm, serial`},
		"no time":              {";;;9;;;;;;", nil, `column "at": is empty`},
		"never on the clock":   {"29.03.2026 02:30;;;9;;;;;;", nil, "never was on the clocks of Europe/Berlin"},
		"future":               {"01.03.2027 10:00;;;9;;;;;;", nil, "ahead of"},
		"unknown touchpoint":   {"01.03.2026 10:00;Gate;;9;;;;;;", nil, "there are security"},
		"unknown team":         {"01.03.2026 10:00;;Crew;9;;;;;;", nil, "there are area-a, area-g"},
		"not asked there":      {"01.03.2026 10:00;security;;9;;;;;;", nil, `column "nps": this question is not asked`},
		"cut off":              {"01.03.2026 10:00;;;9", nil, "the row has 4 cells, the header has 10"},
		"beyond the header":    {"01.03.2026 10:00;;;9;;;;a;b;", nil, "cell 9 has no header"},
		"bare quote":           {`01.03.2026 10:00;;;9;;;;a "b" c;;`, nil, "has a quote within a cell"},
		"not UTF-8":            {"01.03.2026 10:00;;;9;;;;d\xe9j\xe0;;", nil, "is not UTF-8"},
		"control characters":   {"01.03.2026 10:00;;;9;;;;a\x00b;;", nil, "control characters"},
		"several faults":       {"x;Gate;;11;;;;;;", nil, "is not a time"},
		"too long":             {"01.03.2026 10:00;;;9;;;;" + strings.Repeat("x", 201) + ";;", nil, "at most 200 characters"},
		"replaced by a number": {"01.03.2026 10:00;;;9;;42;;;;", nil, `"42" is not known`},
	} {
		t.Run(name, func(t *testing.T) {
			// Rows around it are not touched, and blank ones are none.
			const sound = "01.03.2026 10:00;;;9;;;;;;\n"
			subs, r, err := convert(t, csvJob(t, mapping), strings.NewReader(head+sound+c.row+"\n;;;;;;;;;\n"+sound))
			if err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			_ = r.WriteText(&said)
			if c.want == nil {
				if r.Rows.Rejected != 1 || len(subs) != 2 || !strings.Contains(said.String(), c.says) || !strings.Contains(said.String(), "file:3: ") {
					t.Errorf("%+v, says:\n%s", r.Rows, said.String())
				}
				return
			}
			if len(subs) != 3 || r.Skipped["blank"] != 1 {
				t.Fatalf("%d accepted:\n%s", len(subs), said.String())
			}
			if diff := cmp.Diff(c.want, subs[1].Answers); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A quote that is never closed takes the rest with it: one row, refused, and no memory without bound.
func TestOpenQuote(t *testing.T) {
	const mapping = "version: 1\nsource: s\nsubmittedAt: {value: 2026-01-01}\nquestions: {comment: {column: c}, recommend: {column: n}}\n"
	subs, r, err := convert(t, csvJob(t, mapping), strings.NewReader("n,c\n1,a\n2,\"b\n3,c\n4,d\n"))
	if err != nil || len(subs) != 1 || r.Rows.Rejected != 1 || r.Problems[0].Line != 3 {
		t.Errorf("%v %+v %+v", err, r.Rows, r.Problems)
	}
	_, _, err = convert(t, csvJob(t, mapping), strings.NewReader("n,c\n1,a\n2,\""+strings.Repeat("3,c\n", maxRecord)))
	if err == nil || !strings.Contains(err.Error(), "quote that is never closed") {
		t.Errorf("%v", err)
	}
}

func TestFiles(t *testing.T) {
	const mapping = "version: 1\nsource: s\nsubmittedAt: {value: 2026-01-01}\nquestions: {recommend: {column: Note}, comment: {column: Text}}\n"
	want := []map[string]any{{"recommend": 9, "comment": "déjà vu"}, {"recommend": 8, "comment": "a,b;c\td"}}
	const commas = "Note,Text\n9,déjà vu\n8,\"a,b;c\td\"\n"
	utf16 := func(s string, mark bool, big bool) string {
		var b strings.Builder
		runes := []rune(s)
		if mark {
			runes = append([]rune{0xfeff}, runes...)
		}
		for _, r := range runes {
			hi, lo := byte(r>>8), byte(r)
			if big {
				b.Write([]byte{hi, lo})
			} else {
				b.Write([]byte{lo, hi})
			}
		}
		return b.String()
	}
	for name, in := range map[string]string{
		"commas":             commas,
		"BOM":                "\ufeff" + commas,
		"CRLF":               strings.ReplaceAll(commas, "\n", "\r\n"),
		"CR":                 strings.ReplaceAll(commas, "\n", "\r"),
		"no last line end":   strings.TrimSuffix(commas, "\n"),
		"semicolons":         "Note;Text\n9;déjà vu\n8;\"a,b;c\td\"\n",
		"tabs":               "Note\tText\n9\tdéjà vu\n8\t\"a,b;c\td\"\n",
		"bars":               "Note|Text\n9|déjà vu\n8|\"a,b;c\td\"\n",
		"sep=":               "sep=;\r\nNote;Text\r\n9;déjà vu\r\n8;\"a,b;c\td\"\r\n",
		"empty columns":      "Note,Text,,\n9,déjà vu,,\n8,\"a,b;c\td\",,\n,,,\n,,,\n",
		"blank lines":        "\nNote,Text\n\n9,déjà vu\n\n8,\"a,b;c\td\"\n\n",
		"other order":        "Text,more,Note\ndéjà vu,,9\n\"a,b;c\td\",x,8\n",
		"header with marks":  "\" NOTE \",text\u00a0\n9,déjà vu\n8,\"a,b;c\td\"\n",
		"decomposed":         "Note,Text\n9,de\u0301ja\u0300 vu\n8,\"a,b;c\td\"\n",
		"UTF-16 LE":          utf16(commas, true, false),
		"UTF-16 BE":          utf16(commas, true, true),
		"UTF-16 LE unmarked": utf16(commas, false, false),
		"UTF-16 BE unmarked": utf16(commas, false, true),
	} {
		t.Run(name, func(t *testing.T) {
			subs, r, err := convert(t, csvJob(t, mapping), strings.NewReader(in))
			if err != nil || r.Rows.Rejected > 0 {
				t.Fatalf("%v %v", err, r.Problems)
			}
			var got []map[string]any
			for _, s := range subs {
				got = append(got, s.Answers)
			}
			if name == "decomposed" { // the survey composes it
				got[0]["comment"] = want[0]["comment"]
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, c := range map[string]struct{ in, says string }{
		"empty":            {"", "the file is empty"},
		"nothing but BOM":  {"\ufeff", "the file is empty"},
		"a spreadsheet":    {"PK\x03\x04abc", "save it as CSV UTF-8"},
		"no such column":   {"Nota,Text\n9,a\n", `there is no column "Note"; the file has "Nota", "Text"`},
		"duplicate header": {"Note,Text,Note\n9,a,8\n", `2 columns are called "Note"`},
		"Latin-1 header":   {"Note,T\xe9xt\n9,a\n", "the header is not UTF-8"},
		"a broken header":  {"Note,\"Text\n9,a\n", "the header has a quote that is not closed"},
	} {
		t.Run(name, func(t *testing.T) {
			subs, _, err := convert(t, csvJob(t, mapping), strings.NewReader(c.in))
			if err == nil || !strings.Contains(err.Error(), c.says) || len(subs) > 0 {
				t.Errorf("%v, %v", err, subs)
			}
		})
	}
	t.Run("duplicate headers of others", func(t *testing.T) {
		subs, _, err := convert(t, csvJob(t, mapping), strings.NewReader("Note,Other,Other,Text\n9,a,b,c\n"))
		if err != nil || len(subs) != 1 {
			t.Errorf("%v, %v", err, subs)
		}
		m := strings.Replace(mapping, "{column: Note}", "{column: Other, nth: 2}", 1)
		subs, _, err = convert(t, csvJob(t, m), strings.NewReader("Note,Other,Other,Text\n9,1,2,c\n"))
		if err != nil || subs[0].Answers["recommend"] != 2 {
			t.Errorf("%v, %v", err, subs)
		}
	})
	t.Run("another encoding", func(t *testing.T) {
		j := csvJob(t, mapping+"encoding: windows-1252\n")
		subs, _, err := convert(t, j, strings.NewReader("Note,Text\n9,d\xe9j\xe0 vu \x80\n"))
		if err != nil || subs[0].Answers["comment"] != "déjà vu €" {
			t.Errorf("%v, %v", err, subs)
		}
	})
}

func TestDamagedSample(t *testing.T) {
	j := csvJob(t, `version: 1
source: s
submittedAt: {column: Datum, formats: [serial], timeZone: Europe/Berlin}
questions: {recommend: {column: Note}, comment: {column: Kommentar}}
`)
	subs, r, err := convert(t, j, sample(t, "damaged-utf16.csv"))
	if err != nil || len(r.Problems) > 0 || len(subs) != 2 {
		t.Fatalf("%v %v %v", err, r.Problems, subs)
	}
	for i, want := range []string{"2026-03-01", "2026-03-01"} {
		at := map[int]string{0: "T23:00:00Z", 1: "T11:00:00Z"}[i]
		if i == 0 {
			want = "2026-02-28"
		}
		if subs[i].SubmittedAt != want+at {
			t.Errorf("submitted at %s, want %s", subs[i].SubmittedAt, want+at)
		}
	}
	if subs[0].Answers["comment"] != "Gut, „sehr“ gut" || subs[1].Answers["comment"] != "-5 Grad" || subs[1].Answers["recommend"] != 9 {
		t.Errorf("%v", subs)
	}

	j = csvJob(t, "version: 1\nsource: s\nsubmittedAt: {column: date}\nquestions: {recommend: {column: note}, comment: {column: comment}}\n")
	subs, r, err = convert(t, j, sample(t, "latin1.csv"))
	if err != nil || len(subs) != 1 || r.Rows.Rejected != 1 || r.Problems[0].Line != 2 {
		t.Errorf("Latin-1 is not noticed: %v %v %v", err, r.Problems, subs)
	}
}

func TestCounts(t *testing.T) {
	const mapping = "version: 1\nsource: s\ncount: {column: n}\nsubmittedAt: {value: 2026-01-01}\nquestions: {recommend: {column: q}}\n"
	for cell, want := range map[string]int{
		"0": 0, "1": 1, "3": 3, "3.0": 3, "": -1, "-1": -1, "1.5": -1, "1e3": -1, "1000001": -1, "x": -1, "1,000": -1,
	} {
		subs, r, err := convert(t, csvJob(t, mapping), strings.NewReader("q;n\n5;"+cell+"\n"))
		if err != nil || (want < 0) != (r.Rows.Rejected == 1) || want >= 0 && len(subs) != want {
			t.Errorf("count %q: %d answers, %+v, %v", cell, len(subs), r, err)
		}
	}
}

// What emit says ends the conversion.
func TestEmitFails(t *testing.T) {
	gone := errors.New("gone")
	j := csvJob(t, "version: 1\nsource: s\nquestions: {recommend: {column: q}}\n")
	r := NewReport()
	err := j.Convert("f", strings.NewReader("q\n1\n2\n"), r, func(survey.Submission, int) error { return gone })
	if !errors.Is(err, gone) || r.Rows.Accepted != 0 || !r.Untimed {
		t.Errorf("%v, %+v", err, r)
	}
}

// Without a survey, types come from the mapping.
func TestWithoutSurvey(t *testing.T) {
	j := csvJob(t, `version: 1
source: s
questions:
  a: {column: a, type: Scale}
  b: {column: b, type: SingleChoice, values: {Business trip: business}}
  c: {column: c, type: MultipleChoice, separator: ","}
  d: {column: d, type: Text}
  e: {columns: {e1: one, e2: two}}
`)
	j.Survey = nil
	subs, r, err := convert(t, j, strings.NewReader("a,b,c,d,e1,e2\n12,Business trip,\"x, y\",hello,yes,no\n,,,,,\n,,,,yes,maybe\n"))
	if err != nil || len(subs) != 1 || r.Rows.Rejected != 1 {
		t.Fatalf("%v %v %+v", err, subs, r)
	}
	want := map[string]any{"a": 12, "b": "business", "c": []string{"x", "y"}, "d": "hello", "e": []string{"one"}}
	if diff := cmp.Diff(want, subs[0].Answers); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(slices.Sorted(maps.Keys(r.Skipped)), []string{"blank"}) {
		t.Errorf("%v", r.Skipped)
	}
}
