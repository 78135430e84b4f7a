// Package store keeps answers: what was acknowledged is on disk, once, and its hourly counts are in the same
// transaction. This file is the contract; sqlite and postgres implement it, and storetest judges implementations.
package store

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"
)

// Key identifies a SurveyProgram.
type Key struct {
	// Namespace and Name of the SurveyProgram.
	Namespace, Name string
}

// String returns "namespace/name".
func (k Key) String() string { return k.Namespace + "/" + k.Name }

// Kind says how an answer is counted.
type Kind string

// The kinds of answers.
const (
	// KindScale is one integer on a scale: counted under its decimal digits.
	KindScale Kind = "scale"
	// KindSingle is the name of one choice: counted under that name.
	KindSingle Kind = "single"
	// KindMultiple is the names of one or more choices: counted under each name, and once under "" as answered.
	KindMultiple Kind = "multiple"
	// KindText is free text: counted once under "" as answered, never by its content.
	KindText Kind = "text"
)

// Answer is the answer to one question.
type Answer struct {
	Question string
	// Revision of the question that was answered, 1 or more.
	Revision int32
	Kind     Kind
	// Values: one integer, one choice, one or more choices, or one text.
	Values []string
}

// Counted returns the values under which the answer is counted, without repeats.
func (a Answer) Counted() []string {
	switch a.Kind {
	case KindText:
		return []string{""}
	case KindMultiple:
		return slices.Compact(slices.Sorted(slices.Values(append([]string{""}, a.Values...))))
	default:
		return a.Values
	}
}

// Response is one finished submission, already checked against the survey.
type Response struct {
	Program Key
	// ID is the client's identity of the submission: a UUID in canonical form, unique within the program.
	ID string
	// Digest is the SHA-256 of the submission's canonical body. The same ID with another digest is a conflict.
	Digest [32]byte
	// Receipt is a random code for the respondent. For a repeat, the first one is kept.
	Receipt string
	// Touchpoint, Unit (the Team that the answer speaks of) and Language; empty where none was given.
	Touchpoint, Unit, Language string
	// SubmittedAt is when the answer was given; UTC, stored in microseconds.
	SubmittedAt time.Time
	// Answers, at least one, at most one per question.
	Answers []Answer
	// Standing says whether the response counts; empty means StandingCounted. Export always says which.
	Standing Standing
	// Passed and Failed name the checks against robots that the response passed and failed, sorted, without repeats, at
	// most 8 each of at most 16 lower-case letters. A response that failed any comes with StandingSuspect, unless it comes
	// from an import and was reinstated. Export gives nil for none.
	Passed, Failed []string
	// Invitation is the ID of the invitation that was answered, empty for none. It is not kept with the response: nothing
	// tells afterwards whose answer it was. Export leaves it empty. The invitation keeps the day (UTC) of SubmittedAt, the
	// latest of its answers, whatever their standing. One that the store does not know, or has skipped, is answered
	// without being counted.
	Invitation string
	// SingleUse means that the invitation may be answered once; also one that the store does not know.
	SingleUse bool
	// StartedAt is when the page was opened, zero where that is not known, as for imports and JSON calls. With it, the
	// response is the end of the Visit of its ID, whatever its standing, and of one that was never tracked, too. Without
	// it, the Visit stays unfinished and moves no more. It is not kept with the response, nor is the Visit.
	StartedAt time.Time
	// Case to open with the response; nil for none. Of a response that opens none, nothing is kept of it: one that was
	// suspect and is brought back has no case. A case stays when its response is annulled. Export leaves it out.
	Case *CaseOpening
}

// Standing says whether a response counts.
type Standing string

// The standings of a response.
const (
	// StandingCounted is in the counts.
	StandingCounted Standing = "counted"
	// StandingSuspect is kept apart: a check against robots failed. It is in no count but QuestionSuspect.
	StandingSuspect Standing = "suspect"
	// StandingAnnulled was taken out of the counts by command. It is in no count.
	StandingAnnulled Standing = "annulled"
)

// Pseudo-questions under which a store counts what is no answer. No real question's name has an '@'. Their revision is 1.
const (
	// QuestionCompleted counts visits that ended with a response, under "", in the hour of StartedAt.
	QuestionCompleted = "@completed"
	// QuestionUnfinished counts visits without a response yet, in the hour of StartedAt, under the last question in the
	// survey's order that was answered. Visits started = completed + all unfinished.
	QuestionUnfinished = "@unfinished"
	// QuestionSeconds counts completed visits in the hour of StartedAt by the seconds that they took, under SecondsBucket.
	QuestionSeconds = "@seconds"
	// QuestionInvited counts invitations, under "", in the hour of InvitedAt.
	QuestionInvited = "@invited"
	// QuestionAnswered counts invitations that were answered at least once, under "", in the hour of InvitedAt: it is
	// never more than QuestionInvited of the same hour.
	QuestionAnswered = "@answered"
	// QuestionSkipped counts invitations that were not made, in the hour of InvitedAt, under Skip.String.
	QuestionSkipped = "@skipped"
	// QuestionSuspect counts kept responses of StandingSuspect, in the hour of SubmittedAt, under each failed check.
	QuestionSuspect = "@suspect"
)

// SecondsBucket returns the decimal upper end, in whole seconds, of the bucket that a duration is counted in: steps of 1 s
// up to 60 s, 5 s up to 10 min, 1 min up to 1 h, 10 min up to 24 h. False for durations below 0 or over 24 h, which are
// not counted.
func SecondsBucket(d time.Duration) (string, bool) {
	if d < 0 || d > 24*time.Hour {
		return "", false
	}
	s := int64((d + time.Second - 1) / time.Second)
	step := int64(1)
	switch {
	case s > 3600:
		step = 600
	case s > 600:
		step = 60
	case s > 60:
		step = 5
	}
	return strconv.FormatInt(max(1, (s+step-1)/step*step), 10), true
}

// Invitation is a link of one person, or one that may be used once.
type Invitation struct {
	Program Key
	// ID is the caller's identity of the invitation: a UUID in canonical form, unique within the program.
	ID string
	// Digest is the SHA-256 of the invitation's canonical body, which has the contact as Contact, not in clear: from that
	// digest, it could be guessed. The same ID with another digest is a conflict.
	Digest [32]byte
	// Contact is a keyed hash (32 bytes) of whom it is for; empty where that is not said, and then fatigue does not bind.
	Contact []byte
	// Touchpoint and Unit that the answer will be for; may be empty.
	Touchpoint, Unit string
	// InvitedAt and ExpiresAt in UTC; stored in microseconds.
	InvitedAt, ExpiresAt time.Time
}

// Cooldown is how long a person is left alone, each 0 for no rule. A person can be invited again at its very end. It begins
// with the latest invitation that was made, or answer that was given, also where that is later than the new InvitedAt.
type Cooldown struct {
	// AfterInvitation since the last invitation, AfterAnswer since the beginning of the day (UTC) of the last answer to one.
	AfterInvitation, AfterAnswer time.Duration
}

// Fatigue is the cooldown by invitations of this program and by those of any program of the namespace in this store, this
// one included. The program's is looked at first, and of each the invitation before the answer.
type Fatigue struct{ Program, Namespace Cooldown }

// Skip says why a person was not invited. The zero Skip means that it was.
type Skip struct {
	// Scope: "program" or "namespace". Reason: "invited" or "answered", meaning recently.
	Scope, Reason string
}

// String returns "scope/reason", and "" for the zero Skip.
func (s Skip) String() string {
	if s == (Skip{}) {
		return ""
	}
	return s.Scope + "/" + s.Reason
}

// InviteResult is what became of one invitation of an Invite.
type InviteResult struct {
	// Outcome: Stored, Repeated or Conflict. A skipped invitation is stored as skipped.
	Outcome Outcome
	// Skip of the stored invitation: a repeat gets the first answer, also where the cooldown has passed since.
	Skip Skip
	// InvitedAt and ExpiresAt of the stored invitation; zero, as Skip, for a Conflict.
	InvitedAt, ExpiresAt time.Time
}

// Visit is how far somebody came who filled in a page.
type Visit struct {
	Program Key
	// ID of the response that the visit will end with: a UUID in canonical form.
	ID string
	// Touchpoint and Unit of the page; may be empty.
	Touchpoint, Unit string
	// StartedAt is when the page was opened.
	StartedAt time.Time
	// Question is the last one in the survey's order that was answered, Position its place in that order, 0 or more.
	Question string
	Position int
}

// Selection says which responses of a program a command is for: those that meet every condition that is set. The zero
// Selection is all of them.
type Selection struct {
	// IDs of responses in canonical form, at most 10000; none for any.
	IDs []string
	// From and To bound SubmittedAt; To is exclusive. The zero time is no bound.
	From, To time.Time
	// Touchpoint and Unit; nil for any, "" for responses without one.
	Touchpoint, Unit *string
	// Failed is a check that the responses failed; empty for any.
	Failed string
	// Standing of the responses; empty for any.
	Standing Standing
}

// Outcome says what became of a response.
type Outcome int

// The outcomes.
const (
	// Stored means that the response is new and durable.
	Stored Outcome = iota + 1
	// Repeated means that the same response was stored before; nothing changed.
	Repeated
	// Conflict means that another body was stored under the same ID; nothing changed.
	Conflict
	// Spent means that the response is new, and that its single-use invitation was answered before, by another response;
	// nothing changed.
	Spent
)

// Result is what became of one response of an Append.
type Result struct {
	Outcome Outcome
	// Receipt of the stored response; empty for a Conflict and for Spent.
	Receipt string
}

// Hour is a count of hours since 1970-01-01T00:00Z; hour h covers [h, h+1).
type Hour int64

// HourOf returns the hour that t lies in.
func HourOf(t time.Time) Hour {
	sec := t.Unix()
	if sec < 0 {
		sec -= 3599
	}
	return Hour(sec / 3600)
}

// Time returns the instant at which the hour begins, in UTC.
func (h Hour) Time() time.Time { return time.Unix(int64(h)*3600, 0).UTC() }

// Count is how many answers of one hour have one value. It is absolute, not a difference.
type Count struct {
	Program    Key
	Touchpoint string
	Unit       string
	Question   string
	Revision   int32
	Hour       Hour
	Value      string
	// N is 0 where the last answer was erased.
	N int64
}

// Cursor is a place in a store's feed of changes. The zero Cursor is before everything.
type Cursor struct {
	// Epoch changes when the store is another one or was restored from a backup.
	Epoch string
	// Seq is the last commit that was read.
	Seq int64
}

// Changes is one page of a store's feed.
type Changes struct {
	// Reset tells the reader to forget all it knows of this store first: the cursor was of another epoch or zero.
	Reset bool
	// Counts that changed since the cursor.
	Counts []Count
	// Imports holds the identity of the last finished import of programs that changed since the cursor. Every answer of
	// that import is in this page or an earlier one. An import can be told more than once: a new identity is a new one.
	Imports map[Key]string
	// Next is the cursor to go on from.
	Next Cursor
	// More says that another page can be read at once.
	More bool
}

// Feed is what the operator reads: counts, never answers.
type Feed interface {
	// Changes returns at most about limit counts that changed since the cursor, in commit order. It never skips a
	// commit, and never splits one between pages without More.
	Changes(ctx context.Context, since Cursor, limit int) (Changes, error)
	// Updated returns a channel that is closed after the next commit.
	Updated() <-chan struct{}
}

// Check is the outcome of a recount.
type Check struct {
	// Responses that are kept for the program.
	Responses int64
	// Differences lists counts that do not equal the recounted answers plus what retention retired; at most 100.
	Differences []string
}

// Info describes an open store.
type Info struct {
	// Engine: "SQLite" or "PostgreSQL".
	Engine string
	// SchemaVersion is the number of the last migration.
	SchemaVersion int64
}

// Store keeps the answers of many programs.
type Store interface {
	Feed
	Cases
	// Append makes responses durable and returns what became of each, in order. It returns only after the commit that
	// holds them; on an error nothing is known to be stored, and a retry with the same IDs is safe. Concurrent calls
	// share commits. Two responses of one call may have the same ID. A response that cannot be stored fails its own call
	// only. When ctx ends first, Append returns ctx's error at once, and the responses may be stored all the same.
	// Errors: ErrBusy when the queue is full, ErrClosed, or the database's own.
	Append(ctx context.Context, responses []Response) ([]Result, error)
	// FinishImport records that an import of the program ended, and returns its identity (a new UUID).
	FinishImport(ctx context.Context, program Key) (string, error)
	// Export calls fn for every response of the program in order of SubmittedAt and ID, streaming, from one consistent
	// view; it stops at fn's first error and returns it. Answers come in order of their question. Writers are not held up
	// meanwhile.
	Export(ctx context.Context, program Key, fn func(Response) error) error
	// Retire deletes the program's responses submitted before the time and keeps their counts, but for QuestionSuspect,
	// which the feed tells. Of their identities it keeps tombstones, as Erase does; their cases stay, without answers. It
	// works in bounded transactions and returns the number deleted.
	Retire(ctx context.Context, program Key, before time.Time) (int64, error)
	// Erase deletes the answers of the response that the receipt was given for and takes them out of the counts, which
	// the feed tells. Answers that retention deleted before stay counted: nothing tells any more what they were. A
	// tombstone stays, which says nothing about the answers: the same response is a repeat ever after, and not stored
	// again. The contact of its case is erased as by EraseContacts, at the time of the database's clock. Erase returns
	// whether the receipt is known, and true again when it is called again; after true, no answer of the response is kept.
	Erase(ctx context.Context, program Key, receipt string) (bool, error)
	// Invite makes invitations, in one transaction per call, and returns what became of each, in order. One whose contact
	// is within a cooldown is stored as skipped and counted as such. Invitations of one call see each other in order, and
	// of calls at the same time, from any process, one sees the other. One that was answered when it was still unknown, and
	// was for single use, is made as answered. At most 1000 at once. Errors are those of Append.
	Invite(ctx context.Context, invitations []Invitation, f Fatigue) ([]InviteResult, error)
	// Answered returns whether a response to the invitation was stored. Of one that is not known it is known for single use.
	Answered(ctx context.Context, program Key, invitation string) (bool, error)
	// Track counts how far visits came. A visit only moves on to a greater Position, and not at all once its response is
	// stored. The same visit again changes nothing. Visits share commits with responses. Errors are those of Append.
	Track(ctx context.Context, visits []Visit) error
	// SetStanding gives the selected responses another standing, moves their counts accordingly, and tells the feed. It
	// works in bounded transactions and returns how many responses changed; with dryRun how many would. A response that
	// has the standing does not change. Reinstated suspects keep their failed checks. StandingSuspect cannot be given.
	// What is stored meanwhile may be missed. Visits and invitations count on as they are.
	SetStanding(ctx context.Context, program Key, s Selection, to Standing, dryRun bool) (int64, error)
	// Forget deletes visits that started before the first time, and invitations that were made before the second one and
	// have expired by the third, now. Their counts stay. A response that comes later finds them unknown. An unknown
	// invitation that was answered passes for one of the day of its answer that expires 400 days after. Forget works in
	// bounded transactions and returns the number deleted.
	Forget(ctx context.Context, program Key, visits, invitations, now time.Time) (int64, error)
	// Recount compares the program's counts with its answers, and those of suspects, invitations, unfinished visits and cases
	// with what is kept of these. Nothing is kept of completed visits.
	Recount(ctx context.Context, program Key) (Check, error)
	// Info describes the store.
	Info(ctx context.Context) (Info, error)
	// Close waits for what was accepted, then closes the store.
	Close() error
}

// Errors of a Store. They are tested with errors.Is.
var (
	// ErrBusy means that the queue is full: try again shortly.
	ErrBusy = errors.New("store: queue is full")
	// ErrClosed means that the store is closed.
	ErrClosed = errors.New("store: closed")
	// ErrLocked means that another process has the store open.
	ErrLocked = errors.New("store: in use by another process")
)
