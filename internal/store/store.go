// Package store keeps answers: what was acknowledged is on disk, once, and its hourly counts are in the same
// transaction. This file is the contract; sqlite and postgres implement it, and storetest judges implementations.
package store

import (
	"context"
	"errors"
	"slices"
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
)

// Result is what became of one response of an Append.
type Result struct {
	Outcome Outcome
	// Receipt of the stored response; empty for a Conflict.
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
	// Retire deletes the program's responses submitted before the time and keeps their counts and identities. It works
	// in bounded transactions and returns the number deleted.
	Retire(ctx context.Context, program Key, before time.Time) (int64, error)
	// Erase deletes the answers of the response that the receipt was given for and takes them out of the counts, which
	// the feed tells. Answers that retention deleted before stay counted: nothing tells any more what they were. A
	// tombstone stays, which says nothing about the answers: the same response is a repeat ever after, and not stored
	// again. Erase returns whether the receipt is known, and true again when it is called again; after true, no answer
	// of the response is kept.
	Erase(ctx context.Context, program Key, receipt string) (bool, error)
	// Recount compares the program's counts with its answers.
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
