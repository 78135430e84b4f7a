package commit

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func exampleInvitation() store.Invitation {
	return store.Invitation{
		Program: store.Key{Namespace: "airport", Name: "passengers"}, ID: "0f8fad5b-d9cb-469f-a165-70867728950e",
		Digest: [32]byte{7}, Contact: make([]byte, 32), Touchpoint: "gate", Unit: "a",
		InvitedAt: noon.Add(1500), ExpiresAt: noon.AddDate(0, 0, 30),
	}
}

func TestNewInvitations(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*store.Invitation)
		says   string
	}{
		"no id":         {func(i *store.Invitation) { i.ID = "" }, "canonical"},
		"nil id":        {func(i *store.Invitation) { i.ID = uuid.Nil.String() }, "nil UUID"},
		"short contact": {func(i *store.Invitation) { i.Contact = make([]byte, 31) }, "31 bytes"},
		"plain contact": {func(i *store.Invitation) { i.Contact = []byte("a@example.org") }, "13 bytes"},
		"bad unit":      {func(i *store.Invitation) { i.Unit = "\xff" }, "UTF-8"},
	} {
		i := exampleInvitation()
		c.change(&i)
		_, err := NewInvitations([]store.Invitation{exampleInvitation(), i})
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "invitation 1") {
			t.Errorf("%s: %v, want an error of invitation 1 with %q", name, err, c.says)
		}
	}
	many := make([]store.Invitation, MaxInvitations+1)
	for i := range many {
		many[i] = exampleInvitation()
	}
	if _, err := NewInvitations(many); err == nil {
		t.Error("too many invitations are taken")
	}
	if _, err := NewInvitations(many[1:]); err != nil {
		t.Errorf("as many invitations as are allowed: %v", err)
	}

	one := exampleInvitation()
	got, err := NewInvitations([]store.Invitation{one})
	if err != nil {
		t.Fatal(err)
	}
	one.Contact[0] = 1
	want := Invitation{
		Program: one.Program, ID: uuid.MustParse(one.ID), Digest: one.Digest, Contact: make([]byte, 32), Touchpoint: "gate", Unit: "a",
		InvitedAt: noon.UnixMicro() + 1, ExpiresAt: one.ExpiresAt.UnixMicro(), Hour: store.HourOf(noon),
	}
	if diff := cmp.Diff([]Invitation{want}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	one.Contact = []byte{}
	if got, err = NewInvitations([]store.Invitation{one}); err != nil || got[0].Contact != nil {
		t.Errorf("no contact became %v, %v", got, err)
	}
}

func TestCompareInvitations(t *testing.T) {
	all, err := NewInvitations([]store.Invitation{exampleInvitation()})
	if err != nil {
		t.Fatal(err)
	}
	i, skip := &all[0], store.Skip{Scope: "program", Reason: "invited"}
	times := store.InviteResult{InvitedAt: noon.Add(time.Microsecond), ExpiresAt: noon.AddDate(0, 0, 30)}
	want := times
	want.Outcome, want.Skip = store.Stored, skip
	if got := i.Result(skip); got != want {
		t.Errorf("a new one: %+v, want %+v", got, want)
	}
	want.Outcome, want.InvitedAt = store.Repeated, noon
	if got := i.Compare(i.Digest[:], ParseSkip(skip.String()), noon.UnixMicro(), i.ExpiresAt); got != want {
		t.Errorf("a repeat: %+v, want %+v", got, want)
	}
	if got := i.Compare(make([]byte, 32), skip, noon.UnixMicro(), i.ExpiresAt); got != (store.InviteResult{Outcome: store.Conflict}) {
		t.Errorf("another body: %+v", got)
	}
	if got := ParseSkip(store.Skip{}.String()); got != (store.Skip{}) {
		t.Errorf("no skip became %+v", got)
	}
}

func TestTired(t *testing.T) {
	day := 24 * time.Hour
	at := func(d time.Duration) *int64 { n := noon.Add(-d).UnixMicro(); return &n }
	on := func(days int64) *int64 { n := int64(DayOf(store.HourOf(noon))) - days; return &n }
	all := store.Fatigue{
		Program:   store.Cooldown{AfterInvitation: 30 * day, AfterAnswer: 90 * day},
		Namespace: store.Cooldown{AfterInvitation: 7 * day, AfterAnswer: 14 * day},
	}
	for name, c := range map[string]struct {
		f                  store.Fatigue
		program, namespace Past
		want               string
	}{
		"never":                        {all, Past{}, Past{}, ""},
		"no rules":                     {store.Fatigue{}, Past{at(0), on(0)}, Past{at(0), on(0)}, ""},
		"invited just before":          {all, Past{InvitedAt: at(30*day - time.Microsecond)}, Past{}, "program/invited"},
		"invited long enough ago":      {all, Past{InvitedAt: at(30 * day)}, Past{InvitedAt: at(30 * day)}, ""},
		"invited later, by another":    {all, Past{InvitedAt: at(-time.Second)}, Past{}, "program/invited"},
		"answered 90 days ago":         {all, Past{AnsweredOn: on(90)}, Past{AnsweredOn: on(90)}, ""},
		"answered 89 days ago":         {all, Past{AnsweredOn: on(89)}, Past{AnsweredOn: on(89)}, "program/answered"},
		"invited goes first":           {all, Past{at(0), on(0)}, Past{at(0), on(0)}, "program/invited"},
		"program goes first":           {all, Past{AnsweredOn: on(1)}, Past{at(0), on(0)}, "program/answered"},
		"invited elsewhere":            {all, Past{}, Past{at(day), on(1)}, "namespace/invited"},
		"answered elsewhere":           {all, Past{}, Past{at(8 * day), on(1)}, "namespace/answered"},
		"elsewhere, long enough ago":   {all, Past{}, Past{at(7 * day), on(14)}, ""},
		"only after an answer":         {store.Fatigue{Program: store.Cooldown{AfterAnswer: day}}, Past{at(0), on(1)}, Past{}, ""},
		"the day of the answer itself": {store.Fatigue{Program: store.Cooldown{AfterAnswer: day}}, Past{at(0), on(0)}, Past{}, "program/answered"},
	} {
		if got := Tired(c.f, noon.UnixMicro(), c.program, c.namespace); got.String() != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestNewVisit(t *testing.T) {
	good := store.Visit{
		Program: store.Key{Namespace: "airport", Name: "passengers"}, ID: "0f8fad5b-d9cb-469f-a165-70867728950e",
		Touchpoint: "gate", StartedAt: noon, Question: "why", Position: 3,
	}
	got, err := NewVisit(good)
	id := uuid.MustParse(good.ID)
	want := Visit{
		Program: good.Program, ID: id, Erased: NewTombstone(id, [32]byte{9}).ID, Touchpoint: "gate", StartedAt: noon.UnixMicro(),
		Hour: store.HourOf(noon), Question: "why", Position: 3,
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for name, change := range map[string]func(*store.Visit){
		"no id":        func(v *store.Visit) { v.ID = "" },
		"bad question": func(v *store.Visit) { v.Question = "\xff" },
		"before all":   func(v *store.Visit) { v.Position = -1 },
		"beyond all":   func(v *store.Visit) { v.Position = 1 << 31 },
	} {
		v := good
		change(&v)
		if _, err := NewVisit(v); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestDayOf(t *testing.T) {
	for h, want := range map[store.Hour]Day{0: 0, 23: 0, 24: 1, -1: -1, -24: -1, -25: -2} {
		if got := DayOf(h); got != want {
			t.Errorf("hour %d is of day %d, want %d", h, got, want)
		}
	}
	if got := DayOf(store.HourOf(noon)).Micros(); got != noon.Truncate(24*time.Hour).UnixMicro() {
		t.Errorf("the day begins at %d", got)
	}
}

// TestQueueTakesInvitationsWhole has an Invite of more than a commit's size wait between others.
func TestQueueTakesInvitationsWhole(t *testing.T) {
	q := newQueue(100, 10)
	mustPut(t, q, 4)
	r, err := q.put(context.Background(), Work{Name: "test: invite", Invitations: make([]Invitation, 30)})
	if err != nil || len(r.Invited) != 30 || r.weight != 5 {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, err := q.put(context.Background(), Work{Visits: make([]Visit, 7)}); err != nil {
		t.Fatal(err)
	}
	parts, got := take(q)
	if diff := cmp.Diff([]taken{{4, 0, 4}, {30, 0, 30}}, got); diff != "" {
		t.Errorf("first commit (-want +got):\n%s", diff)
	}
	q.finish(parts, nil)
	parts, got = take(q)
	if diff := cmp.Diff([]taken{{7, 0, 5}, {7, 5, 7}}, got); diff != "" || !done(r) {
		t.Errorf("second commit (-want +got):\n%s", diff)
	}
	q.finish(parts, nil)
	if q.weight != 0 {
		t.Errorf("an empty queue weighs %d", q.weight)
	}
}
