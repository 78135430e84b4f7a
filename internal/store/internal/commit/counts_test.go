package commit

import (
	"crypto/sha256"
	"maps"
	"testing"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

func TestCountsAdd(t *testing.T) {
	c := Counts{}
	a := Answer{Question: "q", Revision: 2, Counted: []string{"", "x"}}
	c.Add(7, &Row{Touchpoint: "t", Unit: "u", Hour: 3, Answers: []Answer{a, {Question: "r", Revision: 1, Counted: []string{"x"}}}})
	c.Add(7, &Row{Touchpoint: "t", Unit: "u", Hour: 3, Answers: []Answer{a}})
	want := Counts{
		{7, "t", "u", "q", 2, 3, ""}: 2, {7, "t", "u", "q", 2, 3, "x"}: 2, {7, "t", "u", "r", 1, 3, "x"}: 1,
	}
	if !maps.Equal(want, c) {
		t.Errorf("counts %v, want %v", c, want)
	}
}

func TestCountsAddByStanding(t *testing.T) {
	key := func(question string, revision int32, hour store.Hour, value string) CountKey {
		return CountKey{7, "t", "u", question, revision, hour, value}
	}
	row := Row{Touchpoint: "t", Unit: "u", Hour: 3, Answers: []Answer{{Question: "q", Revision: 2, Counted: []string{"x"}}},
		FailedChecks: []string{"page", "time"}}
	visit := row
	visit.Started, visit.StartedHour, visit.Seconds = true, 2, "4200"
	for name, c := range map[string]struct {
		standing store.Standing
		row      Row
		want     Counts
	}{
		"counted":  {store.StandingCounted, row, Counts{key("q", 2, 3, "x"): 1}},
		"suspect":  {store.StandingSuspect, row, Counts{key("@suspect", 1, 3, "page"): 1, key("@suspect", 1, 3, "time"): 1}},
		"annulled": {store.StandingAnnulled, row, Counts{}},
		"visit": {store.StandingCounted, visit,
			Counts{key("q", 2, 3, "x"): 1, key("@completed", 1, 2, ""): 1, key("@seconds", 1, 2, "4200"): 1}},
		"annulled visit": {store.StandingAnnulled, visit, Counts{key("@completed", 1, 2, ""): 1, key("@seconds", 1, 2, "4200"): 1}},
	} {
		c.row.Standing = c.standing
		got := Counts{}
		got.Add(7, &c.row)
		if !maps.Equal(c.want, got) {
			t.Errorf("%s: counts %v, want %v", name, got, c.want)
		}
		got.Merge(got)
		for k, n := range c.want {
			if got[k] != 2*n {
				t.Errorf("%s: %v counts %d when it is merged with itself", name, k, got[k])
			}
		}
	}
}

func TestTombstone(t *testing.T) {
	id, digest := uuid.UUID{1}, sha256.Sum256([]byte("body"))
	got := NewTombstone(id, digest)
	if got != NewTombstone(id, digest) {
		t.Error("one submission has two tombstones")
	}
	for name, other := range map[string]Tombstone{
		"another digest": NewTombstone(id, [32]byte{}),
		"another id":     NewTombstone(uuid.UUID{2}, digest),
	} {
		if other == got || other.Digest == got.Digest {
			t.Errorf("%s makes the same tombstone", name)
		}
	}
	if NewTombstone(id, [32]byte{}).ID != got.ID {
		t.Error("the identity alone does not find the tombstone")
	}
	if got.ID == sha256.Sum256(id[:]) || got.Digest == digest {
		t.Error("the tombstone shows what it hides")
	}
}
