package embedded

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/desk"
	"github.com/cx-operator/cx-operator/internal/store"
)

const caseKey = "the key that seals contacts, 32 bytes or more"

// openCase stores an answer with a case in the store of the tests, and returns the case.
func (s *served) openCase() string {
	s.t.Helper()
	p, ok := s.registry.Get(visits)
	if !ok || p.Store == nil {
		s.t.Fatal("the program is not served")
	}
	id, response := uuid.NewString(), uuid.NewString()
	sealed, hash, err := desk.Keys{Cases: p.CaseKeys, Contact: p.ContactKey}.Seal(visits, id, "ana@example.org")
	if err != nil {
		s.t.Fatal(err)
	}
	at := s.clock().UTC()
	if _, err := p.Store.Append(s.t.Context(), []store.Response{{
		Program: visits, ID: response, Digest: sha256.Sum256([]byte(response)), Receipt: response, SubmittedAt: at,
		Answers: []store.Answer{{Question: "ease", Revision: 1, Kind: store.KindScale, Values: []string{"1"}}},
		Case: &store.CaseOpening{
			ID: id, Reasons: []string{"LowScore"}, PromisedBy: at.Truncate(time.Hour).Add(48 * time.Hour), Contact: sealed, ContactHash: hash, RetentionDays: 7,
		},
	}}); err != nil {
		s.t.Fatal(err)
	}
	return id
}

// TestDesk: contacts are opened with the keys of the program's store, also those of before a rotation.
func TestDesk(t *testing.T) {
	s := start(t, t.TempDir())
	if _, err := s.Desk(visits); !errors.Is(err, desk.ErrUnavailable) {
		t.Errorf("of a program that is not served: %v", err)
	}
	with := func(keys string) desk.Desk {
		t.Helper()
		if err := s.Serve("answers", form("A"), Secrets{Tokens: tokens, ContactKey: "c", CaseKeys: keys}); err != nil {
			t.Fatal(err)
		}
		d, err := s.Desk(visits)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if err := s.Serve("answers", form("A"), Secrets{Tokens: tokens}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Desk(visits); !errors.Is(err, desk.ErrUnavailable) {
		t.Errorf("while the store is not open: %v", err)
	}
	s.open()
	with(caseKey)
	id := s.openCase()
	newer := strings.Repeat("n", 43)
	for name, c := range map[string]struct {
		keys string
		err  error
	}{
		"the same": {caseKey, nil}, "rotated": {newer + "\n" + caseKey + "\n", nil}, "gone": {newer, desk.ErrSealed}, "none": {"", desk.ErrSealed},
		"unreadable": {"short", desk.ErrSealed},
	} {
		contact, err := with(c.keys).Contact(t.Context(), visits, id)
		if !errors.Is(err, c.err) || (contact == "ana@example.org") != (c.err == nil) {
			t.Errorf("%s: %q, %v", name, contact, err)
		}
	}
}

// TestContactsExpire: upkeep erases contacts of cases that were closed for longer than they are kept.
func TestContactsExpire(t *testing.T) {
	s := start(t, t.TempDir())
	s.open()
	if err := s.Serve("answers", form("A"), Secrets{Tokens: tokens, ContactKey: "c", CaseKeys: caseKey}); err != nil {
		t.Fatal(err)
	}
	d, err := s.Desk(visits)
	if err != nil {
		t.Fatal(err)
	}
	closed, open := s.openCase(), s.openCase()
	now := s.clock().UTC()
	if _, err := d.ChangeCase(t.Context(), visits, store.CaseChange{ID: closed, Version: 1, State: store.CaseInformed, At: now}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		err   error
	}{{7*day - time.Hour, nil}, {7 * day, desk.ErrErased}} {
		s.keepUp(now.Add(c.after))
		if _, err := d.Contact(t.Context(), visits, closed); !errors.Is(err, c.err) {
			t.Errorf("after %s: %v, want %v", c.after, err, c.err)
		}
		if contact, err := d.Contact(t.Context(), visits, open); err != nil || contact == "" {
			t.Errorf("after %s, of the open case: %q, %v", c.after, contact, err)
		}
	}
}
