package commit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Row is a response as a writer needs it. It is made by the caller of Append, so that the one writer spends no time on it,
// and shares no memory that the caller could change.
type Row struct {
	Program store.Key
	ID      uuid.UUID
	Digest  [32]byte
	// Erased is the ID of the tombstone that would stay of the response.
	Erased                     [32]byte
	Receipt                    string
	Touchpoint, Unit, Language string
	// SubmittedAt is in microseconds since 1970-01-01T00:00Z, and lies in Hour.
	SubmittedAt int64
	Hour        store.Hour
	Answers     []Answer
	// Standing is one of the three, never empty.
	Standing store.Standing
	// Passed and Failed are JSON arrays of strings. FailedChecks is what Failed holds.
	Passed, Failed string
	FailedChecks   []string
	// Invitation that was answered, on Day; uuid.Nil for none.
	Invitation uuid.UUID
	SingleUse  bool
	Day        Day
	// Started says that the response ends a visit, which began in StartedHour and took Seconds: a store.SecondsBucket, or
	// empty where there is none.
	Started     bool
	StartedHour store.Hour
	Seconds     string
	// Case is what the response opens; nil for none, and for a response that does not count.
	Case *Opening
}

// bytes is about how much memory the row takes.
func (r *Row) bytes() int {
	n := 512 + len(r.Receipt) + len(r.Touchpoint) + len(r.Unit) + len(r.Language)
	for _, a := range r.Answers {
		n += 128 + len(a.Question) + 2*len(a.Vals)
	}
	if r.Case != nil {
		n += 256 + len(r.Case.Contact)
	}
	return n
}

// Day is a count of days since 1970-01-01, UTC.
type Day int32

// DayOf returns the day that an hour lies in.
func DayOf(h store.Hour) Day {
	if h < 0 {
		h -= 23
	}
	return Day(h / 24)
}

// Micros returns the instant at which the day begins, in microseconds since 1970-01-01T00:00Z.
func (d Day) Micros() int64 { return int64(d) * 24 * 3600 * 1_000_000 }

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
	if err := allUTF8(r.Program.Namespace, r.Program.Name, r.Receipt, r.Touchpoint, r.Unit, r.Language); err != nil {
		return Row{}, err
	}
	if len(r.Answers) == 0 {
		return Row{}, errors.New("it has no answers")
	}
	out := Row{
		Program: r.Program, ID: id, Digest: r.Digest, Erased: NewTombstone(id, r.Digest).ID, Receipt: r.Receipt,
		Touchpoint: r.Touchpoint, Unit: r.Unit, Language: r.Language,
		SubmittedAt: r.SubmittedAt.UnixMicro(), Hour: store.HourOf(r.SubmittedAt),
		Answers: make([]Answer, len(r.Answers)),
	}
	if err := out.judge(r); err != nil {
		return Row{}, err
	}
	if err := out.relate(r); err != nil {
		return Row{}, err
	}
	for i, a := range r.Answers {
		if out.Answers[i], err = newAnswer(a); err != nil {
			return Row{}, fmt.Errorf("question %q: %w", a.Question, err)
		}
	}
	return out, nil
}

// judge sets the standing and the checks.
func (r *Row) judge(from store.Response) (err error) {
	r.Standing = cmp.Or(from.Standing, store.StandingCounted)
	if !slices.Contains([]store.Standing{store.StandingCounted, store.StandingSuspect, store.StandingAnnulled}, r.Standing) {
		return fmt.Errorf("standing %q is none of counted, suspect and annulled", from.Standing)
	}
	if r.Passed, err = encodeChecks(from.Passed); err != nil {
		return fmt.Errorf("passed: %w", err)
	}
	if r.Failed, err = encodeChecks(from.Failed); err != nil {
		return fmt.Errorf("failed: %w", err)
	}
	r.FailedChecks = slices.Clone(from.Failed)
	return nil
}

// relate sets what is said of the invitation, the visit and the case.
func (r *Row) relate(from store.Response) (err error) {
	if from.Invitation != "" {
		if r.Invitation, err = parseID(from.Invitation); err != nil {
			return fmt.Errorf("invitation: %w", err)
		}
		if r.Invitation == uuid.Nil {
			return errors.New("invitation: the nil UUID stands for none")
		}
		r.SingleUse, r.Day = from.SingleUse, DayOf(r.Hour)
	}
	if !from.StartedAt.IsZero() {
		r.Started, r.StartedHour = true, store.HourOf(from.StartedAt)
		r.Seconds, _ = store.SecondsBucket(from.SubmittedAt.Sub(from.StartedAt))
	}
	return r.open(from.Case)
}

// open sets the case. A response that does not count opens none, and nothing is kept of whom it would have been about: nor is
// one opened should the response be brought back.
func (r *Row) open(c *store.CaseOpening) error {
	if c == nil {
		return nil
	}
	opening, err := newOpening(c)
	if err != nil {
		return fmt.Errorf("case: %w", err)
	}
	if len(r.Touchpoint) > maxName {
		return fmt.Errorf("case: a touchpoint's name of %d bytes is more than %d", len(r.Touchpoint), maxName)
	}
	if r.Standing == store.StandingCounted {
		r.Case = opening
	}
	return nil
}

// Bounds of the checks of a response.
const (
	maxChecks    = 8
	maxCheckName = 16
)

// encodeChecks writes a JSON array of names that are sorted, without repeats.
func encodeChecks(names []string) (string, error) {
	if len(names) == 0 {
		return "[]", nil
	}
	if len(names) > maxChecks {
		return "", fmt.Errorf("%d checks are more than %d", len(names), maxChecks)
	}
	for i, name := range names {
		if name == "" || len(name) > maxCheckName || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz") != "" {
			return "", fmt.Errorf("check %q is not 1 to %d lower-case letters", name, maxCheckName)
		}
		if i > 0 && names[i-1] >= name {
			return "", fmt.Errorf("check %q is not sorted, or repeated", name)
		}
	}
	return encodeValues(names)
}

// DecodeChecks reads what Row.Passed and Row.Failed hold; nil for none.
func DecodeChecks(names string) ([]string, error) {
	if names == "[]" {
		return nil, nil
	}
	return DecodeValues(names)
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
	if plain(values) {
		return `["` + strings.Join(values, `","`) + `"]`, nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// plain tells whether JSON has the texts as they are.
func plain(values []string) bool {
	for _, v := range values {
		for i := range len(v) {
			if c := v[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
				return false
			}
		}
	}
	return len(values) > 0
}

// DecodeValues reads what Answer.Vals holds.
func DecodeValues(vals string) ([]string, error) {
	var values []string
	err := json.Unmarshal([]byte(vals), &values)
	return values, err
}
