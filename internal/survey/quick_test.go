package survey

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainBody is written as a client writes it.
const plainBody = `{"id":"` + id + `","touchpoint":"","team":"area-g","language":"es",` +
	`"answers":{"recommend":9, "comment":"Fine.", "services":["gate", "wifi"], "stars":0}}`

func TestQuickly(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want bool
	}{
		"plain":                {plainBody, true},
		"blanks":               {"\n{ \"id\" : \"x\" ,\t\"answers\" : { \"a\" : [ \"b\" , \"c\" ] } }\r\n", true},
		"nothing in it":        {`{}`, true},
		"no answers":           {`{"answers":{}}`, true},
		"empty texts":          {`{"id":"","answers":{"":""}}`, true},
		"15 digits":            {`{"answers":{"a":123456789012345}}`, true},
		"16 digits":            {`{"answers":{"a":1234567890123456}}`, false},
		"a leading zero":       {`{"answers":{"a":09}}`, false},
		"below zero":           {`{"answers":{"a":-1}}`, false},
		"a fraction":           {`{"answers":{"a":9.0}}`, false},
		"an exponent":          {`{"answers":{"a":1e2}}`, false},
		"null":                 {`{"answers":{"a":null}}`, false},
		"an empty list":        {`{"answers":{"a":[]}}`, false},
		"a list of numbers":    {`{"answers":{"a":[1]}}`, false},
		"an escape":            {`{"id":"\u0061"}`, false},
		"a line feed":          {"{\"id\":\"a\nb\"}", false},
		"a member twice":       {`{"id":"","id":"x"}`, false},
		"an answer twice":      {`{"answers":{"a":1,"a":2}}`, false},
		"answers twice":        {`{"answers":{},"answers":{}}`, false},
		"an import's member":   {`{"standing":"counted"}`, false},
		"a contact":            {`{"contact":{"address":"a@b.c","consent":true}}`, false},
		"something behind":     {`{"id":"x"} x`, false},
		"a comma too much":     {`{"id":"x",}`, false},
		"a list's comma":       {`{"answers":{"a":["x",]}}`, false},
		"cut short":            {`{"id":"x"`, false},
		"cut short in a text":  {`{"id":"x`, false},
		"cut short in a value": {`{"answers":{"a":`, false},
		"nothing":              {``, false},
	} {
		if _, ok := quickly([]byte(c.body)); ok != c.want {
			t.Errorf("%s: %v, want %v", name, ok, c.want)
		}
		checkQuickly(t, []byte(c.body))
	}
}

// checkQuickly: what is read quickly is read the same with care.
func checkQuickly(t *testing.T, body []byte) {
	t.Helper()
	quick, ok := quickly(body)
	if !ok {
		return
	}
	var careful Submission
	if err := DecodeStrict(body, &careful); err != nil {
		t.Errorf("%s: quickly read, and refused: %v", body, err)
		return
	}
	if diff := cmp.Diff(careful, quick); diff != "" {
		t.Errorf("%s: quickly read as something else:\n%s", body, diff)
	}
}

// TestPlainSubmissionAllocations: what most clients send costs few allocations from its bytes to a response.
func TestPlainSubmissionAllocations(t *testing.T) {
	s := newSurvey(t)
	body := []byte(plainBody)
	const most = 16
	got := testing.AllocsPerRun(100, func() {
		sub, err := DecodeSubmission(body)
		if err != nil {
			t.Fatal(err)
		}
		if _, wrong := s.Accept(sub, Rules{Now: now}); len(wrong) > 0 {
			t.Fatal(wrong)
		}
	})
	if got > most {
		t.Errorf("%v allocations, want at most %d", got, most)
	}
}
