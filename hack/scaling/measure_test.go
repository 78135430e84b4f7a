package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/sqlite"
)

// TestMeasuredAnswersAreStored: what is measured is the storing of answers, each counted once.
func TestMeasuredAnswersAreStored(t *testing.T) {
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "answers.sqlite"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	}()
	took, err := commits(t.Context(), st, 3, 5)
	if err != nil || len(took) != 5 || took[0] <= 0 || took[0] > took[4] {
		t.Errorf("commits took %v, %v", took, err)
	}
	served, latencies, err := drive(t.Context(), st, 4, 100*time.Millisecond)
	if err != nil || served < 4 || len(latencies) != served {
		t.Errorf("served %d, %d latencies, %v", served, len(latencies), err)
	}
	stored := 0
	if err := st.Export(t.Context(), response().Program, func(store.Response) error { stored++; return nil }); err != nil {
		t.Fatal(err)
	}
	if want := (warmUp+5)*3 + served; stored != want {
		t.Errorf("%d are stored, want %d", stored, want)
	}
}
