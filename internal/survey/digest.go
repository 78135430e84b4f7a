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

// digestOf returns the SHA-256 of what was sent. Given is the time that was sent, zero if none was: the time of arrival
// differs from one try to the next. Revisions and the order of questions and choices belong to the survey, which may
// change between two tries; so answers and values are sorted by name.
//
// What it covers is canonical JSON, as encoding/json writes it:
//
//	{"touchpoint":"","team":"","language":"","submittedAt":"","answers":[{"question":"","values":[""]}]}
//
// The stored digests of all answers depend on it, so it must not change.
func digestOf(r store.Response, given time.Time) [32]byte {
	var space [1024]byte
	body := appendJSON(append(space[:0], `{"touchpoint":`...), r.Touchpoint)
	body = appendJSON(append(body, `,"team":`...), r.Unit)
	body = appendJSON(append(body, `,"language":`...), r.Language)
	submittedAt := ""
	if !given.IsZero() {
		submittedAt = given.Format(time.RFC3339Nano)
	}
	body = appendJSON(append(body, `,"submittedAt":`...), submittedAt)
	body = append(body, `,"answers":[`...)
	var order [maxAnswers]int
	for i, at := range byQuestion(order[:0], r.Answers) {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendAnswer(body, r.Answers[at])
	}
	return sha256.Sum256(append(body, "]}"...))
}

// byQuestion appends the indexes of the answers in the order of their questions.
func byQuestion(order []int, answers []store.Answer) []int {
	for i := range answers {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(answers[a].Question, answers[b].Question) })
	return order
}

func appendAnswer(body []byte, a store.Answer) []byte {
	body = appendJSON(append(body, `{"question":`...), a.Question)
	body = append(body, `,"values":[`...)
	values := a.Values
	if !slices.IsSorted(values) {
		values = slices.Sorted(slices.Values(values))
	}
	for i, value := range values {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendJSON(body, value)
	}
	return append(body, "]}"...)
}

// appendJSON appends a text as encoding/json writes it, to which what is not plain is left.
func appendJSON(body []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(body, marshal(text)...)
		}
	}
	return append(append(append(body, '"'), text...), '"')
}

func digestJSON(body any) [32]byte { return sha256.Sum256(marshal(body)) }

// marshal writes strings, numbers and structs of them as JSON.
func marshal(v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic("survey: strings and numbers cannot fail to be written as JSON: " + err.Error())
	}
	return encoded
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
