package commit

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestNewChoice(t *testing.T) {
	low, high := uuid.UUID{1}, uuid.UUID{2}
	gate, bad := "gate", "\xff"
	for name, c := range map[string]struct {
		sel  store.Selection
		to   store.Standing
		want *Choice
	}{
		"all": {store.Selection{}, store.StandingAnnulled, &Choice{From: math.MinInt64, Before: math.MaxInt64, Becomes: store.StandingAnnulled}},
		"each": {
			store.Selection{IDs: []string{high.String(), low.String(), high.String()}, From: noon.Add(1), To: noon.Add(time.Microsecond),
				Touchpoint: &gate, Unit: &gate, Failed: "time", Standing: store.StandingSuspect},
			store.StandingCounted,
			&Choice{IDs: []uuid.UUID{low, high}, From: noon.UnixMicro() + 1, Before: noon.UnixMicro() + 1, Touchpoint: &gate, Unit: &gate,
				Failed: "time", Is: store.StandingSuspect, Becomes: store.StandingCounted},
		},
		"to suspect":  {store.Selection{}, store.StandingSuspect, nil},
		"to nothing":  {store.Selection{}, "", nil},
		"bad id":      {store.Selection{IDs: []string{"me"}}, store.StandingCounted, nil},
		"many ids":    {store.Selection{IDs: make([]string, maxSelected+1)}, store.StandingCounted, nil},
		"bad unit":    {store.Selection{Unit: &bad}, store.StandingCounted, nil},
		"bad check":   {store.Selection{Failed: bad}, store.StandingCounted, nil},
		"no standing": {store.Selection{Standing: "\xff"}, store.StandingCounted, nil},
	} {
		got, err := NewChoice(c.sel, c.to)
		if c.want == nil {
			if err == nil {
				t.Errorf("%s: %+v, want an error", name, got)
			}
			continue
		}
		if diff := cmp.Diff(*c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestBound(t *testing.T) {
	for d, want := range map[time.Duration]int64{0: 0, 1: 1, 999: 1, 1000: 1, 1001: 2, -1: 0, -1000: -1} {
		if got := Bound(noon.Add(d)) - noon.UnixMicro(); got != want {
			t.Errorf("the bound of %d ns is %d µs, want %d", d, got, want)
		}
	}
}
