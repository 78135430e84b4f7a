package store

import (
	"context"
	"errors"
	"time"
)

// CaseOpening asks for a case to be opened with a response, in the same transaction. It rides on Response.Case. A response
// that is a repeat, a conflict, spent or not counted (suspect) opens none.
type CaseOpening struct {
	// ID of the case: a random UUID in canonical form, which says nothing of the response's.
	ID string
	// Reasons for which it was opened, at least one, sorted: Detractor, LowScore, ContactRequested.
	Reasons []string
	// PromisedBy is the end of the hour by which the respondent is to be contacted; UTC, a full hour.
	PromisedBy time.Time
	// Contact is the sealed way to be contacted: opaque to the store, at most 4096 bytes.
	Contact []byte
	// ContactHash is a keyed hash (32 bytes) of it, by which it is found for erasure.
	ContactHash []byte
	// RetentionDays after which the contact is erased once the case is closed, 1 to 730.
	RetentionDays int32
}

// CaseState is how far a case is.
type CaseState string

// The states of a case, in their order. A case moves forward only, and may leave states out.
const (
	// CaseOpen waits for somebody to contact the customer.
	CaseOpen CaseState = "Open"
	// CaseContacted has been contacted.
	CaseContacted CaseState = "Contacted"
	// CaseResolved is settled.
	CaseResolved CaseState = "Resolved"
	// CaseInformed is closed: the customer was told what was done.
	CaseInformed CaseState = "Informed"
)

// CaseEvent is one entry of a case's history.
type CaseEvent struct {
	// At in UTC, stored in microseconds.
	At time.Time
	// By is who acted, as the API server calls them; at most 253 bytes. Empty for the store itself.
	By string
	// State after the event.
	State CaseState
	// Note in words, at most 2000 bytes; may be empty.
	Note string
}

// Case is the promise to one respondent.
type Case struct {
	Program Key
	ID      string
	// Touchpoint and Language of the response; may be empty.
	Touchpoint, Language string
	Reasons              []string
	State                CaseState
	// OpenedAt is the response's SubmittedAt; the other times are zero until they come.
	OpenedAt, PromisedBy, ContactedAt, ResolvedAt, InformedAt time.Time
	// Plan is the name of the ActionPlan that the case led to; may be empty.
	Plan string
	// Answers of the response, in order of their question, while retention keeps them.
	Answers []Answer
	// History, the oldest first, at most 100 entries: of more the oldest but the first are left out.
	History []CaseEvent
	// Contact is sealed; nil once erased. ContactErasedAt is when.
	Contact         []byte
	ContactErasedAt time.Time
	// Version counts changes from 1.
	Version int64
}

// CaseQuery selects cases of a program; zero fields are no condition.
type CaseQuery struct {
	// States that are wanted.
	States []CaseState
	// Touchpoint; nil for any, "" for those without one.
	Touchpoint *string
	// OverdueAt selects cases that are Open with PromisedBy at or before it.
	OverdueAt time.Time
	// Limit is 1 to 500. After is the Next of the page before.
	Limit int
	After string
}

// CasePage is one page of cases, by PromisedBy and ID, without Answers and History.
type CasePage struct {
	Cases []Case
	// Next is empty on the last page.
	Next string
	// Remaining is how many there are behind this page.
	Remaining int64
}

// CaseChange is a change of one case. Version must be the one that the change was made from.
type CaseChange struct {
	ID      string
	Version int64
	// State to move to; empty or the present one keeps it.
	State CaseState
	// Plan to link; nil keeps it.
	Plan *string
	// Note for the history; may be empty.
	Note string
	// By is who acts; At is when, and the time that the state was reached.
	By string
	At time.Time
}

// The transitions of a CaseNotice, and the states of its delivery.
const (
	// NoticeOpened and NoticeOverdue are told once of a case each.
	NoticeOpened  = "Opened"
	NoticeOverdue = "Overdue"
	// NoticePending is to be sent, NoticeDelivered was, and NoticeDead was given up.
	NoticePending   = "Pending"
	NoticeDelivered = "Delivered"
	NoticeDead      = "Dead"
)

// CaseNotice is one transition of a case that people are told of, from the store's outbox.
type CaseNotice struct {
	// Seq orders notices of a program; CaseID and Transition: Opened, or Overdue.
	Seq        int64
	CaseID     string
	Touchpoint string
	Transition string
	// At is the case's OpenedAt, or the PromisedBy that passed.
	At time.Time
	// State of the delivery: Pending, Delivered or Dead; Record is what its sender noted, opaque, at most 8192 bytes.
	State  string
	Record []byte
}

// Pseudo-questions under which cases are counted, with revision 1, the response's touchpoint and no unit.
const (
	// QuestionCaseDue counts cases that were not contacted yet, under "", in the hour that ends at PromisedBy.
	QuestionCaseDue = "@case-due"
	// QuestionCaseKept counts cases that were contacted by PromisedBy, in the hour that ends there.
	QuestionCaseKept = "@case-kept"
	// QuestionCaseLate counts cases that were contacted after PromisedBy, in the hour that ends there.
	QuestionCaseLate = "@case-late"
	// QuestionCaseOpen counts cases that are not resolved, in the hour of OpenedAt.
	QuestionCaseOpen = "@case-open"
)

// Cases are the promises that a store keeps with its answers. Every change of a case, its history, counts and notice are
// one transaction.
type Cases interface {
	// Case returns one case with its answers and history. ErrNotFound for none.
	Case(ctx context.Context, program Key, id string) (Case, error)
	// ListCases returns a page. An After that no page gave is ErrBadPage.
	ListCases(ctx context.Context, program Key, q CaseQuery) (CasePage, error)
	// ChangeCase makes a change and returns the case as it is then. ErrNotFound; ErrChanged where Version is another one;
	// ErrBackward for a state before the present one. The same change again is ErrChanged.
	ChangeCase(ctx context.Context, program Key, c CaseChange) (Case, error)
	// EraseContacts erases the contact of cases, by the receipt of the response, by the hash of the contact, or by ID of the
	// case: exactly one is set. It returns how many cases had it; none again is no error. Cases stay, without the person and
	// without the notes in their history so far: an open one is then Resolved with a note, since nobody can be contacted any
	// more, and counts neither as kept nor as late. Erase by receipt (see Store.Erase) erases the contact as well.
	EraseContacts(ctx context.Context, program Key, receipt string, contactHash []byte, id string, at time.Time) (int64, error)
	// ExpireContacts erases contacts of cases that were resolved RetentionDays ago or earlier, whether the customer was informed
	// since or not, and those of responses that retention deleted, in whatever state; in bounded transactions. It returns how
	// many.
	ExpireContacts(ctx context.Context, program Key, now time.Time) (int64, error)
	// Notices returns notices of the state in order of Seq, after a Seq, at most limit (1 to 500). It first writes a notice
	// Overdue for each case that is overdue at now and has none.
	Notices(ctx context.Context, program Key, state string, after int64, limit int, now time.Time) ([]CaseNotice, error)
	// SettleNotice notes what became of a notice, in whatever state it was: so a dead one is made Pending again. Delivered ones
	// are deleted 7 days later. ErrNotFound for none.
	SettleNotice(ctx context.Context, program Key, seq int64, state string, record []byte, now time.Time) error
}

// Errors of Cases, besides those of a Store. They are tested with errors.Is.
var (
	// ErrNotFound means that there is no such case.
	ErrNotFound = errors.New("store: no such case")
	// ErrChanged means that the case was changed since.
	ErrChanged = errors.New("store: the case was changed meanwhile")
	// ErrBackward means that a case does not move back.
	ErrBackward = errors.New("store: a case does not move back")
	// ErrBadPage means that a page was asked for with what no page gave.
	ErrBadPage = errors.New("store: no such page")
)
