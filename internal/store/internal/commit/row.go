package commit

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

// Row is a response as a writer needs it. It is made by the caller of Append, so that the one writer spends no time on it,
// and shares no memory that the caller could change.
type Row struct {
	Program                    store.Key
	ID                         uuid.UUID
	Digest                     [32]byte
	Receipt                    string
	Touchpoint, Unit, Language string
	// SubmittedAt is in microseconds since 1970-01-01T00:00Z, and lies in Hour.
	SubmittedAt int64
	Hour        store.Hour
	Answers     []Answer
}

// Answer is a store.Answer with its values as a JSON array, and those that it counts under.
type Answer struct {
	Question string
	Revision int32
	Kind     string
	Vals     string
	Counted  []string
}

// NewRow refuses what could be stored but not be read back as it was: the rest is for the tables' constraints to judge.
func NewRow(r store.Response) (Row, error) {
	id, err := parseID(r.ID)
	if err != nil {
		return Row{}, err
	}
	for _, s := range []string{r.Program.Namespace, r.Program.Name, r.Receipt, r.Touchpoint, r.Unit, r.Language} {
		if !utf8.ValidString(s) {
			return Row{}, fmt.Errorf("%q is not UTF-8", s)
		}
	}
	if len(r.Answers) == 0 {
		return Row{}, errors.New("it has no answers")
	}
	out := Row{
		Program: r.Program, ID: id, Digest: r.Digest, Receipt: r.Receipt,
		Touchpoint: r.Touchpoint, Unit: r.Unit, Language: r.Language,
		SubmittedAt: r.SubmittedAt.UnixMicro(), Hour: store.HourOf(r.SubmittedAt),
		Answers: make([]Answer, len(r.Answers)),
	}
	for i, a := range r.Answers {
		if out.Answers[i], err = newAnswer(a); err != nil {
			return Row{}, fmt.Errorf("question %q: %w", a.Question, err)
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

func newAnswer(a store.Answer) (Answer, error) {
	if !utf8.ValidString(a.Question) {
		return Answer{}, errors.New("its name is not UTF-8")
	}
	if len(a.Values) == 0 || a.Kind != store.KindMultiple && len(a.Values) != 1 {
		return Answer{}, fmt.Errorf("a %s answer cannot have %d values", a.Kind, len(a.Values))
	}
	if a.Kind == store.KindMultiple && slices.Contains(a.Values, "") {
		return Answer{}, errors.New("a choice cannot be empty")
	}
	vals, err := encodeValues(a.Values)
	if err != nil {
		return Answer{}, err
	}
	return Answer{
		Question: a.Question, Revision: a.Revision, Kind: string(a.Kind), Vals: vals,
		Counted: slices.Clone(a.Counted()),
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

// DecodeValues reads what Answer.Vals holds.
func DecodeValues(vals string) ([]string, error) {
	var values []string
	err := json.Unmarshal([]byte(vals), &values)
	return values, err
}
