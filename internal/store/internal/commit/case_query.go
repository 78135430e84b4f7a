package commit

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// maxPage bounds a page of cases or notices.
	maxPage = 500
	// maxRecord bounds what is noted of a notice's delivery, in bytes.
	maxRecord = 8192
	// DeliveredFor is for how long a notice stays after its delivery.
	DeliveredFor = 7 * 24 * time.Hour
)

// CasePlace is a place in the order of cases: by PromisedBy, in microseconds since 1970-01-01T00:00Z, and ID.
type CasePlace struct {
	PromisedBy int64
	ID         uuid.UUID
}

// String returns what store.CasePage.Next holds for a page that ends there.
func (p CasePlace) String() string {
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(p.PromisedBy)), p.ID[:]...))
}

func parseCasePlace(s string) (CasePlace, error) {
	if s == "" {
		return CasePlace{PromisedBy: math.MinInt64}, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 24 {
		return CasePlace{}, store.ErrBadPage
	}
	p := CasePlace{PromisedBy: int64(binary.BigEndian.Uint64(b)), ID: uuid.UUID(b[8:])}
	if p.PromisedBy%time.Hour.Microseconds() != 0 || p.String() != s {
		return CasePlace{}, store.ErrBadPage
	}
	return p, nil
}

// CaseList is a store.CaseQuery as statements need it.
type CaseList struct {
	// States that are wanted, in their order, without repeats. None means that no case is wanted.
	States     []string
	Touchpoint *string
	// Until is the last PromisedBy that is wanted, in microseconds since 1970-01-01T00:00Z.
	Until int64
	After CasePlace
	Limit int
}

// NewCaseList refuses what no page can be made of; of an After that no page gave it says store.ErrBadPage.
func NewCaseList(q store.CaseQuery) (CaseList, error) {
	if err := checkLimit(q.Limit); err != nil {
		return CaseList{}, err
	}
	for _, s := range q.States {
		if !slices.Contains(states, s) {
			return CaseList{}, fmt.Errorf("state %q is none of %q", s, states)
		}
	}
	if err := checkText(orEmpty(q.Touchpoint), math.MaxInt); err != nil {
		return CaseList{}, fmt.Errorf("touchpoint: %w", err)
	}
	after, err := parseCasePlace(q.After)
	if err != nil {
		return CaseList{}, err
	}
	out := CaseList{Touchpoint: q.Touchpoint, Until: math.MaxInt64, After: after, Limit: q.Limit}
	if !q.OverdueAt.IsZero() {
		out.Until = q.OverdueAt.UnixMicro()
	}
	for _, s := range states {
		if len(q.States) > 0 && !slices.Contains(q.States, s) || !q.OverdueAt.IsZero() && s != store.CaseOpen {
			continue
		}
		out.States = append(out.States, string(s))
	}
	return out, nil
}

func checkLimit(n int) error {
	if n < 1 || n > maxPage {
		return fmt.Errorf("a limit of %d is not one of 1 to %d", n, maxPage)
	}
	return nil
}

// Page makes a page of the list of what was found after its beginning, which is one more than the limit where there is more.
func (l CaseList) Page(found []store.Case) (page store.CasePage, more bool) {
	if len(found) <= l.Limit {
		return store.CasePage{Cases: found}, false
	}
	page.Cases = found[:l.Limit]
	last := page.Cases[l.Limit-1]
	page.Next = CasePlace{PromisedBy: last.PromisedBy.UnixMicro(), ID: uuid.MustParse(last.ID)}.String()
	return page, true
}

// Behind returns the list of what is behind a page of it.
func (l CaseList) Behind(page store.CasePage) CaseList {
	last := page.Cases[len(page.Cases)-1]
	l.After = CasePlace{PromisedBy: last.PromisedBy.UnixMicro(), ID: uuid.MustParse(last.ID)}
	return l
}

// Whom says whose contacts are to be erased: exactly one of the fields is set.
type Whom struct {
	Receipt string
	Hash    []byte
	ID      uuid.UUID
}

// NewWhom refuses more or less than one condition. none is true where no case can meet it.
func NewWhom(receipt string, hash []byte, id string) (w Whom, none bool, err error) {
	set := 0
	for _, is := range []bool{receipt != "", len(hash) > 0, id != ""} {
		if is {
			set++
		}
	}
	switch {
	case set != 1:
		return w, false, errors.New("exactly one of receipt, contact and case must be given")
	case len(hash) > 0 && len(hash) != 32:
		return w, false, fmt.Errorf("a contact's hash of %d bytes is not one of 32", len(hash))
	case id != "":
		w.ID, err = CaseID(id)
		return w, err != nil || w.ID == uuid.Nil, nil
	}
	return Whom{Receipt: receipt, Hash: hash}, checkText(receipt, math.MaxInt) != nil, nil
}

// CheckNotices refuses a page of notices that no store can give.
func CheckNotices(state string, limit int) error {
	if err := checkNoticeState(state); err != nil {
		return err
	}
	return checkLimit(limit)
}

// CheckSettled refuses what no notice can be settled as.
func CheckSettled(state string, record []byte) error {
	if len(record) > maxRecord {
		return fmt.Errorf("a record of %d bytes is more than %d", len(record), maxRecord)
	}
	return checkNoticeState(state)
}

func checkNoticeState(state string) error {
	if all := []string{store.NoticePending, store.NoticeDelivered, store.NoticeDead}; !slices.Contains(all, state) {
		return fmt.Errorf("state %q is none of %q", state, all)
	}
	return nil
}
