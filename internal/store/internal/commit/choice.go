package commit

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

// maxSelected bounds the identities of a selection.
const maxSelected = 10_000

// Choice is a store.Selection, with the standing to give, as statements need it.
type Choice struct {
	// IDs are sorted, without repeats; none for any.
	IDs []uuid.UUID
	// From and Before bound what is stored of SubmittedAt, in microseconds since 1970-01-01T00:00Z; Before is exclusive.
	From, Before     int64
	Touchpoint, Unit *string
	Failed           string
	Is, Becomes      store.Standing
}

// NewChoice refuses what no store can do.
func NewChoice(s store.Selection, to store.Standing) (Choice, error) {
	if to != store.StandingCounted && to != store.StandingAnnulled {
		return Choice{}, fmt.Errorf("standing %q cannot be given: counted and annulled can", to)
	}
	if len(s.IDs) > maxSelected {
		return Choice{}, fmt.Errorf("%d identities are more than %d", len(s.IDs), maxSelected)
	}
	out := Choice{
		From: math.MinInt64, Before: math.MaxInt64, Touchpoint: s.Touchpoint, Unit: s.Unit, Failed: s.Failed, Is: s.Standing, Becomes: to,
	}
	for _, text := range []*string{s.Touchpoint, s.Unit, &s.Failed, (*string)(&s.Standing)} {
		if text == nil {
			continue
		}
		if err := allUTF8(*text); err != nil {
			return Choice{}, err
		}
	}
	for _, s := range s.IDs {
		id, err := parseID(s)
		if err != nil {
			return Choice{}, err
		}
		out.IDs = append(out.IDs, id)
	}
	slices.SortFunc(out.IDs, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
	out.IDs = slices.Compact(out.IDs)
	if !s.From.IsZero() {
		out.From = Bound(s.From)
	}
	if !s.To.IsZero() {
		out.Before = Bound(s.To)
	}
	return out, nil
}

// Bound returns where what is stored of the times before one ends, in microseconds since 1970-01-01T00:00Z. A time is stored
// rounded down, so the bound is rounded up.
func Bound(before time.Time) int64 { return before.Add(time.Microsecond - 1).UnixMicro() }
