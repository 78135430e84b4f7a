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
	gate := "gate"
	list := commit.CaseList{States: []string{"Open", "Contacted", "Resolved", "Informed"}, Limit: 10}
	listed, listArgs := listQuery(1, list)
	behind, behindArgs := countQuery(1, list)
	list.Touchpoint = &gate
	listedAt, listAtArgs := listQuery(1, list)
	behindAt, behindAtArgs := countQuery(1, list)
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
		{"find case", findCase, []any{1, []byte{1}}, true},
		{"case events", caseEvents, []any{1, []byte{1}}, true},
		{"case answers", caseAnswers, []any{1, []byte{1}}, false},
		{"list cases", listed, listArgs, true},
		{"list cases of a touchpoint", listedAt, listAtArgs, true},
		{"cases behind", behind, behindArgs, true},
		{"cases of a touchpoint behind", behindAt, behindAtArgs, true},
		{"set case", setCase, []any{"Open", 1, 1, 1, "", 1, 1, 1, []byte{1}, 1}, true},
		{"trim events", trimEvent, []any{1, []byte{1}, 1}, true},
		{"contacts by receipt", contactReceipt, []any{1, "R", 1}, true},
		{"contacts by hash", contactHash, []any{1, []byte{1}, 1}, true},
		{"contact of a case", contactOf, []any{1, []byte{1}, 1}, true},
		{"contacts that expired", contactExpired, []any{1, 1, 1}, true},
		{"leave cases", leaveCases, []any{1, "[]"}, true},
		{"untended", untended, []any{1, 1, 1}, true},
		{"untold", untold, []any{1, 1, 1}, true},
		{"add overdue", addOverdue, []any{1, "[]"}, true},
		{"set told", setTold, []any{1, "[]"}, true},
		{"drop delivered", dropDelivered, []any{1, 1, 1}, true},
		{"find notices", findNotices, []any{1, "Pending", 0, 1}, true},
		{"set notice", setNotice, []any{"Dead", nil, 1, 1, 1}, true},
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
			scan = scan && !routines[name] && name != "CONSTANT ROW" && !strings.Contains(step, "VIRTUAL") && !strings.Contains(step, "subquery")
			if scan || c.streams && strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s: %s", c.name, step)
			}
		}
		if err := rows.Err(); err != nil || searches == 0 {
			t.Errorf("%s: %d searches, %v", c.name, searches, err)
		}
	}
}
