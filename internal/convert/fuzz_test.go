package convert

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/cx-operator/cx-operator/internal/survey"
)

var fuzzMappings = []string{
	"version: 1\nsource: s\nsubmittedAt: {value: 2026-01-01}\nquestions: {recommend: {column: a}, comment: {column: b}, used: {column: c}}\n",
	"version: 1\nsource: s\nid: {column: a}\ncount: {column: c}\nsubmittedAt: {column: b, formats: [serial, rfc3339, M/d/yyyy]}\nquestions: {recommend: {column: a}}\n",
	"version: 1\nsource: s\nformat: formbricks\n",
	"version: 1\nsource: s\nformat: limesurvey\nencoding: windows-1252\nquestions: {used: {columns: {a: wifi, b: lounge}}}\n",
	"version: 1\nsource: s\nformat: typeform\ndelimiter: ';'\n",
}

// Whatever a file holds, nothing panics; every row goes one way; what is accepted is what the endpoint accepts; and the
// same file gives the same answers.
func FuzzConvert(f *testing.F) {
	files, err := filepath.Glob("testdata/*.csv")
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, name := range append(files, "testdata/formbricks.json") {
		content, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i := range fuzzMappings {
			f.Add(content, uint8(i))
		}
	}
	for _, in := range []string{"a,b,c\n9,x,1\n9,x,1\n", "a;b;c\r\n'9;\"x\ny\";WiFi;Food\r\n", "a\tb\tc\n1E+05\t46000\t2.0\n", "sep=|\na|b|c\n1|2|3\n", "a,b,c\n\"1,2,3\n4,5,6\n"} {
		for i := range fuzzMappings {
			f.Add([]byte(in), uint8(i))
		}
	}
	s := testSurvey()
	f.Fuzz(func(t *testing.T, in []byte, which uint8) {
		j := csvJob(t, fuzzMappings[int(which)%len(fuzzMappings)])
		j.Survey = s
		if j.Mapping.Count != nil && len(in) > 4096 {
			return // a thousand rows of a million answers each would take long, rightly
		}
		subs, err := convertSome(t, j, in)
		for _, sub := range subs {
			if _, errs := s.Accept(sub, survey.Rules{Now: now, Import: true}); len(errs) > 0 {
				t.Fatalf("accepted, but the endpoint refuses %+v: %v", sub, errs)
			}
		}
		again, err2 := convertSome(t, j, in)
		if (err == nil) != (err2 == nil) || len(again) != len(subs) {
			t.Fatalf("the same file gave %d, then %d answers: %v, %v", len(subs), len(again), err, err2)
		}
		for i := range subs {
			if subs[i].ID != again[i].ID {
				t.Fatalf("answer %d has id %s, then %s", i, subs[i].ID, again[i].ID)
			}
		}
	})
}

// convertSome is convert that gives up after so many answers that a count alone can have made them.
func convertSome(t *testing.T, j Job, in []byte) ([]survey.Submission, error) {
	t.Helper()
	r := NewReport()
	var subs []survey.Submission
	accepted := map[int]bool{}
	err := j.Convert("file", bytes.NewReader(in), r, func(s survey.Submission, line int) error {
		if len(subs) == 10_000 {
			return errEnough
		}
		subs, accepted[line] = append(subs, s), true
		return nil
	})
	if err != errEnough { //nolint:errorlint // it comes back as it is
		checkReport(t, r, subs, accepted)
	}
	return subs, err
}

var errEnough = os.ErrDeadlineExceeded

// Whatever a mapping says, reading and binding it does not panic, and what is taken reads the same again.
func FuzzParseMapping(f *testing.F) {
	for _, m := range fuzzMappings {
		f.Add([]byte(m))
	}
	nhs, err := os.ReadFile("testdata/nhs.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(nhs)
	f.Add([]byte("version: 1\nsource: &a s\nquestions: {x: {column: *a, nth: 2, values: {a: 1}}}\nonly: [{column: a, notEmpty: true}]\n"))
	f.Add([]byte("000000\u03b1000\n")) // quoted up to the middle of a character
	f.Fuzz(func(t *testing.T, in []byte) {
		m, err := ParseMapping(in)
		if err != nil {
			if err.Error() == "" || !utf8.ValidString(err.Error()) && utf8.Valid(in) {
				t.Fatalf("says nothing: %q", err)
			}
			return
		}
		for _, s := range []*survey.Survey{nil, testSurvey()} {
			j := Job{Program: programKey, Mapping: m, Survey: s, Now: now}
			_, _ = convertSome(t, j, []byte("a,b,c\n1,2,3\n,x,\n"))
		}
	})
}

func FuzzLayout(f *testing.F) {
	for _, l := range append([]string{"serial", "unix", "unixMillis", "M/d/yy h:mm a", "EEEE d MMM yyyy'T'HH:mm:ssXXX"}, defaultLayouts...) {
		f.Add(l, "Europe/Berlin", "2026-03-29 02:30:00")
		f.Add(l, "America/Sao_Paulo", "46204,5")
	}
	f.Fuzz(func(t *testing.T, format, zone, cell string) {
		w := When{Column: Column{Column: "a"}, Formats: []string{format}, TimeZone: zone}
		if w.check() != nil {
			return
		}
		c, err := newClock(w)
		if err != nil {
			t.Fatalf("a checked format is refused: %v", err)
		}
		if at, err := c.read(cell); err == nil && at.Location().String() != "UTC" {
			t.Fatalf("%v is not UTC", at)
		}
	})
}
