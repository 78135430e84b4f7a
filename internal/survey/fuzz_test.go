package survey

import (
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"github.com/cx-operator/cx-operator/internal/score"
	"github.com/cx-operator/cx-operator/internal/store"
)

func seeds(f *testing.F) {
	for _, body := range []string{
		`{"id":"` + id + `","answers":{"recommend":9}}`,
		`{"id":"` + id + `","touchpoint":"food","team":"area-g","language":"es","answers":{"food":5,"comment":" ok\r\n "}}`,
		`{"id":"` + id + `","submittedAt":"2026-11-20T00:00:00+01:00","answers":{"services":["gate","wifi"],"reason":"leisure","stars":0}}`,
		`{"answers":{"a":{"b":[null,true,1e5]}}}`, `{}`, `[]`, `{"id":"x","id":"y"}`, "{\"id\":\"\xff\"}",
	} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
}

// FuzzDecodeSubmission: no panic, the same result each time, and what was read can be written and read again.
func FuzzDecodeSubmission(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body []byte, _ bool) {
		if utf8.Valid(body) {
			checkQuickly(t, body)
		}
		sub, err := DecodeSubmission(body)
		again, errAgain := DecodeSubmission(body)
		if cmp.Diff(sub, again) != "" || (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() {
			t.Fatalf("two readings differ: %v, %v; %v, %v", sub, err, again, errAgain)
		}
		if err != nil {
			if cmp.Diff(Submission{}, sub) != "" {
				t.Fatalf("a submission beside the error %v: %v", err, sub)
			}
			return
		}
		if !json.Valid(body) {
			t.Fatalf("accepted what is no JSON: %q", body)
		}
		written, err := json.Marshal(sub)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeSubmission(written); err != nil {
			t.Fatalf("what was read cannot be read again: %s: %v", written, err)
		}
	})
}

// FuzzAccept: no panic, the same result each time, and what is accepted can be counted.
func FuzzAccept(f *testing.F) {
	seeds(f)
	s := newSurvey(f)
	f.Fuzz(func(t *testing.T, body []byte, imported bool) {
		sub, err := DecodeSubmission(body)
		if err != nil {
			return
		}
		rules := Rules{Now: now, Import: imported}
		response, errs := s.Accept(sub, rules)
		again, errsAgain := s.Accept(sub, rules)
		if diff := cmp.Diff(response, again) + cmp.Diff(errs, errsAgain); diff != "" {
			t.Fatalf("two judgements differ:\n%s", diff)
		}
		if len(errs) > 0 {
			return
		}
		checkResponse(t, s, response)
	})
}

// checkResponse states what a store may rely on.
func checkResponse(t *testing.T, s *Survey, r store.Response) {
	t.Helper()
	if parsed, err := uuid.Parse(r.ID); err != nil || parsed.String() != r.ID {
		t.Fatalf("ID %q is not canonical", r.ID)
	}
	if r.SubmittedAt.IsZero() || r.SubmittedAt.After(now.Add(maxFuture)) || r.SubmittedAt.Nanosecond()%1000 != 0 {
		t.Fatalf("SubmittedAt %v", r.SubmittedAt)
	}
	page, ok := s.Page(r.Touchpoint)
	if !ok || len(r.Answers) == 0 || len(r.Answers) > len(page) {
		t.Fatalf("touchpoint %q with %d answers", r.Touchpoint, len(r.Answers))
	}
	if _, ok := s.Units[r.Unit]; !ok && r.Unit != "" {
		t.Fatalf("unit %q", r.Unit)
	}
	last := -1
	for _, a := range r.Answers {
		at := slices.IndexFunc(page, func(q Question) bool { return q.Name == a.Question })
		if at <= last {
			t.Fatalf("answers are not one for each question in the survey's order: %v", r.Answers)
		}
		last = at
		checkAnswer(t, page[at], a)
	}
}

func checkAnswer(t *testing.T, q Question, a store.Answer) {
	t.Helper()
	if a.Revision != q.Revision || len(a.Values) == 0 {
		t.Fatalf("answer %v to revision %d", a, q.Revision)
	}
	switch a.Kind {
	case store.KindScale:
		n, err := strconv.Atoi(a.Values[0])
		if err != nil || n < q.Scale.Min || n > q.Scale.Max || strconv.Itoa(n) != a.Values[0] || q.Scale == (score.Scale{}) {
			t.Fatalf("%q is not on the scale %v", a.Values, q.Scale)
		}
	case store.KindText:
		text := a.Values[0]
		if !utf8.ValidString(text) || !norm.NFC.IsNormalString(text) || utf8.RuneCountInString(text) > int(q.MaxLength) {
			t.Fatalf("text %q", text)
		}
	default:
		if len(a.Values) > len(q.Choices) {
			t.Fatalf("%d of %d choices", len(a.Values), len(q.Choices))
		}
		for _, v := range a.Values {
			if choice(&q, v) < 0 {
				t.Fatalf("%q is no choice", v)
			}
		}
	}
	counted := slices.Sorted(slices.Values(a.Counted()))
	if len(slices.Compact(slices.Clone(counted))) != len(counted) || len(counted) > len(q.Choices)+1 {
		t.Fatalf("counted as %q", counted)
	}
}
