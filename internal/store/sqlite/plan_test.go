package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPlans wants the queries whose cost must not grow with the whole file to follow indexes, and those that stream not to
// collect their rows first.
func TestPlans(t *testing.T) {
	path := filepath.Join(t.TempDir(), "answers.db")
	s := mustOpen(t, path, Options{})
	defer s.Close()
	db := raw(t, path)
	defer db.Close()
	for _, c := range []struct {
		name, query string
		args        []any
		streams     bool
	}{
		{"changes", changedCounts, []any{1}, true},
		{"export", exportRows, []any{"ns", "name"}, true},
		{"expired", expired, []any{"ns", "name", 1, 1}, true},
		{"fold", foldRetired, []any{"[1]"}, false},
		{"uncount", uncount, []any{1, 1}, false},
		{"by receipt", byReceipt, []any{1, "R"}, true},
		{"by submission", bySubmission, []any{1, []byte{1}}, true},
		{"erased receipts", erasedReceipts, []any{1, "R"}, true},
		{"counts", programCounts, []any{1}, true},
		{"recount", programCounted, []any{1}, true},
	} {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+c.query, c.args...)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		searches := 0
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(step, "SEARCH") {
				searches++
			}
			scan := strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "VIRTUAL") && !strings.Contains(step, "subquery")
			if scan || c.streams && strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %s", c.name, step)
			}
		}
		if err := rows.Err(); err != nil || searches == 0 {
			t.Errorf("%s: %d searches, %v", c.name, searches, err)
		}
	}
}
