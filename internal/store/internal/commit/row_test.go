package commit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// example returns a response with a scale and a text.
func example() store.Response {
	return store.Response{
		Program: store.Key{Namespace: "airport", Name: "passengers"}, ID: "0f8fad5b-d9cb-469f-a165-70867728950e",
		Answers: []store.Answer{
			{Question: "recommend", Revision: 1, Kind: store.KindScale, Values: []string{"9"}},
			{Question: "why", Revision: 1, Kind: store.KindText, Values: []string{"The line was short."}},
		},
	}
}

func TestNewRowRefuses(t *testing.T) {
	answers := func(a ...store.Answer) func(*store.Response) {
		return func(r *store.Response) { r.Answers = a }
	}
	for name, c := range map[string]struct {
		change func(*store.Response)
		says   string
	}{
		"no id":             {func(r *store.Response) { r.ID = "" }, "canonical"},
		"upper case":        {func(r *store.Response) { r.ID = strings.ToUpper(r.ID) }, "canonical"},
		"urn":               {func(r *store.Response) { r.ID = "urn:uuid:" + r.ID }, "canonical"},
		"no answers":        {answers(), "no answers"},
		"bad unit":          {func(r *store.Response) { r.Unit = "\xff" }, "UTF-8"},
		"bad question":      {answers(store.Answer{Question: "\xff", Revision: 1, Kind: store.KindText, Values: []string{"x"}}), "UTF-8"},
		"bad value":         {answers(store.Answer{Question: "q", Revision: 1, Kind: store.KindText, Values: []string{"\xff"}}), "UTF-8"},
		"no value":          {answers(store.Answer{Question: "q", Revision: 1, Kind: store.KindMultiple}), "0 values"},
		"two texts":         {answers(store.Answer{Question: "q", Revision: 1, Kind: store.KindText, Values: []string{"a", "b"}}), "2 values"},
		"a choice twice":    {answers(store.Answer{Question: "q", Revision: 1, Kind: store.KindMultiple, Values: []string{"a", "a"}}), "repeated"},
		"a choice unnamed":  {answers(store.Answer{Question: "q", Revision: 1, Kind: store.KindMultiple, Values: []string{""}}), "empty"},
		"bad standing":      {func(r *store.Response) { r.Standing = "great" }, "counted, suspect"},
		"bad invitation":    {func(r *store.Response) { r.Invitation = "x" }, "invitation: id"},
		"nil invitation":    {func(r *store.Response) { r.Invitation = uuid.Nil.String() }, "nil UUID"},
		"many checks":       {func(r *store.Response) { r.Passed = strings.Split("a b c d e f g h i", " ") }, "more than 8"},
		"a long check":      {func(r *store.Response) { r.Passed = []string{strings.Repeat("a", 17)} }, "passed: check"},
		"a loud check":      {func(r *store.Response) { r.Failed = []string{"Time"} }, "failed: check"},
		"an unnamed check":  {func(r *store.Response) { r.Failed = []string{""} }, "lower-case"},
		"unsorted checks":   {func(r *store.Response) { r.Failed = []string{"b", "a"} }, "sorted"},
		"a check twice":     {func(r *store.Response) { r.Failed = []string{"a", "a"} }, "sorted"},
		"the second answer": {func(r *store.Response) { r.Answers[1].Values = nil }, `"why"`},
	} {
		r := example()
		c.change(&r)
		if _, err := NewRow(r); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.says)
		}
	}
	if _, err := NewRow(example()); err != nil {
		t.Errorf("a good response: %v", err)
	}
}

func TestNewRowJudgesAndRelates(t *testing.T) {
	r := example()
	r.SubmittedAt = noon
	got, err := NewRow(r)
	if err != nil || got.Standing != store.StandingCounted || got.Passed != "[]" || got.Failed != "[]" || got.Invitation != uuid.Nil || got.Started {
		t.Errorf("a plain response: %+v, %v", got, err)
	}
	r.Standing, r.Passed, r.Failed = store.StandingSuspect, []string{"honeypot", "page"}, []string{"time"}
	r.Invitation, r.SingleUse, r.StartedAt = "0f8fad5b-d9cb-469f-a165-70867728950f", true, noon.Add(-61*time.Minute)
	if got, err = NewRow(r); err != nil {
		t.Fatal(err)
	}
	if got.Standing != store.StandingSuspect || got.Passed != `["honeypot","page"]` || got.Failed != `["time"]` ||
		got.Invitation != uuid.MustParse(r.Invitation) || !got.SingleUse || got.Day != DayOf(got.Hour) ||
		!got.Started || got.StartedHour != got.Hour-2 || got.Seconds != "4200" {
		t.Errorf("%+v", got)
	}
	if names, err := DecodeChecks(got.Passed); err != nil || !slices.Equal(names, r.Passed) {
		t.Errorf("checks became %q, %v", names, err)
	}
	if names, err := DecodeChecks("[]"); err != nil || names != nil {
		t.Errorf("no checks became %q, %v", names, err)
	}
	r.StartedAt = noon.Add(time.Second)
	if got, err = NewRow(r); err != nil || !got.Started || got.Seconds != "" {
		t.Errorf("a visit that ended before it began: %+v, %v", got, err)
	}
}

// TestNewRowSharesNothing changes a response after Append took it.
func TestNewRowSharesNothing(t *testing.T) {
	r := example()
	r.Answers[0] = store.Answer{Question: "q", Revision: 1, Kind: store.KindSingle, Values: []string{"before"}}
	r.Failed = []string{"before"}
	got, err := NewRow(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Answers[0].Values[0], r.Failed[0] = "after", "after"
	if got.FailedChecks[0] != "before" {
		t.Errorf("the checks changed with the response: %v", got.FailedChecks)
	}
	if !slices.Equal(got.Answers[0].Counted, []string{"before"}) || got.Answers[0].Vals != `["before"]` {
		t.Errorf("the row changed with the response: %+v", got.Answers[0])
	}
}

func FuzzValues(f *testing.F) {
	f.Add("a", "b")
	f.Add("", "\x00\"\\ <&> \u2028")
	f.Add("\xff", "東京")
	f.Fuzz(func(t *testing.T, a, b string) {
		values := []string{a, b}
		vals, err := encodeValues(values)
		if bad := a == b || !utf8.ValidString(a) || !utf8.ValidString(b); bad != (err != nil) {
			t.Fatalf("encodeValues(%q): %v", values, err)
		}
		if err != nil {
			return
		}
		if !json.Valid([]byte(vals)) || strings.Contains(vals, "\n") {
			t.Errorf("%q became %q", values, vals)
		}
		got, err := DecodeValues(vals)
		if err != nil || !cmp.Equal(values, got) {
			t.Errorf("%q became %q, %v", values, got, err)
		}
	})
}

// TestValuesAsJSON wants texts to be stored as encoding/json writes them.
func TestValuesAsJSON(t *testing.T) {
	texts := []string{"", "two words", "東京", "\u2028", "a\\", `say "yes"`}
	for c := range 0x80 {
		texts = append(texts, "a"+string(rune(c))+"z")
	}
	for _, text := range texts {
		var want strings.Builder
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		values := []string{"first", text}
		if err := e.Encode(values); err != nil {
			t.Fatal(err)
		}
		if got, err := encodeValues(values); err != nil || got+"\n" != want.String() {
			t.Errorf("%q became %q, %v; want %q", values, got, err, want.String())
		}
	}
}
