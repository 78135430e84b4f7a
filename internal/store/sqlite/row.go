package sqlite

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// row is a response as the writer needs it. It is made by the caller of Append, so that the one writer spends no time on
// it, and shares no memory that the caller could change.
type row struct {
	program     store.Key
	id          uuid.UUID
	digest      [32]byte
	receipt     string
	touchpoint  string
	unit        string
	language    string
	submittedAt int64 // microseconds since 1970
	hour        store.Hour
	answers     []answer
}

type answer struct {
	question string
	revision int32
	kind     string
	vals     string // JSON array
	counted  []string
}

// newRow refuses what could be stored but not be read back as it was: the rest is for the tables' constraints to judge.
func newRow(r store.Response) (row, error) {
	id, err := parseID(r.ID)
	if err != nil {
		return row{}, err
	}
	for _, s := range []string{r.Program.Namespace, r.Program.Name, r.Receipt, r.Touchpoint, r.Unit, r.Language} {
		if !utf8.ValidString(s) {
			return row{}, fmt.Errorf("%q is not UTF-8", s)
		}
	}
	if len(r.Answers) == 0 {
		return row{}, errors.New("it has no answers")
	}
	out := row{
		program: r.Program, id: id, digest: r.Digest, receipt: r.Receipt,
		touchpoint: r.Touchpoint, unit: r.Unit, language: r.Language,
		submittedAt: r.SubmittedAt.UnixMicro(), hour: store.HourOf(r.SubmittedAt),
		answers: make([]answer, len(r.Answers)),
	}
	for i, a := range r.Answers {
		if out.answers[i], err = newAnswer(a); err != nil {
			return row{}, fmt.Errorf("question %q: %w", a.Question, err)
		}
	}
	return out, nil
}

// parseID takes the canonical form only: another spelling would come back changed.
func parseID(s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err != nil || id.String() != s {
		return uuid.UUID{}, fmt.Errorf("id %q is not a UUID in canonical form", s)
	}
	return id, nil
}

func newAnswer(a store.Answer) (answer, error) {
	if !utf8.ValidString(a.Question) {
		return answer{}, errors.New("its name is not UTF-8")
	}
	if len(a.Values) == 0 || a.Kind != store.KindMultiple && len(a.Values) != 1 {
		return answer{}, fmt.Errorf("a %s answer cannot have %d values", a.Kind, len(a.Values))
	}
	if a.Kind == store.KindMultiple && slices.Contains(a.Values, "") {
		return answer{}, errors.New("a choice cannot be empty")
	}
	vals, err := encodeValues(a.Values)
	if err != nil {
		return answer{}, err
	}
	return answer{
		question: a.Question, revision: a.Revision, kind: string(a.Kind), vals: vals,
		counted: slices.Clone(a.Counted()),
	}, nil
}

// encodeValues writes a JSON array of distinct strings.
func encodeValues(values []string) (string, error) {
	for i, v := range values {
		if !utf8.ValidString(v) {
			return "", errors.New("a value is not UTF-8")
		}
		if slices.Contains(values[:i], v) {
			return "", errors.New("a value is repeated")
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

func decodeValues(vals string) ([]string, error) {
	var values []string
	err := json.Unmarshal([]byte(vals), &values)
	return values, err
}
