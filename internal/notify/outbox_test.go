package notify

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/breach"
	"github.com/cx-operator/cx-operator/internal/escalation"
)

// noon is a Wednesday.
var noon = time.Date(2026, time.November, 11, 12, 0, 0, 700, time.UTC)

func openedBreach(objective string) Transition {
	return FromBreaches([]breach.Transition{breach.Opened(v1alpha1.Breach{Type: v1alpha1.BreachObjectiveMissed, Objective: objective})}, noon)[0]
}

func stamped(t time.Time) *metav1.Time { m := metav1.NewTime(t); return &m }

// notice is one that was addressed to channels in these states.
func notice(id string, at time.Time, states ...v1alpha1.DeliveryState) v1alpha1.Notice {
	n := v1alpha1.Notice{ID: id, Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeOpened, Time: metav1.NewTime(at), Addressed: true}
	for i, s := range states {
		d := v1alpha1.Delivery{Channel: fmt.Sprintf("team/c%d", i), State: s}
		if s != v1alpha1.DeliveryPending {
			d.Attempts, d.Time = 1, stamped(at)
		}
		n.Deliveries = append(n.Deliveries, d)
	}
	return n
}

func TestEnqueue(t *testing.T) {
	b := v1alpha1.Breach{Type: v1alpha1.BreachActionOverdue, Objective: "easy", Item: "signs"}
	ts := FromBreaches([]breach.Transition{breach.Closed(b, v1alpha1.ReasonRecovered), breach.Opened(b)}, noon)
	ts = append(ts, FromEscalation([]escalation.Taken{{Breach: b, To: v1alpha1.EscalateSponsor, Step: 2}}, noon)...)
	got := Enqueue(nil, "uid", ts, noon)
	at := metav1.NewTime(noon.Truncate(time.Second))
	want := []v1alpha1.Notice{
		{Class: "Breach", Transition: "Closed", Breach: b.Type, Objective: "easy", Item: "signs", Reason: "Recovered", Time: at},
		{Class: "Breach", Transition: "Opened", Breach: b.Type, Objective: "easy", Item: "signs", Reason: "ActionOverdue", Time: at},
		{Class: "Breach", Transition: "Escalated", Breach: b.Type, Objective: "easy", Item: "signs", Reason: "ActionOverdue", To: "Sponsor", Step: 2, Time: at},
	}
	ids := map[string]bool{}
	for i := range got {
		if ids[got[i].ID] = true; len(got[i].ID) != 32 {
			t.Errorf("id %q", got[i].ID)
		}
		got[i].ID = ""
	}
	if diff := cmp.Diff(want, got); diff != "" || len(ids) != 3 {
		t.Errorf("%d ids\n%s", len(ids), diff)
	}
}

// A pass that is made again with the same transitions adds nothing; another resource, or the next time, is another message.
func TestEnqueueIsDeterministic(t *testing.T) {
	ts := []Transition{openedBreach("easy")}
	once := Enqueue(nil, "uid", ts, noon)
	if again := Enqueue(once, "uid", ts, noon.Add(time.Hour)); !cmp.Equal(once, again) {
		t.Errorf("the same transition again: %v", cmp.Diff(once, again))
	}
	if other := Enqueue(nil, "other", ts, noon); other[0].ID == once[0].ID {
		t.Error("another resource has the same id")
	}
	ts[0].Time = noon.Add(time.Second)
	if both := Enqueue(once, "uid", ts, noon); len(both) != 2 {
		t.Errorf("a second later: %v", both)
	}
	if len(once) != 1 {
		t.Error("the argument was changed")
	}
}

func TestPrune(t *testing.T) {
	day := 24 * time.Hour
	old := notice("delivered-8d", noon.Add(-8*day), v1alpha1.DeliveryDelivered)
	late := notice("delivered-late", noon.Add(-8*day), v1alpha1.DeliveryDelivered, v1alpha1.DeliveryDelivered)
	late.Deliveries[1].Time = stamped(noon.Add(-6 * day))
	outbox := []v1alpha1.Notice{
		old, late,
		notice("delivered-6d", noon.Add(-6*day), v1alpha1.DeliveryDelivered),
		notice("unwanted-8d", noon.Add(-8*day)),
		notice("pending-year", noon.Add(-365*day), v1alpha1.DeliveryDelivered, v1alpha1.DeliveryPending),
		notice("dead-29d", noon.Add(-29*day), v1alpha1.DeliveryDelivered, v1alpha1.DeliveryDead),
		notice("dead-31d", noon.Add(-31*day), v1alpha1.DeliveryDead),
		{ID: "unaddressed-year", Time: metav1.NewTime(noon.Add(-365 * day))},
	}
	want := []string{"delivered-late", "delivered-6d", "pending-year", "dead-29d", "unaddressed-year"}
	if diff := cmp.Diff(want, idsOf(Prune(outbox, noon))); diff != "" {
		t.Error(diff)
	}
	if got := Enqueue(outbox, "uid", nil, noon); len(got) != len(outbox) {
		t.Error("a pass without transitions changes the outbox")
	}
	if got := Enqueue(outbox, "uid", []Transition{openedBreach("easy")}, noon); len(got) != len(want)+1 {
		t.Errorf("with a transition: %v", idsOf(got))
	}
	if next := NextExpiry(Prune(outbox, noon)); !next.Equal(noon.Add(day)) {
		t.Errorf("the next is dropped at %v", next)
	}
}

func idsOf(outbox []v1alpha1.Notice) []string {
	var ids []string
	for _, n := range outbox {
		ids = append(ids, n.ID)
	}
	return ids
}

// Of a hundred, delivered ones give way first, then dead ones. Those that wait never do: the last one says that there was more.
func TestEnqueueWithoutRoom(t *testing.T) {
	var outbox []v1alpha1.Notice
	for i := range MaxOutbox - 3 {
		outbox = append(outbox, notice(fmt.Sprint("pending", i), noon, v1alpha1.DeliveryPending))
	}
	outbox = append(outbox,
		notice("dead", noon.Add(-time.Hour), v1alpha1.DeliveryDead, v1alpha1.DeliveryDelivered),
		notice("new", noon.Add(-time.Minute), v1alpha1.DeliveryDelivered),
		notice("old", noon.Add(-time.Hour), v1alpha1.DeliveryDelivered))
	has := func(id string) bool {
		for _, n := range outbox {
			if n.ID == id {
				return true
			}
		}
		return false
	}
	for i, gone := range []string{"old", "new", "dead"} {
		outbox = Enqueue(outbox, "uid", []Transition{openedBreach(fmt.Sprint("o", i))}, noon)
		if len(outbox) != MaxOutbox || has(gone) {
			t.Fatalf("%d notices, %s is there: %v", len(outbox), gone, has(gone))
		}
	}
	full := idsOf(outbox)
	outbox = Enqueue(outbox, "uid", []Transition{openedBreach("p"), openedBreach("q"), openedBreach("p")}, noon)
	if diff := cmp.Diff(full, idsOf(outbox)); diff != "" {
		t.Error(diff)
	}
	if last := outbox[MaxOutbox-1]; last.Merged != 2 {
		t.Errorf("the last stands for %d more, want 2", last.Merged)
	}
}

// A breach that is gone before anybody can be told leaves nothing; one that lasts, or that a message has, is told to its end.
func TestABreachOfAMomentIsNotTold(t *testing.T) {
	b := v1alpha1.Breach{Type: v1alpha1.BreachOwnerMissing, Item: "signs"}
	for _, tt := range []struct {
		name   string
		after  time.Duration
		other  v1alpha1.Breach
		change func(n *v1alpha1.Notice)
		left   int
	}{
		{name: "gone at once", other: b},
		{name: "gone in time", after: Gather - time.Second, other: b},
		{name: "addressed, not sent", other: b, change: func(n *v1alpha1.Notice) {
			n.Addressed, n.Deliveries = true, []v1alpha1.Delivery{{Channel: "team/c", State: v1alpha1.DeliveryPending}}
		}},
		{name: "nobody wants to know", other: b, change: func(n *v1alpha1.Notice) { n.Addressed = true }},
		{name: "lasted", after: Gather, other: b, left: 2},
		{name: "another breach", other: v1alpha1.Breach{Type: v1alpha1.BreachSponsorMissing, Item: "signs"}, left: 2},
		{name: "another item", other: v1alpha1.Breach{Type: b.Type, Item: "lifts"}, left: 2},
		{name: "another objective", other: v1alpha1.Breach{Type: b.Type, Item: "signs", Objective: "easy"}, left: 2},
		{name: "before it opened", after: -time.Second, other: b, left: 2},
		{name: "stands for others", other: b, change: func(n *v1alpha1.Notice) { n.Merged = 1 }, left: 2},
		{name: "a message has it", other: b, change: func(n *v1alpha1.Notice) {
			n.Addressed, n.Deliveries = true, []v1alpha1.Delivery{{Channel: "team/c", State: v1alpha1.DeliveryPending, Message: "m"}}
		}, left: 2},
		{name: "given up", other: b, change: func(n *v1alpha1.Notice) {
			n.Addressed, n.Deliveries = true, []v1alpha1.Delivery{{Channel: "team/c", State: v1alpha1.DeliveryDead}}
		}, left: 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			outbox := Enqueue(nil, "uid", FromBreaches([]breach.Transition{breach.Opened(b)}, noon), noon)
			if tt.change != nil {
				tt.change(&outbox[0])
			}
			now := noon.Add(tt.after)
			got := Enqueue(outbox, "uid", FromBreaches([]breach.Transition{breach.Closed(tt.other, v1alpha1.ReasonRecovered)}, now), now)
			if len(got) != tt.left || len(outbox) != 1 {
				t.Errorf("%d notices are left, want %d: %+v", len(got), tt.left, got)
			}
		})
	}
}

// Whatever happens, in whatever order: never above the bound, no id twice, nothing that waits is lost without being counted.
func FuzzEnqueue(f *testing.F) {
	f.Add([]byte("abcabcxyz"), uint8(3))
	f.Add(bytes.Repeat([]byte("abc"), MaxOutbox), uint8(0))
	f.Fuzz(func(t *testing.T, script []byte, settle uint8) {
		var outbox []v1alpha1.Notice
		now := noon
		for i, c := range script {
			now = now.Add(time.Duration(c) * time.Minute)
			tr := openedBreach(fmt.Sprint(c % 5))
			tr.Time = now.Add(time.Duration(i) * time.Second)
			before := pending(outbox)
			next := Enqueue(outbox, "uid", []Transition{tr, tr}, now)
			if told := pending(next) - before; told != 1 || len(next) > MaxOutbox {
				t.Fatalf("%d more wait, %d notices", told, len(next))
			}
			seen := map[string]bool{}
			for k := range next {
				if seen[next[k].ID] {
					t.Fatal("an id is there twice")
				}
				seen[next[k].ID] = true
				if settle > 0 && int(c)%int(settle) == k {
					next[k].Addressed = true
				}
			}
			outbox = next
		}
	})
}

// pending counts what is still to be told, merged ones too.
func pending(outbox []v1alpha1.Notice) int32 {
	var n int32
	for i := range outbox {
		if StateOf(&outbox[i]) == v1alpha1.DeliveryPending {
			n += 1 + outbox[i].Merged
		}
	}
	return n
}
