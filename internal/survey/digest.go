package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// canonicalBody is what a digest covers. Its JSON is the canonical encoding: the stored digests of all answers depend on
// it, so it must not change.
type canonicalBody struct {
	Touchpoint  string            `json:"touchpoint"`
	Team        string            `json:"team"`
	Language    string            `json:"language"`
	SubmittedAt string            `json:"submittedAt"`
	Answers     []canonicalAnswer `json:"answers"`
}

type canonicalAnswer struct {
	Question string   `json:"question"`
	Values   []string `json:"values"`
}

// digestOf returns the SHA-256 of what was sent. Given is the time that was sent, zero if none was: the time of arrival
// differs from one try to the next. Revisions and the order of questions and choices belong to the survey, which may
// change between two tries; so answers and values are sorted by name.
func digestOf(r store.Response, given time.Time) [32]byte {
	body := canonicalBody{Touchpoint: r.Touchpoint, Team: r.Unit, Language: r.Language}
	if !given.IsZero() {
		body.SubmittedAt = given.Format(time.RFC3339Nano)
	}
	for _, a := range r.Answers {
		body.Answers = append(body.Answers, canonicalAnswer{a.Question, slices.Sorted(slices.Values(a.Values))})
	}
	slices.SortFunc(body.Answers, func(a, b canonicalAnswer) int { return strings.Compare(a.Question, b.Question) })
	return digestJSON(body)
}

func digestJSON(body any) [32]byte {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic("survey: strings and numbers cannot fail to be written as JSON: " + err.Error())
	}
	return sha256.Sum256(encoded)
}

// canonicalInvitation is what the digest of an invitation covers. It must not change.
type canonicalInvitation struct {
	Contact    string `json:"contact"`
	Touchpoint string `json:"touchpoint"`
	Team       string `json:"team"`
	Language   string `json:"language"`
	ValidDays  int32  `json:"validDays"`
	SingleUse  bool   `json:"singleUse"`
}

// Digest returns the SHA-256 of what was asked for, but for the ID. Contact is the keyed hash of the contact, empty for none:
// a digest of the contact itself could be tried out. ValidDays count as they were given, since the program's own may change
// between two tries.
func (in Invitation) Digest(contact []byte) [32]byte {
	body := canonicalInvitation{hex.EncodeToString(contact), in.Touchpoint, in.Team, in.Language, 0, in.Once()}
	if in.ValidDays != nil {
		body.ValidDays = *in.ValidDays
	}
	return digestJSON(body)
}
