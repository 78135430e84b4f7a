package sqlite

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
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
		{"expired", expired, []any{1, 1, 1}, true},
		{"fold", foldRetired, []any{"[1]"}, false},
		{"uncount suspects", uncountSuspects, []any{"[1]", 1}, false},
		{"count responses", countResponses, []any{"[1]", 1, 1}, false},
		{"drop responses", dropResponses, []any{"[1]"}, true},
		{"add tombstones", addTombstones, []any{1, "[]", 1}, true},
		{"drop submissions", dropSubmissions, []any{1, "[]"}, true},
		{"by receipt", byReceipt, []any{1, "R"}, true},
		{"by submission", bySubmission, []any{1, []byte{1}}, true},
		{"erase retired", eraseRetired, []any{1, "R"}, true},
		{"find invitation", findInvitation, []any{1, []byte{1}}, true},
		{"pasts", pasts, []any{[]byte{1}, "ns", 1}, true},
		{"finished", finished, []any{1, []byte{1}, []byte{1}}, true},
		{"find visit", findVisit, []any{1, []byte{1}}, true},
		{"old visits", oldVisits, []any{1, 1, 1}, true},
		{"old invitations", oldInvitations, []any{1, 1, []byte{1}, 1, 1, 1}, true},
		{"fold visits", foldVisits, []any{1, "[]"}, false},
		{"fold invitations", foldInvitations, []any{1, "[]"}, false},
		{"drop visits", dropVisits, []any{1, "[]"}, true},
		{"drop invitations", dropInvitations, []any{1, "[]"}, true},
		{"count chosen", countChosen, choiceArgs(1, commit.Choice{}), true},
		{"chosen of", chosenOf, choiceArgs(1, commit.Choice{}, "[]"), true},
		{"chosen after", chosenAfter, choiceArgs(1, commit.Choice{}, []byte{1}, 1), true},
		{"counts", programCounts, []any{1}, true},
		{"recount", programCounted, []any{1}, true},
	} {
		rows, err := db.Query("EXPLAIN QUERY PLAN "+c.query, c.args...)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		searches, routines := 0, map[string]bool{}
		for rows.Next() {
			var id, parent, unused int
			var step string
			if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(step, "SEARCH") {
				searches++
			}
			if name, ok := strings.CutPrefix(step, "CO-ROUTINE "); ok {
				routines[name] = true // what it does are steps, too
			}
			name, scan := strings.CutPrefix(step, "SCAN ")
			scan = scan && !routines[name] && !strings.Contains(step, "VIRTUAL") && !strings.Contains(step, "subquery")
			if scan || c.streams && strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %s", c.name, step)
			}
		}
		if err := rows.Err(); err != nil || searches == 0 {
			t.Errorf("%s: %d searches, %v", c.name, searches, err)
		}
	}
}
