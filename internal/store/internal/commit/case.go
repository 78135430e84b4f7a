package commit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Bounds of what a case holds; lengths are in bytes.
const (
	maxReasons       = 8
	maxReasonLength  = 32
	maxSealedContact = 4096
	maxRetentionDays = 730
	maxNote          = 2000
	// maxName is for names of objects and of who acts.
	maxName = 253
)

// MaxEvents is how many entries of a case's history are kept, its opening included. The opening is not stored: it follows
// from the case.
const MaxEvents = 100

// erasedNote is the store's own entry in the history of a case that ends because its contact is gone.
const erasedNote = "The contact was erased: nobody can be contacted any more."

// Opening is a store.CaseOpening as a writer needs it.
type Opening struct {
	ID uuid.UUID
	// Reasons is a JSON array of strings.
	Reasons string
	// PromisedBy is in microseconds since 1970-01-01T00:00Z.
	PromisedBy           int64
	Contact, ContactHash []byte
	RetentionDays        int32
}

// newOpening refuses what could be stored but not be read back as it was, and what no case may hold.
func newOpening(c *store.CaseOpening) (*Opening, error) {
	id, err := parseID(c.ID)
	if err != nil {
		return nil, err
	}
	reasons, err := encodeReasons(c.Reasons)
	if err != nil {
		return nil, err
	}
	switch {
	case id == uuid.Nil:
		return nil, errors.New("the nil UUID stands for no case")
	case c.PromisedBy.IsZero() || !c.PromisedBy.Equal(store.HourOf(c.PromisedBy).Time()):
		return nil, fmt.Errorf("promised by %s is not a full hour", c.PromisedBy)
	case len(c.Contact) == 0 || len(c.Contact) > maxSealedContact:
		return nil, fmt.Errorf("a contact of %d bytes is not one of 1 to %d", len(c.Contact), maxSealedContact)
	case len(c.ContactHash) != 32:
		return nil, fmt.Errorf("a contact's hash of %d bytes is not one of 32", len(c.ContactHash))
	case c.RetentionDays < 1 || c.RetentionDays > maxRetentionDays:
		return nil, fmt.Errorf("a retention of %d days is not one of 1 to %d", c.RetentionDays, maxRetentionDays)
	}
	return &Opening{
		ID: id, Reasons: reasons, PromisedBy: c.PromisedBy.UnixMicro(), Contact: bytes.Clone(c.Contact),
		ContactHash: bytes.Clone(c.ContactHash), RetentionDays: c.RetentionDays,
	}, nil
}

// encodeReasons writes a JSON array of names that are sorted, without repeats, at least one.
func encodeReasons(names []string) (string, error) {
	if len(names) == 0 || len(names) > maxReasons {
		return "", fmt.Errorf("%d reasons are not 1 to %d", len(names), maxReasons)
	}
	for i, name := range names {
		if name == "" || len(name) > maxReasonLength || strings.ContainsFunc(name, isNoLetter) {
			return "", fmt.Errorf("reason %q is not 1 to %d letters", name, maxReasonLength)
		}
		if i > 0 && names[i-1] >= name {
			return "", fmt.Errorf("reason %q is not sorted, or repeated", name)
		}
	}
	return encodeValues(names)
}

func isNoLetter(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }

// CaseRecord is a case with what its store alone knows.
type CaseRecord struct {
	store.Case
	RetentionDays int32
	// ExpiresAt is when the contact is to be erased; zero while nothing says when, or when it was.
	ExpiresAt time.Time
	// Submission is the identity of the response; uuid.Nil once retention or erasure deleted that.
	Submission uuid.UUID
}

// Opened returns the entry of the history that the opening of a case is.
func Opened(c *store.Case) store.CaseEvent {
	return store.CaseEvent{At: c.OpenedAt, State: store.CaseOpen}
}

// CaseChange is a store.CaseChange as a writer needs it: At is in UTC, in microseconds.
type CaseChange struct {
	store.CaseChange
	ID uuid.UUID
}

// states of a case in their order.
var states = []store.CaseState{store.CaseOpen, store.CaseContacted, store.CaseResolved, store.CaseInformed}

// NewCaseChange refuses what no case may hold. Of an ID that no case can have it says store.ErrNotFound.
func NewCaseChange(c store.CaseChange) (*CaseChange, error) {
	out := &CaseChange{CaseChange: c}
	id, err := CaseID(c.ID)
	if err != nil {
		return nil, err
	}
	out.ID = id
	if c.State != "" && !slices.Contains(states, c.State) {
		return nil, fmt.Errorf("state %q is none of %q", c.State, states)
	}
	for _, text := range []struct {
		name, value string
		limit       int
	}{{"note", c.Note, maxNote}, {"by", c.By, maxName}, {"plan", orEmpty(c.Plan), maxName}} {
		if err := checkText(text.value, text.limit); err != nil {
			return nil, fmt.Errorf("%s: %w", text.name, err)
		}
	}
	out.At, err = Micros(c.At)
	return out, err
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// checkText takes what every database can keep.
func checkText(s string, limit int) error {
	if len(s) > limit {
		return fmt.Errorf("%d bytes are more than %d", len(s), limit)
	}
	if strings.ContainsRune(s, 0) {
		return errors.New("it holds a zero byte")
	}
	return allUTF8(s)
}

// Micros returns a time as it is stored: in UTC, in microseconds. It must be set.
func Micros(at time.Time) (time.Time, error) {
	if at.IsZero() {
		return time.Time{}, errors.New("the time is not set")
	}
	return instant(at.UnixMicro()), nil
}

func instant(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// CaseID reads the identity of a case. What is none is store.ErrNotFound.
func CaseID(s string) (uuid.UUID, error) {
	id, err := parseID(s)
	if err != nil {
		return uuid.Nil, store.ErrNotFound
	}
	return id, nil
}

// Change changes a case, and returns the entry of its history. Its errors are store.ErrChanged and store.ErrBackward.
func (r *CaseRecord) Change(c *CaseChange) (store.CaseEvent, error) {
	if c.Version != r.Version {
		return store.CaseEvent{}, store.ErrChanged
	}
	to := cmp.Or(c.State, r.State)
	if slices.Index(states, to) < slices.Index(states, r.State) {
		return store.CaseEvent{}, store.ErrBackward
	}
	r.reach(to, c.At)
	if c.Plan != nil {
		r.Plan = *c.Plan
	}
	r.Version++
	return store.CaseEvent{At: c.At, By: c.By, State: to, Note: c.Note}, nil
}

// reach moves a case on. The states that it leaves out it has reached at that time, too.
func (r *CaseRecord) reach(to store.CaseState, at time.Time) {
	if to == r.State {
		return
	}
	if r.State == store.CaseOpen {
		r.ContactedAt = at
	}
	r.State = to
	if to == store.CaseInformed {
		r.InformedAt = at
	}
	if to == store.CaseContacted || !r.ResolvedAt.IsZero() {
		return
	}
	r.ResolvedAt = at
	if r.ExpiresAt.IsZero() && r.Contact != nil {
		r.ExpiresAt = at.AddDate(0, 0, int(r.RetentionDays))
	}
}

// EraseContact takes the person out of a case. An open one is resolved by that, without having been contacted: then it
// returns the entry of its history, otherwise nil.
func (r *CaseRecord) EraseContact(at time.Time) *store.CaseEvent {
	r.Contact, r.ContactErasedAt, r.ExpiresAt = nil, at, time.Time{}
	r.Version++
	if r.State != store.CaseOpen {
		return nil
	}
	r.State, r.ResolvedAt = store.CaseResolved, at
	return &store.CaseEvent{At: at, State: r.State, Note: erasedNote}
}

// AddCase adds n to the counts that a case is in.
func (c Counts) AddCase(program int64, r *store.Case, n int64) {
	key := CountKey{Program: program, Touchpoint: r.Touchpoint, Hour: store.HourOf(r.PromisedBy) - 1}
	if question := promise(r); question != "" {
		c.AddPseudo(key, question, "", n)
	}
	if r.State == store.CaseOpen || r.State == store.CaseContacted {
		key.Hour = store.HourOf(r.OpenedAt)
		c.AddPseudo(key, store.QuestionCaseOpen, "", n)
	}
}

// promise returns the pseudo-question that says what became of the promise. A case that ended without a contact, because
// there was nobody to contact any more, is in none.
func promise(r *store.Case) string {
	switch {
	case r.State == store.CaseOpen:
		return store.QuestionCaseDue
	case r.ContactedAt.IsZero():
		return ""
	case r.ContactedAt.After(r.PromisedBy):
		return store.QuestionCaseLate
	default:
		return store.QuestionCaseKept
	}
}
