package storetest

import (
	"context"
	"maps"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store"
)

// retiring is what a store may have beside store.Store.
type retiring interface {
	AppendRetired(ctx context.Context, responses []store.Response, times int64) error
}

// AppendRetired judges the method of that name of a store that is empty: the counts are those of Append, so many times, a recount
// finds them right, and nothing else is kept.
func AppendRetired(t *testing.T, s store.Store) {
	responses := spread(programA, "retired", 40)
	appendAll(t, s, responses[:10]...)
	const times = 9
	if err := s.(retiring).AppendRetired(t.Context(), responses, times); err != nil {
		t.Fatal(err)
	}
	p := newPicture()
	p.readAll(t, s, 1000)
	want := map[series]int64{}
	for k, n := range tally(responses) {
		want[k] = n * times
	}
	for k, n := range tally(responses[:10]) {
		want[k] += n
	}
	if !maps.Equal(p.counts, want) {
		t.Errorf("the feed tells %v, want %v", p.counts, want)
	}
	check, err := s.Recount(t.Context(), programA)
	if err != nil || check.Responses != 10 || len(check.Differences) > 0 {
		t.Errorf("recount: %+v, %v", check, err)
	}
}
