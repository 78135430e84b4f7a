package commit

import (
	"crypto/sha256"
	"maps"
	"testing"

	"github.com/google/uuid"
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
