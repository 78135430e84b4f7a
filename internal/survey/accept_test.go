package survey

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
)

const id = "7d444840-9dc0-41d1-b245-5ffdce74fad2"

var now = time.Date(2026, time.November, 20, 9, 30, 0, 123456789, time.UTC)

func TestAccept(t *testing.T) {
	s := newSurvey(t)
	got, errs := s.Accept(Submission{
		ID: strings.ToUpper(id), Touchpoint: "", Team: "area-g", Language: "pt-br",
		Answers: map[string]any{
			"comment":   "  Tre\u0300s bien\r\nmerci\t! ",
			"services":  []any{"gate", "wifi"},
			"reason":    "leisure",
			"stars":     int64(0),
			"ease":      7,
			"food":      int64(1),
			"recommend": int64(10),
		},
	}, Rules{Now: now})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	want := store.Response{
		Program: store.Key{Namespace: "sfo", Name: "passengers"}, ID: id, Unit: "area-g", Language: "pt-BR",
		SubmittedAt: now.Truncate(time.Microsecond),
		Answers: []store.Answer{
			{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"10"}},
			{Question: "food", Revision: 3, Kind: store.KindScale, Values: []string{"1"}},
			{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"7"}},
			{Question: "stars", Revision: 1, Kind: store.KindScale, Values: []string{"0"}},
			{Question: "reason", Revision: 1, Kind: store.KindSingle, Values: []string{"leisure"}},
			{Question: "services", Revision: 1, Kind: store.KindMultiple, Values: []string{"wifi", "gate"}},
			{Question: "comment", Revision: 1, Kind: store.KindText, Values: []string{"Tr\u00e8s bien\nmerci\t!"}},
		},
		Digest: got.Digest,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDigestIsFixed pins the encoding: identities of stored answers are compared with it for years.
func TestDigestIsFixed(t *testing.T) {
	got, errs := newSurvey(t).Accept(Submission{ID: id, Touchpoint: "food", Team: "area-g", Language: "es",
		SubmittedAt: "2026-11-20T01:02:03.5-08:00", Answers: map[string]any{"food": int64(4), "comment": "<ok>"}}, Rules{Now: now, Import: true})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	// printf '%s' '{"touchpoint":"food","team":"area-g","language":"es","submittedAt":"2026-11-20T09:02:03.5Z","answers":[{"question":"comment","values":["\u003cok\u003e"]},{"question":"food","values":["4"]}]}' | sha256sum
	const want = "4d2fb74a429a471e7c52290ca0e37eaea87991db6f7ca964a4f8ffc354bd14da"
	if hex.EncodeToString(got.Digest[:]) != want {
		t.Errorf("digest %x, want %s", got.Digest, want)
	}
}

func TestDigest(t *testing.T) {
	s := newSurvey(t)
	base := `{"id":"` + id + `","touchpoint":"all","answers":{"recommend":9,"services":["wifi","gate"]}}`
	digest := func(body string, r Rules) [32]byte {
		t.Helper()
		sub, err := DecodeSubmission([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		response, errs := s.Accept(sub, r)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return response.Digest
	}
	want := digest(base, Rules{Now: now})
	for name, body := range map[string]string{
		"order of members": `{"answers":{"services":["wifi","gate"],"recommend":9},"touchpoint":"all","id":"` + id + `"}`,
		"order of choices": strings.Replace(base, `["wifi","gate"]`, `["gate","wifi"]`, 1),
		"white space":      strings.ReplaceAll(base, ",", " ,\n"),
		"another id":       strings.Replace(base, "7d44", "8d44", 1),
	} {
		if digest(body, Rules{Now: now.Add(time.Hour)}) != want {
			t.Errorf("%s: another digest", name)
		}
	}
	if digest(base, Rules{Now: now, Import: true}) != want {
		t.Error("the way in changes the digest")
	}
	seen := map[[32]byte]string{want: "nothing"}
	for name, body := range map[string]string{
		"answer":       strings.Replace(base, ":9,", ":8,", 1),
		"choices":      strings.Replace(base, `["wifi","gate"]`, `["wifi"]`, 1),
		"question":     strings.Replace(base, `"services":["wifi","gate"]`, `"ease":1`, 1),
		"touchpoint":   strings.Replace(base, `"touchpoint":"all",`, "", 1),
		"team":         strings.Replace(base, `"touchpoint"`, `"team":"area-g","touchpoint"`, 1),
		"language":     strings.Replace(base, `"touchpoint"`, `"language":"es","touchpoint"`, 1),
		"submitted at": strings.Replace(base, `"touchpoint"`, `"submittedAt":"2026-11-20T00:00:00Z","touchpoint"`, 1),
	} {
		got := digest(body, Rules{Now: now, Import: true})
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s give the same digest", name, other)
		}
		seen[got] = name
	}
}

func TestAcceptRefuses(t *testing.T) {
	many := `"recommend":1`
	for i := range 50 {
		many += fmt.Sprintf(`,"q%d":1`, i)
	}
	imported := Rules{Now: now, Import: true}
	for name, c := range map[string]struct {
		body  string // "ID" stands for the member id
		rules Rules
		want  []string // pointer code, then a part of the detail
	}{
		"no id":                  {`{"answers":{"recommend":1}}`, Rules{}, []string{"/id required: "}},
		"no UUID":                {`{"id":"1","answers":{"recommend":1}}`, Rules{}, []string{"/id format: must be a UUID"}},
		"UUID in braces":         {`{"id":"{7d444840-9dc0-41d1-b245-5ffdce74fad2}","answers":{"recommend":1}}`, Rules{}, []string{"/id format: "}},
		"UUID without hyphens":   {`{"id":"7d4448409dc041d1b2455ffdce74fad2","answers":{"recommend":1}}`, Rules{}, []string{"/id format: "}},
		"zero UUID":              {`{"id":"00000000-0000-0000-0000-000000000000","answers":{"recommend":1}}`, Rules{}, []string{"/id format: "}},
		"unknown touchpoint":     {`{ID,"touchpoint":"parking","answers":{"food":1}}`, Rules{}, []string{"/touchpoint unknown: "}},
		"unknown team":           {`{ID,"team":"parking","answers":{"recommend":1}}`, Rules{}, []string{"/team unknown: "}},
		"no language":            {`{ID,"language":"klingonisch","answers":{"recommend":1}}`, Rules{}, []string{"/language format: must be a BCP 47"}},
		"long language":          {`{ID,"language":"` + strings.Repeat("en-", 100) + `","answers":{"recommend":1}}`, Rules{}, []string{"/language format: "}},
		"no answers":             {`{ID}`, Rules{}, []string{"/answers required: at least one"}},
		"null answers":           {`{ID,"answers":null}`, Rules{}, []string{"/answers required: "}},
		"empty answers":          {`{ID,"answers":{}}`, Rules{}, []string{"/answers required: "}},
		"too many answers":       {`{ID,"answers":{` + many + `}}`, Rules{}, []string{"/answers length: at most 50"}},
		"required is missing":    {`{ID,"answers":{"food":1}}`, Rules{}, []string{"/answers/recommend required: "}},
		"required at touchpoint": {`{ID,"touchpoint":"gate","answers":{"comment":"x"}}`, Rules{}, []string{"/answers/recommend required: "}},
		"unknown question":       {`{ID,"answers":{"recommend":1,"a/b~c":1}}`, Rules{}, []string{"/answers/a~1b~0c unknown: the survey has no such question"}},
		"unknown in an import":   {`{ID,"answers":{"parking":1}}`, imported, []string{"/answers/parking unknown: "}},
		"a very long question":   {`{ID,"answers":{"recommend":1,"` + strings.Repeat("q", 64) + `":1}}`, Rules{}, []string{"/answers unknown: a question's name has at most 63"}},
		"question not asked":     {`{ID,"touchpoint":"food","answers":{"food":1,"recommend":1}}`, Rules{}, []string{"/answers/recommend unknown: this question is not asked at this touchpoint"}},

		"scale as a string":    {`{ID,"answers":{"recommend":"9"}}`, Rules{}, []string{"/answers/recommend type: must be an integer from 0 to 10"}},
		"scale as a fraction":  {`{ID,"answers":{"recommend":9.5}}`, Rules{}, []string{"/answers/recommend type: "}},
		"scale with decimals":  {`{ID,"answers":{"recommend":9.0}}`, Rules{}, []string{"/answers/recommend type: "}},
		"scale in exponents":   {`{ID,"answers":{"recommend":1e1}}`, Rules{}, []string{"/answers/recommend type: "}},
		"scale is huge":        {`{ID,"answers":{"recommend":99999999999999999999}}`, Rules{}, []string{"/answers/recommend type: "}},
		"scale is null":        {`{ID,"answers":{"recommend":null}}`, Rules{}, []string{"/answers/recommend type: must be an integer"}},
		"scale is true":        {`{ID,"answers":{"recommend":true}}`, Rules{}, []string{"/answers/recommend type: "}},
		"scale is an object":   {`{ID,"answers":{"recommend":{"value":9}}}`, Rules{}, []string{"/answers/recommend type: "}},
		"NPS above":            {`{ID,"answers":{"recommend":11}}`, Rules{}, []string{"/answers/recommend range: must be an integer from 0 to 10"}},
		"NPS below":            {`{ID,"answers":{"recommend":-1}}`, Rules{}, []string{"/answers/recommend range: "}},
		"CSAT below":           {`{ID,"answers":{"food":0}}`, imported, []string{"/answers/food range: must be an integer from 1 to 5"}},
		"CSAT above":           {`{ID,"answers":{"food":6}}`, imported, []string{"/answers/food range: "}},
		"CES above":            {`{ID,"answers":{"ease":8}}`, imported, []string{"/answers/ease range: must be an integer from 1 to 7"}},
		"rating above":         {`{ID,"answers":{"stars":11}}`, imported, []string{"/answers/stars range: must be an integer from 0 to 10"}},
		"choice is a number":   {`{ID,"answers":{"reason":1}}`, imported, []string{"/answers/reason type: must be a string, the name of one choice: business, leisure"}},
		"choice is a list":     {`{ID,"answers":{"reason":["leisure"]}}`, imported, []string{"/answers/reason type: "}},
		"no such choice":       {`{ID,"answers":{"reason":"study"}}`, imported, []string{"/answers/reason choice: must be one of business, leisure"}},
		"choice by its label":  {`{ID,"answers":{"reason":"Business"}}`, imported, []string{"/answers/reason choice: "}},
		"empty choice":         {`{ID,"answers":{"reason":""}}`, imported, []string{"/answers/reason choice: "}},
		"choices as a string":  {`{ID,"answers":{"services":"wifi"}}`, imported, []string{"/answers/services type: must be a list of strings"}},
		"choices with numbers": {`{ID,"answers":{"services":["wifi",1]}}`, imported, []string{"/answers/services type: "}},
		"choices with null":    {`{ID,"answers":{"services":[null]}}`, imported, []string{"/answers/services type: "}},
		"nothing chosen":       {`{ID,"answers":{"services":[]}}`, imported, []string{"/answers/services required: "}},
		"chosen twice":         {`{ID,"answers":{"services":["wifi","wifi"]}}`, imported, []string{"/answers/services/1 choice: must not name a choice twice"}},
		"none of the choices":  {`{ID,"answers":{"services":["wifi","pool"]}}`, imported, []string{"/answers/services/1 choice: must be one of wifi, lounge, gate"}},
		"chosen too often":     {`{ID,"answers":{"services":["wifi","wifi","wifi","wifi"]}}`, imported, []string{"/answers/services length: "}},
		"text is a number":     {`{ID,"answers":{"comment":1}}`, imported, []string{"/answers/comment type: must be a string"}},
		"empty text":           {`{ID,"answers":{"comment":""}}`, imported, []string{"/answers/comment required: must not be empty"}},
		"blank text":           {`{ID,"answers":{"comment":" \n\t\u00a0"}}`, imported, []string{"/answers/comment required: "}},
		"long text":            {`{ID,"answers":{"comment":"123456789012345678901"}}`, imported, []string{"/answers/comment length: must have at most 20 characters"}},
		"control character":    {`{ID,"answers":{"comment":"a\u0000b"}}`, imported, []string{"/answers/comment format: "}},
		"escape sequence":      {`{ID,"answers":{"comment":"\u001b[31m"}}`, imported, []string{"/answers/comment format: "}},

		"submittedAt of a client": {`{ID,"submittedAt":"2026-11-20T00:00:00Z","answers":{"recommend":1}}`, Rules{Now: now}, []string{"/submittedAt unknown: submittedAt is for imports only"}},
		"submittedAt is a date":   {`{ID,"submittedAt":"2026-11-20","answers":{"food":1}}`, imported, []string{"/submittedAt format: "}},
		"submittedAt, one digit":  {`{ID,"submittedAt":"2026-11-20T9:00:00Z","answers":{"food":1}}`, imported, []string{"/submittedAt format: "}},
		"submittedAt, odd zone":   {`{ID,"submittedAt":"2026-11-20T09:00:00+24:60","answers":{"food":1}}`, imported, []string{"/submittedAt format: "}},
		"submittedAt, comma":      {`{ID,"submittedAt":"2026-11-20T09:00:00,5Z","answers":{"food":1}}`, imported, []string{"/submittedAt format: "}},
		"submittedAt, no zone":    {`{ID,"submittedAt":"2026-11-20T09:00:00","answers":{"food":1}}`, imported, []string{"/submittedAt format: "}},
		"submittedAt, no day":     {`{ID,"submittedAt":"2026-02-30T09:00:00Z","answers":{"food":1}}`, imported, []string{"/submittedAt format: "}},
		"submittedAt too early":   {`{ID,"submittedAt":"1999-12-31T23:59:59Z","answers":{"food":1}}`, imported, []string{"/submittedAt range: "}},
		"submittedAt too late":    {`{ID,"submittedAt":"2026-11-20T09:35:01Z","answers":{"food":1}}`, imported, []string{"/submittedAt future: "}},

		"standing of a client": {`{ID,"standing":"counted","passed":["page"],"failed":["time"],"answers":{"recommend":1}}`, Rules{Now: now},
			[]string{"/standing unknown: standing is for imports only", "/passed unknown: ", "/failed unknown: "}},
		"work of an import": {`{ID,"invitation":"x","proof":"y","answers":{"food":1}}`, imported, []string{"/invitation unknown: an import has no invitation", "/proof unknown: "}},
		"no such standing":  {`{ID,"standing":"Suspect","answers":{"food":1}}`, imported, []string{"/standing choice: must be counted, suspect or annulled"}},
		"no name of a check": {`{ID,"passed":["page",""],"failed":["Time","abcdefghijklmnopq"],"answers":{"food":1}}`, imported,
			[]string{"/passed/1 format: must have 1 to 16 lower-case letters", "/failed/0 format: ", "/failed/1 format: "}},
		"checks without end": {`{ID,"passed":["a","b","c","d","e","f","g","h","i"],"answers":{"food":1}}`, imported, []string{"/passed length: at most 8 checks are allowed"}},

		"everything at once": {`{"id":"x","touchpoint":"x","team":"x","language":"x!","submittedAt":"x","answers":{"z":1,"food":9,"recommend":11,"a":1}}`, imported,
			[]string{"/id format: ", "/touchpoint unknown: ", "/team unknown: ", "/language format: ", "/submittedAt format: ",
				"/answers/recommend range: ", "/answers/food range: ", "/answers/a unknown: ", "/answers/z unknown: "}},
	} {
		t.Run(name, func(t *testing.T) {
			sub, err := DecodeSubmission([]byte(strings.Replace(c.body, "{ID", `{"id":"`+id+`"`, 1)))
			if err != nil {
				t.Fatal(err)
			}
			response, errs := newSurvey(t).Accept(sub, c.rules)
			if diff := cmp.Diff(store.Response{}, response); diff != "" {
				t.Errorf("a response beside errors: %s", diff)
			}
			var got []string
			for _, e := range errs {
				got = append(got, fmt.Sprintf("%s %s: %s", e.Pointer, e.Code, e.Detail))
			}
			if len(got) != len(c.want) {
				t.Fatalf("errors %q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("error %d is %q, want %q...", i, got[i], c.want[i])
				}
			}
		})
	}
}

func TestAcceptEdges(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		rules Rules
	}{
		"required is not for imports":  {`{ID,"answers":{"food":1}}`, Rules{Now: now, Import: true}},
		"required is not asked here":   {`{ID,"touchpoint":"food","answers":{"food":1}}`, Rules{Now: now}},
		"5 minutes ahead":              {`{ID,"submittedAt":"2026-11-20T09:35:00Z","answers":{"food":1}}`, Rules{Now: now, Import: true}},
		"the first moment":             {`{ID,"submittedAt":"2000-01-01T00:00:00Z","answers":{"food":1}}`, Rules{Now: now, Import: true}},
		"text of the greatest length":  {`{ID,"answers":{"recommend":0,"comment":"日本語日本語日本語日本語日本語日本語日本"}}`, Rules{Now: now}},
		"blanks around are not length": {`{ID,"answers":{"recommend":0,"comment":"          12345678901234567890          "}}`, Rules{Now: now}},
		"emoji of several code points": {`{ID,"answers":{"recommend":0,"comment":"👩‍🚀"}}`, Rules{Now: now}},
		"a language nobody translated": {`{ID,"language":"sw","answers":{"recommend":0}}`, Rules{Now: now}},
	} {
		sub, err := DecodeSubmission([]byte(strings.Replace(c.body, "{ID", `{"id":"`+id+`"`, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, errs := newSurvey(t).Accept(sub, c.rules); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

// TestAcceptStanding: an import says what was found out about robots, and it is no part of what a response is.
func TestAcceptStanding(t *testing.T) {
	s := newSurvey(t)
	sub := Submission{ID: id, Answers: map[string]any{"food": 1}}
	plain, errs := s.Accept(sub, Rules{Now: now, Import: true})
	if len(errs) > 0 || plain.Standing != "" || plain.Passed != nil || plain.Failed != nil {
		t.Fatalf("%+v, %v", plain, errs)
	}
	for _, standing := range []store.Standing{store.StandingCounted, store.StandingSuspect, store.StandingAnnulled} {
		sub.Standing, sub.Passed, sub.Failed = string(standing), []string{"page", "honeypot", "page"}, []string{"time"}
		got, errs := s.Accept(sub, Rules{Now: now, Import: true})
		want := plain
		want.Standing, want.Passed, want.Failed = standing, []string{"honeypot", "page"}, []string{"time"}
		if diff := cmp.Diff(want, got); len(errs) > 0 || diff != "" {
			t.Errorf("%s: %v\n%s", standing, errs, diff)
		}
	}
	sub = Submission{ID: id, Answers: map[string]any{"recommend": 1}, Invitation: "x", Proof: "y"}
	got, errs := s.Accept(sub, Rules{Now: now})
	sub.Invitation, sub.Proof = "", ""
	if want, _ := s.Accept(sub, Rules{Now: now}); len(errs) > 0 || cmp.Diff(want, got) != "" {
		t.Errorf("what is for the caller to judge makes another response: %v, %v", got, errs)
	}
}

// TestAcceptGoValues: a form gives Go's own types.
func TestAcceptGoValues(t *testing.T) {
	got, errs := newSurvey(t).Accept(Submission{ID: id, Answers: map[string]any{"recommend": 9, "services": []string{"wifi"}}}, Rules{Now: now})
	if len(errs) > 0 || len(got.Answers) != 2 {
		t.Errorf("%v, %v", got, errs)
	}
	_, errs = newSurvey(t).Accept(Submission{ID: id, Answers: map[string]any{"recommend": 9, "comment": "a\xffb"}}, Rules{Now: now})
	if len(errs) != 1 || errs[0].Code != CodeFormat {
		t.Errorf("text that is not UTF-8: %v", errs)
	}
}

// TestDetailsKeepAnswersOut: what people write does not come back in errors, and so not in logs.
func TestDetailsKeepAnswersOut(t *testing.T) {
	const secret = "geheim"
	_, errs := newSurvey(t).Accept(Submission{ID: secret, Touchpoint: secret, Team: secret, Language: "x-" + secret + "!", SubmittedAt: secret,
		Answers: map[string]any{"recommend": secret, "reason": secret, "services": []any{secret}, "comment": strings.Repeat(secret, 9)}},
		Rules{Now: now, Import: true})
	if len(errs) != 9 {
		t.Errorf("%d errors, want 9: %v", len(errs), errs)
	}
	for _, e := range errs {
		if strings.Contains(e.Detail, secret) {
			t.Errorf("%s repeats what was sent: %s", e.Pointer, e.Detail)
		}
	}
}
