package survey

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeSubmission(t *testing.T) {
	got, err := DecodeSubmission([]byte(` {"id": "a", "touchpoint": "b", "team": "c", "language": "d", "submittedAt": "e",
		"answers": {"n": 9, "f": 9.0, "s": "x", "l": ["y", "z"], "o": null},
		"invitation": "f", "proof": "g", "standing": "h", "passed": ["i", "j"], "failed": []} `))
	want := Submission{ID: "a", Touchpoint: "b", Team: "c", Language: "d", SubmittedAt: "e",
		Invitation: "f", Proof: "g", Standing: "h", Passed: []string{"i", "j"}, Failed: []string{},
		Answers: map[string]any{"n": int64(9), "f": 9.0, "s": "x", "l": []any{"y", "z"}, "o": nil}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestDecodeSubmissionRefuses(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"nothing":             {"", "the body must be a JSON object"},
		"blanks":              {" \n", "the body must be a JSON object"},
		"null":                {"null", "the body must be a JSON object"},
		"a list":              {`[{"id":"x"}]`, "the body must be a JSON object"},
		"cut short":           {`{"id":"x"`, "malformed JSON at byte 9: unexpected end of JSON input"},
		"a comma too much":    {`{"id":"x",}`, "malformed JSON at byte 11: invalid character '}'"},
		"a list's comma":      {`{"answers":{"a":[1,]}}`, "malformed JSON at byte 20: invalid character ']'"},
		"single quotes":       {`{'id':'x'}`, "malformed JSON at byte 2: invalid character"},
		"a comment":           {`{"id":"x"} // x`, "malformed JSON at byte 12: invalid character '/' after top-level value"},
		"two objects":         {`{"id":"x"}{"id":"y"}`, "malformed JSON at byte 11: invalid character '{' after top-level value"},
		"NaN":                 {`{"answers":{"a":NaN}}`, "malformed JSON at byte 17: invalid character 'N'"},
		"a number too large":  {`{"answers":{"a":1e999}}`, "a number at byte"},
		"a leading zero":      {`{"answers":{"a":09}}`, "malformed JSON at byte 18"},
		"an unknown member":   {`{"id":"x","answer":{}}`, `unknown field "answer"`},
		"another case":        {`{"ID":"x"}`, `unknown field "ID"`},
		"a member twice":      {`{"id":"x","id":"y"}`, `duplicate field "id"`},
		"an answer twice":     {`{"answers":{"a":1,"a":2}}`, `duplicate field "answers.a"`},
		"an id as a number":   {`{"id":1}`, "id must be a string, not of type number"},
		"a team as an object": {`{"team":{"name":"x"}}`, "team must be a string, not of type object"},
		"answers as a list":   {`{"answers":[1]}`, "answers must be an object {question: value}, not of type array"},
		"passed as a string":  {`{"passed":"link"}`, "passed must be a list of strings, not of type string"},
		"a check as a number": {`{"failed":[1]}`, "failed must be a list of strings, not of type number"},
		"Latin-1":             {"{\"id\":\"\xe9\"}", "the body is not UTF-8: byte 7"},
		"deep":                {`{"answers":{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}}`, "exceeded max depth"},
	} {
		_, err := DecodeSubmission([]byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "Go ") {
			t.Errorf("%s: the error speaks of Go: %v", name, err)
		}
	}
}
