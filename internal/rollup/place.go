package rollup

import (
	"cmp"
	"slices"

	"github.com/cx-operator/cx-operator/internal/store"
)

// Place is where something changed: at one touchpoint of a program, or, with All, anywhere in it.
type Place struct {
	Program store.Key
	// Touchpoint whose counts changed; "" is what was counted without one.
	Touchpoint string
	// All is true where more changed than counts of touchpoints, such as an import's end; Touchpoint is empty then.
	All bool
	// Handed is true, with All, where that is because a program was handed over to what serves it. Whoever did so knows.
	Handed bool
}

func comparePlaces(a, b Place) int {
	return cmp.Or(compareKeys(a.Program, b.Program), cmp.Compare(a.Touchpoint, b.Touchpoint))
}

// Programs returns the programs of places that are in order, each once.
func Programs(places []Place) []store.Key {
	var keys []store.Key
	for _, p := range places {
		keys = append(keys, p.Program)
	}
	return slices.Compact(keys)
}

// places is a set of places.
type places map[Place]bool

// sorted returns the places in order, of a program that changed as a whole only that.
func (p places) sorted() []Place {
	var all []Place
	for place := range p {
		if place.All || !p[Place{Program: place.Program, All: true}] {
			all = append(all, place)
		}
	}
	slices.SortFunc(all, comparePlaces)
	return all
}
