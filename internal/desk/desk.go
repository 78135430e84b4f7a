// Package desk is where people work on cases: those of a program's store, in clear only where the contact is asked for. Who
// holds the store opens contacts itself; the operator asks a Dedicated endpoint.
package desk

import (
	"context"
	"errors"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Desk works on the cases of programs. Its errors are those of store.Cases and the ones below; times are parameters. Cases
// that it returns never have their Contact: whether there is one says ContactErasedAt, which is zero as long as there is.
type Desk interface {
	// Case returns one case with its answers and history. store.ErrNotFound for none.
	Case(ctx context.Context, program store.Key, id string) (store.Case, error)
	// ListCases returns a page, as store.Cases does.
	ListCases(ctx context.Context, program store.Key, q store.CaseQuery) (store.CasePage, error)
	// ChangeCase makes a change, as store.Cases does.
	ChangeCase(ctx context.Context, program store.Key, c store.CaseChange) (store.Case, error)
	// Contact returns how the customer can be reached, in clear. store.ErrNotFound for no such case, ErrErased where the
	// contact was erased, ErrSealed where its key is gone.
	Contact(ctx context.Context, program store.Key, id string) (string, error)
	// EraseContacts erases contacts, and returns how many cases had them; none is no error.
	EraseContacts(ctx context.Context, program store.Key, e Erasure, at time.Time) (int64, error)
	// Notices returns what people are to be told of, as store.Cases does.
	Notices(ctx context.Context, program store.Key, state string, after int64, limit int, now time.Time) ([]store.CaseNotice, error)
	// SettleNotice notes what became of a notice, as store.Cases does.
	SettleNotice(ctx context.Context, program store.Key, seq int64, state string, record []byte, now time.Time) error
}

// Erasure says whose contact is to be erased: exactly one is set.
type Erasure struct {
	// Receipt of the response, as people type it: in groups or not, in capital letters or not.
	Receipt string
	// Contact in clear, as the respondent left it: blanks around it and capitals make no difference.
	Contact string
	// ID of the case.
	ID string
}

// Errors of a Desk beside those of store.Cases. They are tested with errors.Is.
var (
	// ErrErased means that the contact was erased.
	ErrErased = errors.New("desk: the contact was erased")
	// ErrSealed means that the contact cannot be opened: the key that it was sealed with is not there.
	ErrSealed = errors.New("desk: the contact cannot be opened, since its key is not there")
	// ErrInvalid means that what was asked for is out of bounds; the error's text says what and what is allowed.
	ErrInvalid = errors.New("desk: invalid")
	// ErrUnavailable means that cases cannot be worked on now: the program is not served here, or its store is not open.
	ErrUnavailable = errors.New("desk: cases cannot be reached now")
)
