package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

func TestDifferences(t *testing.T) {
	key := func(question string) commit.CountKey {
		return commit.CountKey{Touchpoint: "gate", Unit: "a", Question: question, Revision: 2, Hour: 493_860, Value: "9"}
	}
	got := differences(map[commit.CountKey]balance{
		key("fine"):        {n: 3, kept: 2, retired: 1},
		key("retired"):     {n: 3, retired: 3},
		key("lost"):        {n: 3, kept: 2},
		key("counted"):     {n: 0, kept: 1},
		key("all-retired"): {n: 0, retired: 1},
	})
	prefix := `touchpoint "gate", unit "a", question `
	suffix := ` revision 2, hour 2026-05-04T12:00:00Z, value "9": `
	want := []string{
		prefix + `"all-retired"` + suffix + "counted 0, recounted 0 kept and 1 retired",
		prefix + `"counted"` + suffix + "counted 0, recounted 1 kept and 0 retired",
		prefix + `"lost"` + suffix + "counted 3, recounted 2 kept and 0 retired",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}

	many := map[commit.CountKey]balance{}
	for i := range 3 * commit.MaxDifferences {
		many[commit.CountKey{Revision: int32(i)}] = balance{n: 1}
	}
	if got := differences(many); len(got) != commit.MaxDifferences {
		t.Errorf("%d differences are listed, want %d", len(got), commit.MaxDifferences)
	}
}

// TestRetireDoesNotHideALostCount loses a count before retention takes the answers that would show it.
func TestRetireDoesNotHideALostCount(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "answers.db")
	s := mustOpen(t, path, Options{})
	defer s.Close()
	if _, err := s.Append(ctx, []store.Response{wordy(1), wordy(2)}); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	defer db.Close()
	mustExec(t, db, `DELETE FROM rollup WHERE question = 'recommend'`)
	for _, kept := range []int64{2, 0} {
		check, err := s.Recount(ctx, program)
		if err != nil || len(check.Differences) != 1 || check.Responses != kept {
			t.Errorf("Recount with %d responses kept: %+v, %v", kept, check, err)
		}
		if _, err := s.Retire(ctx, program, wordy(1000).SubmittedAt); err != nil {
			t.Fatal(err)
		}
	}
}
