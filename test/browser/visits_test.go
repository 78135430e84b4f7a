package browser

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// TestVisitIsTold follows a visit: opening is none, the first change begins it, leaving tells the last question that was changed,
// and sending ends it. Nothing of it holds an answer.
func TestVisitIsTold(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.page("visit", ""))
	e.wantCounts("visit", map[string]int64{})
	b.do(click(label("recommend", "9")))
	e.wantCounts("visit", map[string]int64{"@unfinished recommend": 1})
	b.do(write("#q_comment", "secret words"), click(label("reason", "cafe")), click(label("used", "lockers")))
	if told := e.posted(true); len(told) != 1 {
		t.Errorf("each change is told: %v", told)
	}
	b.open(e.page("visit", "?lang=de")) // a new form, of another visit
	e.wantCounts("visit", map[string]int64{"@unfinished comment": 1})
	b.do(click(label("recommend", "9")))
	e.wantCounts("visit", map[string]int64{"@unfinished recommend": 1, "@unfinished comment": 1})
	b.load(click(send))
	b.sees("Vielen Dank")
	e.wantCounts("visit", map[string]int64{"@completed": 1, "@seconds 5": 1, "@unfinished comment": 1})
	e.want("visit", answers{"@language": "de", "recommend": "9"})
	wantBeacons(t, e, "recommend", "comment", "recommend")
}

// wantBeacons fails the test unless exactly these questions were told, and nothing but the form that they are of.
func wantBeacons(t *testing.T, e *endpoint, questions ...string) {
	t.Helper()
	told := e.posted(true)
	var got []string
	for _, beacon := range told {
		got = append(got, beacon.Get("question"))
		if names := slices.Sorted(maps.Keys(beacon)); strings.Join(names, " ") != "_form _id _team question touchpoint" {
			t.Errorf("a beacon has %v", names)
		}
		if uuid.Validate(beacon.Get("_id")) != nil || len(beacon.Get("_form")) != 30 {
			t.Errorf("a beacon has %v", beacon)
		}
	}
	if !slices.Equal(got, questions) {
		t.Errorf("told were %v, want %v", got, questions)
	}
}

// TestVisitByLink: changes by the keyboard are told as well, with the touchpoint and team of the link.
func TestVisitByLink(t *testing.T) {
	e := newEndpoint(t)
	b := newTab(e)
	b.open(e.invite("invited", map[string]any{"id": uuid.NewString(), "touchpoint": "cafe", "team": "waiters"}))
	b.tabTo(`[name=recommend]`)
	b.key(" ")
	e.wantCounts("invited", map[string]int64{"@unfinished recommend": 1})
	told := e.posted(true)
	if len(told) != 1 || told[0].Get("touchpoint") != "cafe" || told[0].Get("_team") != "waiters" {
		t.Errorf("told was %v", told)
	}
	wantBeacons(t, e, "recommend")
}

// TestVisitInSteps: each step that is sent tells how far somebody came, with scripts and without.
func TestVisitInSteps(t *testing.T) {
	for _, c := range []struct {
		name    string
		actions []action
		told    []string // when the text is left for the button, which sends it
	}{{"with scripts", nil, []string{"why"}}, {"without", []action{withoutScript}, nil}} {
		t.Run(c.name, func(t *testing.T) {
			e := newEndpoint(t)
			b := newTab(e, c.actions...)
			b.open(e.page("steps", "?recommend=3"))
			e.wantCounts("steps", map[string]int64{})
			b.load(click(send))
			b.sees("What went wrong?")
			e.wantCounts("steps", map[string]int64{"@unfinished recommend": 1})
			b.do(write("#q_why", "The queue"))
			b.load(click(send))
			b.sees("The people you met")
			e.wantCounts("steps", map[string]int64{"@unfinished why": 1})
			b.load(click(send))
			b.sees("Thank you")
			e.wantCounts("steps", map[string]int64{"@completed": 1, "@seconds 5": 1})
			wantBeacons(t, e, c.told...)
		})
	}
}
