package operations

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// wireCase is a store.Case without its contact, which passes the port only where it is asked for by itself.
type wireCase struct {
	ID              string          `json:"id"`
	Touchpoint      string          `json:"touchpoint,omitempty"`
	Language        string          `json:"language,omitempty"`
	Reasons         []string        `json:"reasons"`
	State           store.CaseState `json:"state"`
	OpenedAt        time.Time       `json:"openedAt"`
	PromisedBy      time.Time       `json:"promisedBy"`
	ContactedAt     time.Time       `json:"contactedAt,omitzero"`
	ResolvedAt      time.Time       `json:"resolvedAt,omitzero"`
	InformedAt      time.Time       `json:"informedAt,omitzero"`
	Plan            string          `json:"plan,omitempty"`
	Answers         []wireAnswer    `json:"answers,omitempty"`
	History         []wireEvent     `json:"history,omitempty"`
	ContactErasedAt time.Time       `json:"contactErasedAt,omitzero"`
	Version         int64           `json:"version"`
}

type wireAnswer struct {
	Question string     `json:"question"`
	Revision int32      `json:"revision"`
	Kind     store.Kind `json:"kind"`
	Values   []string   `json:"values"`
}

type wireEvent struct {
	At    time.Time       `json:"at"`
	By    string          `json:"by,omitempty"`
	State store.CaseState `json:"state"`
	Note  string          `json:"note,omitempty"`
}

// The answers of the calls about cases. Each names the program, so that a wrong address is noticed.
type (
	wireOne struct {
		Program string   `json:"program"`
		Case    wireCase `json:"case"`
	}
	wirePage struct {
		Program   string     `json:"program"`
		Cases     []wireCase `json:"cases"`
		Next      string     `json:"next,omitempty"`
		Remaining int64      `json:"remaining"`
	}
	wireContact struct {
		Program string `json:"program"`
		Contact string `json:"contact"`
	}
	wireErased struct {
		Program string `json:"program"`
		Erased  int64  `json:"erased"`
	}
	wireNotices struct {
		Program string       `json:"program"`
		Notices []wireNotice `json:"notices"`
	}
	wireSettled struct {
		Program string `json:"program"`
	}
)

type wireNotice struct {
	Seq        int64     `json:"seq"`
	Case       string    `json:"case"`
	Touchpoint string    `json:"touchpoint,omitempty"`
	Transition string    `json:"transition"`
	At         time.Time `json:"at"`
	State      string    `json:"state"`
	Record     []byte    `json:"record,omitempty"`
}

// The bodies of the calls that change something.
type (
	wireChange struct {
		Version int64           `json:"version"`
		State   store.CaseState `json:"state,omitempty"`
		Plan    *string         `json:"plan,omitempty"`
		Note    string          `json:"note,omitempty"`
		By      string          `json:"by,omitempty"`
		At      time.Time       `json:"at"`
	}
	wireErasure struct {
		Receipt string    `json:"receipt,omitempty"`
		Contact string    `json:"contact,omitempty"`
		ID      string    `json:"id,omitempty"`
		At      time.Time `json:"at"`
	}
	wireSettlement struct {
		State  string    `json:"state"`
		Record []byte    `json:"record,omitempty"`
		At     time.Time `json:"at"`
	}
)

// Bounds of what is said of cases, in both directions; lengths are in bytes.
const (
	maxCases       = 500 // a page of cases or notices
	maxReasons     = 8
	maxWord        = 32
	maxLanguage    = 64
	maxNote        = 2000
	maxRecord      = 8192
	maxContact     = 1024
	maxAnswers     = 50
	maxValues      = 50
	maxValue       = 16 << 10 // a text of 4000 characters
	maxHistory     = 100
	maxReceipt     = 128
	maxPlace       = 128      // where a page begins
	maxCallBody    = 32 << 10 // of a call that changes something
	maxCaseBody    = 8 << 20
	maxCasesBody   = 4 << 20
	maxNoticesBody = 8 << 20
)

var (
	caseStates   = []store.CaseState{store.CaseOpen, store.CaseContacted, store.CaseResolved, store.CaseInformed}
	noticeStates = []string{store.NoticePending, store.NoticeDelivered, store.NoticeDead}
	transitions  = []string{store.NoticeOpened, store.NoticeOverdue}
	answerKinds  = []store.Kind{store.KindScale, store.KindSingle, store.KindMultiple, store.KindText}
)

func encodeCase(c store.Case) wireCase {
	w := wireCase{
		ID: c.ID, Touchpoint: c.Touchpoint, Language: c.Language, Reasons: c.Reasons, State: c.State, OpenedAt: c.OpenedAt,
		PromisedBy: c.PromisedBy, ContactedAt: c.ContactedAt, ResolvedAt: c.ResolvedAt, InformedAt: c.InformedAt, Plan: c.Plan,
		ContactErasedAt: c.ContactErasedAt, Version: c.Version,
	}
	for _, a := range c.Answers {
		w.Answers = append(w.Answers, wireAnswer(a))
	}
	for _, e := range c.History {
		w.History = append(w.History, wireEvent(e))
	}
	return w
}

var errCase = errors.New("a case is not as a store says it")

// decode reads a case of the program's, and refuses what no store says. Control characters are left out of texts that people
// have written.
func (w wireCase) decode(program store.Key) (store.Case, error) {
	c := store.Case{
		Program: program, ID: w.ID, Touchpoint: w.Touchpoint, Language: w.Language, Reasons: w.Reasons, State: w.State,
		OpenedAt: w.OpenedAt.UTC(), PromisedBy: w.PromisedBy.UTC(), ContactedAt: w.ContactedAt.UTC(), ResolvedAt: w.ResolvedAt.UTC(),
		InformedAt: w.InformedAt.UTC(), Plan: w.Plan, ContactErasedAt: w.ContactErasedAt.UTC(), Version: w.Version,
	}
	switch {
	case !isID(w.ID), !isPrintable(w.Touchpoint, maxName), !isPrintable(w.Language, maxLanguage), !isPrintable(w.Plan, maxName):
		return store.Case{}, errCase
	case !slices.Contains(caseStates, w.State), w.Version < 1, len(w.Reasons) < 1, len(w.Reasons) > maxReasons:
		return store.Case{}, errCase
	case len(w.Answers) > maxAnswers, len(w.History) > maxHistory, w.OpenedAt.IsZero(), w.PromisedBy.IsZero():
		return store.Case{}, errCase
	}
	for _, reason := range w.Reasons {
		if reason == "" || !isPrintable(reason, maxWord) {
			return store.Case{}, errCase
		}
	}
	for _, a := range w.Answers {
		answer, err := a.decode()
		if err != nil {
			return store.Case{}, err
		}
		c.Answers = append(c.Answers, answer)
	}
	for _, e := range w.History {
		if !isPrintable(e.By, maxName) || len(e.Note) > maxNote || !slices.Contains(caseStates, e.State) || e.At.IsZero() {
			return store.Case{}, errCase
		}
		c.History = append(c.History, store.CaseEvent{At: e.At.UTC(), By: e.By, State: e.State, Note: legible(e.Note)})
	}
	return c, nil
}

func (w wireAnswer) decode() (store.Answer, error) {
	if w.Question == "" || !isPrintable(w.Question, maxName) || w.Revision < 1 || !slices.Contains(answerKinds, w.Kind) || len(w.Values) > maxValues {
		return store.Answer{}, errCase
	}
	a := store.Answer{Question: w.Question, Revision: w.Revision, Kind: w.Kind}
	for _, value := range w.Values {
		if len(value) > maxValue {
			return store.Answer{}, errCase
		}
		a.Values = append(a.Values, legible(value))
	}
	return a, nil
}

// decode reads a notice that follows another one.
func (w wireNotice) decode(after int64) (store.CaseNotice, error) {
	switch {
	case w.Seq <= after, !isID(w.Case), !isPrintable(w.Touchpoint, maxName), !slices.Contains(transitions, w.Transition):
		return store.CaseNotice{}, errNotice
	case !slices.Contains(noticeStates, w.State), len(w.Record) > maxRecord, w.At.IsZero():
		return store.CaseNotice{}, errNotice
	}
	return store.CaseNotice{
		Seq: w.Seq, CaseID: w.Case, Touchpoint: w.Touchpoint, Transition: w.Transition, At: w.At.UTC(), State: w.State, Record: w.Record,
	}, nil
}

var errNotice = errors.New("a notice is not as a store says it")

// decodeAnswer reads what an endpoint answers about cases into a struct, whose program must be this one.
func decodeAnswer[T any](program store.Key, data []byte, of func(*T) string) (T, error) {
	var w T
	if err := json.Unmarshal(data, &w); err != nil {
		return w, errors.New("what it says of cases is not written as it should be")
	}
	if of(&w) != program.String() {
		return w, errors.New("the endpoint at the program's address serves another program")
	}
	return w, nil
}

func decodeOne(program store.Key, data []byte) (store.Case, error) {
	w, err := decodeAnswer(program, data, func(w *wireOne) string { return w.Program })
	if err != nil {
		return store.Case{}, err
	}
	return w.Case.decode(program)
}

// decodePage reads a page of at most so many cases.
func decodePage(program store.Key, data []byte, limit int) (store.CasePage, error) {
	w, err := decodeAnswer(program, data, func(w *wirePage) string { return w.Program })
	if err != nil {
		return store.CasePage{}, err
	}
	if len(w.Cases) > limit || !isPrintable(w.Next, maxPlace) || w.Remaining < 0 || w.Next != "" && len(w.Cases) == 0 {
		return store.CasePage{}, errors.New("the page of cases is out of range")
	}
	page := store.CasePage{Next: w.Next, Remaining: w.Remaining}
	for _, one := range w.Cases {
		c, err := one.decode(program)
		if err != nil {
			return store.CasePage{}, err
		}
		c.Answers, c.History = nil, nil
		page.Cases = append(page.Cases, c)
	}
	return page, nil
}

func decodeContact(program store.Key, data []byte) (string, error) {
	w, err := decodeAnswer(program, data, func(w *wireContact) string { return w.Program })
	if err != nil {
		return "", err
	}
	if w.Contact == "" || !isPrintable(w.Contact, maxContact) {
		return "", errors.New("the contact is out of range")
	}
	return w.Contact, nil
}

func decodeErased(program store.Key, data []byte) (int64, error) {
	w, err := decodeAnswer(program, data, func(w *wireErased) string { return w.Program })
	if err != nil {
		return 0, err
	}
	if w.Erased < 0 {
		return 0, errors.New("the number of erased contacts is out of range")
	}
	return w.Erased, nil
}

// decodeNotices reads at most so many notices after a place.
func decodeNotices(program store.Key, data []byte, after int64, limit int) ([]store.CaseNotice, error) {
	w, err := decodeAnswer(program, data, func(w *wireNotices) string { return w.Program })
	if err != nil {
		return nil, err
	}
	if len(w.Notices) > limit {
		return nil, fmt.Errorf("there are more notices than %d", limit)
	}
	var notices []store.CaseNotice
	for _, one := range w.Notices {
		n, err := one.decode(after)
		if err != nil {
			return nil, err
		}
		notices, after = append(notices, n), n.Seq
	}
	return notices, nil
}

// isID says whether a text is a UUID in canonical form.
func isID(text string) bool {
	id, err := uuid.Parse(text)
	return err == nil && id.String() == text
}

// isPrintable says whether a text has at most so many bytes, and only what can be printed.
func isPrintable(text string, longest int) bool {
	return len(text) <= longest && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// legible is a text that people have written, without control characters but for line ends and tabs: those could change what a
// terminal shows.
func legible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
