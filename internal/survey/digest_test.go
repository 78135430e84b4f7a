package survey

import (
	"crypto/sha256"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// TestDigestIsOfCanonicalJSON: what a digest covers is what encoding/json writes.
func TestDigestIsOfCanonicalJSON(t *testing.T) {
	type answer struct {
		Question string   `json:"question"`
		Values   []string `json:"values"`
	}
	type body struct {
		Touchpoint  string   `json:"touchpoint"`
		Team        string   `json:"team"`
		Language    string   `json:"language"`
		SubmittedAt string   `json:"submittedAt"`
		Answers     []answer `json:"answers"`
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a", "<b> & \"c\"", "\\", "\x7f", "~", "\u2028", "\ufffd", "a\nb\tc", "é"}))
		r := store.Response{Touchpoint: text.Draw(t, "touchpoint"), Unit: text.Draw(t, "team"), Language: text.Draw(t, "language")}
		want := body{Touchpoint: r.Touchpoint, Team: r.Unit, Language: r.Language}
		var given time.Time
		if rapid.Bool().Draw(t, "imported") {
			given = time.UnixMicro(rapid.Int64Range(0, 1<<50).Draw(t, "given")).UTC()
			want.SubmittedAt = given.Format(time.RFC3339Nano)
		}
		for _, question := range rapid.SliceOfNDistinct(text, 1, 50, rapid.ID[string]).Draw(t, "questions") {
			values := rapid.SliceOfN(text, 1, 5).Draw(t, "values")
			r.Answers = append(r.Answers, store.Answer{Question: question, Values: values})
			want.Answers = append(want.Answers, answer{question, slices.Sorted(slices.Values(values))})
		}
		slices.SortFunc(want.Answers, func(a, b answer) int { return strings.Compare(a.Question, b.Question) })
		encoded, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if digestOf(r, given) != sha256.Sum256(encoded) {
			t.Fatalf("the digest is not that of %s", encoded)
		}
	})
}
