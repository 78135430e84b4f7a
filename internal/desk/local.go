package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cx-operator/cx-operator/internal/link"
	"github.com/cx-operator/cx-operator/internal/seal"
	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// Purpose is what the keys of cases are derived for.
const Purpose = "cases"

// Keys are those of a store with which contacts are kept.
type Keys struct {
	// Cases seal and open contacts; see ParseKeys.
	Cases seal.Ring
	// Contact is the secret under which contacts are hashed; empty while there is none.
	Contact []byte
}

// ParseKeys reads the keys that seal contacts; see seal.Parse.
func ParseKeys(text string) (seal.Ring, error) { return seal.Parse(text, Purpose) }

// place is what a sealed contact is bound to: it can be opened as that of its case only.
func place(program store.Key, id string) string {
	return "cx-operator case v1\n" + program.String() + "\n" + id
}

// Seal returns an address as a case keeps it: sealed, and hashed so that it can be found. The error is seal.ErrNoKey where a
// key is missing.
func (k Keys) Seal(program store.Key, id, address string) (sealed, hash []byte, err error) {
	if len(k.Contact) == 0 {
		return nil, nil, seal.ErrNoKey
	}
	if sealed, err = k.Cases.Seal([]byte(address), place(program, id)); err != nil {
		return nil, nil, err
	}
	return sealed, k.hash(program, address), nil
}

func (k Keys) hash(program store.Key, address string) []byte {
	return link.HashContact(k.Contact, program.Namespace, survey.ComparableContact(address))
}

// Of returns the Desk of a store.
func Of(cases store.Cases, keys Keys) Desk { return local{cases, keys} }

type local struct {
	cases store.Cases
	keys  Keys
}

func (l local) Case(ctx context.Context, program store.Key, id string) (store.Case, error) {
	c, err := l.cases.Case(ctx, program, id)
	return bare(c), err
}

func (l local) ListCases(ctx context.Context, program store.Key, q store.CaseQuery) (store.CasePage, error) {
	page, err := l.cases.ListCases(ctx, program, q)
	for i := range page.Cases {
		page.Cases[i] = bare(page.Cases[i])
	}
	return page, err
}

func (l local) ChangeCase(ctx context.Context, program store.Key, change store.CaseChange) (store.Case, error) {
	c, err := l.cases.ChangeCase(ctx, program, change)
	return bare(c), err
}

// bare is a case without its contact.
func bare(c store.Case) store.Case {
	c.Contact = nil
	return c
}

func (l local) Contact(ctx context.Context, program store.Key, id string) (string, error) {
	c, err := l.cases.Case(ctx, program, id)
	if err != nil {
		return "", err
	}
	if len(c.Contact) == 0 {
		return "", ErrErased
	}
	text, err := l.keys.Cases.Open(c.Contact, place(program, id))
	switch {
	case errors.Is(err, seal.ErrNoKey):
		return "", ErrSealed
	case err != nil:
		return "", fmt.Errorf("open the contact of case %s: %w", id, err)
	}
	return string(text), nil
}

func (l local) EraseContacts(ctx context.Context, program store.Key, e Erasure, at time.Time) (int64, error) {
	if err := e.check(); err != nil {
		return 0, err
	}
	var hash []byte
	if e.Contact != "" {
		if len(l.keys.Contact) == 0 {
			return 0, fmt.Errorf("%w: the store has no key for contacts", ErrUnavailable)
		}
		hash = l.keys.hash(program, e.Contact)
	}
	return l.cases.EraseContacts(ctx, program, link.Receipt(e.Receipt), hash, e.ID, at)
}

// check says what is wrong with an erasure, as ErrInvalid.
func (e Erasure) check() error {
	set := 0
	for _, text := range []string{e.Receipt, e.Contact, e.ID} {
		if text != "" {
			set++
		}
	}
	if set != 1 {
		return fmt.Errorf("%w: exactly one of receipt, contact and id is allowed", ErrInvalid)
	}
	return nil
}

func (l local) Notices(ctx context.Context, program store.Key, state string, after int64, limit int, now time.Time) ([]store.CaseNotice, error) {
	return l.cases.Notices(ctx, program, state, after, limit, now)
}

func (l local) SettleNotice(ctx context.Context, program store.Key, seq int64, state string, record []byte, now time.Time) error {
	return l.cases.SettleNotice(ctx, program, seq, state, record, now)
}
