package commit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

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

// TestNewRowSharesNothing changes a response after Append took it.
func TestNewRowSharesNothing(t *testing.T) {
	r := example()
	r.Answers[0] = store.Answer{Question: "q", Revision: 1, Kind: store.KindSingle, Values: []string{"before"}}
	got, err := NewRow(r)
	if err != nil {
		t.Fatal(err)
	}
	r.Answers[0].Values[0] = "after"
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
