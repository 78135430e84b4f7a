package rollup

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// Against the real store, with writers at work: what the Book holds in the end is what was acknowledged, by every
// touchpoint and value, and an import is never known before its answers.
func TestFollowerOnSQLite(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "answers.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const writers, each = 4, 150

	book, changed := NewBook(), make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error, 1)
	f := &Follower{Source: "ns/store", Feed: s, Book: book, Clock: time.Now, Log: testr.New(t), Changed: func([]Place) {
		if book.LastImport(alpha) != "" && book.Window(ask("imported", 0, 1<<30)).Ever != each {
			t.Error("the import is known before its answers")
		}
		select {
		case changed <- struct{}{}:
		default:
		}
	}}
	go func() { done <- f.Run(ctx) }()

	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				appendOne(t, s, fmt.Sprint("touchpoint-", w), fmt.Sprint("unit-", i%3), i)
			}
		})
	}
	group.Go(func() {
		for i := range each {
			appendOne(t, s, "imported", "", i)
		}
		if _, err := s.FinishImport(t.Context(), alpha); err != nil {
			t.Errorf("FinishImport: %v", err)
		}
	})
	group.Wait()

	deadline := time.After(30 * time.Second)
	for book.Window(wide(0, 1<<30)).Ever < (writers+1)*each || book.LastImport(alpha) == "" {
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%d answers are known, want %d", book.Window(wide(0, 1<<30)).Ever, (writers+1)*each)
		}
	}
	want := map[string]int64{}
	for i := range each {
		want[strconv.Itoa(i%5+1)]++
	}
	for _, tp := range []string{"imported", "touchpoint-0", "touchpoint-1", "touchpoint-2", "touchpoint-3"} {
		if diff := cmp.Diff(want, book.Window(ask(tp, 0, 1<<30)).Values); diff != "" {
			t.Errorf("%s:\n%s", tp, diff)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func appendOne(t *testing.T, s store.Store, touchpoint, unit string, i int) {
	id := uuid.NewString()
	r := store.Response{
		Program: alpha, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: id[:8], Touchpoint: touchpoint, Unit: unit,
		SubmittedAt: noon.Add(time.Duration(i) * time.Hour),
		Answers:     []store.Answer{{Question: "q", Revision: 1, Kind: store.KindScale, Values: []string{strconv.Itoa(i%5 + 1)}}},
	}
	results, err := s.Append(t.Context(), []store.Response{r})
	if err != nil || results[0].Outcome != store.Stored {
		t.Errorf("Append: %v, %v", results, err)
	}
}
