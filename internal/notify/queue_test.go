package notify

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const chat = "team/chat"

// letter is one of a thread that waits since a time.
func letter(thread, id string, at time.Time) *Letter {
	n := &v1alpha1.Notice{
		ID: id, Class: v1alpha1.NoticeBreach, Transition: v1alpha1.NoticeOpened, Breach: v1alpha1.BreachPlanMissing,
		Time: metav1.NewTime(at), Addressed: true, Deliveries: []v1alpha1.Delivery{{Channel: chat, State: v1alpha1.DeliveryPending}},
	}
	return &Letter{Thread: thread, Notice: n, Delivery: &n.Deliveries[0], About: About{Namespace: "sfo", Kind: "Touchpoint", Name: thread}}
}

func queue(rules *v1alpha1.Notify, letters ...*Letter) *Queue {
	q := QueueOf(chat, rules)
	q.Letters = letters
	return q
}

func letters(n int, at time.Time) []*Letter {
	var all []*Letter
	for i := range n {
		all = append(all, letter(fmt.Sprint("t", i), fmt.Sprint("n", i), at))
	}
	return all
}

// drain sends all that is due, as the controller does, and returns how many letters each message carried.
func drain(q *Queue, now time.Time, o Outcome) []int {
	q.Assign(now)
	var sent []int
	for {
		b, ok, _ := q.Next(now)
		if !ok {
			return sent
		}
		b.Settle(o, now)
		if o.Delivered {
			q.Sent[b.Message] = now
		}
		sent = append(sent, len(b.Letters))
	}
}

func TestGather(t *testing.T) {
	q := queue(nil, letter("a", "1", noon))
	if changed, next := q.Assign(noon.Add(Gather - time.Second)); changed || !next.Equal(noon.Add(Gather)) {
		t.Errorf("a letter that may be joined by others: %v, next %v", changed, next)
	}
	if sent := drain(q, noon.Add(Gather), Delivered); !slices.Equal(sent, []int{1}) || q.Letters[0].Delivery.Message != "1" {
		t.Errorf("%v", sent)
	}
}

func TestDigest(t *testing.T) {
	later := noon.Add(time.Minute)
	for _, tt := range []struct {
		waiting int
		rules   *v1alpha1.Notify
		want    []int
	}{
		{4, nil, []int{1, 1, 1, 1}},
		{5, nil, []int{5}},
		{500, nil, []int{500}},
		{501, nil, []int{500}},
		{2, &v1alpha1.Notify{DigestAfter: 2}, []int{2}},
		{9, &v1alpha1.Notify{DigestAfter: 10}, []int{1, 1, 1, 1, 1, 1, 1, 1, 1}},
		{9, &v1alpha1.Notify{DigestAfter: 10, MessagesPerHour: 8}, []int{9}},
	} {
		if sent := drain(queue(tt.rules, letters(tt.waiting, noon)...), later, Delivered); !slices.Equal(sent, tt.want) {
			t.Errorf("%d that wait, %+v: %v, want %v", tt.waiting, tt.rules, sent, tt.want)
		}
	}
}

// The rest of a storm that one digest cannot hold comes at once.
func TestStorm(t *testing.T) {
	q := queue(nil, letters(1203, noon)...)
	now, sent := noon.Add(time.Minute), []int(nil)
	for range 3 {
		sent = append(sent, drain(q, now, Delivered)...)
	}
	if !slices.Equal(sent, []int{500, 500, 203}) {
		t.Errorf("%v", sent)
	}
}

// A digest that fails comes again with the same id and the same letters, whatever came up meanwhile.
func TestDigestIsRepeated(t *testing.T) {
	q := queue(nil, letters(6, noon)...)
	now := noon.Add(time.Minute)
	drain(q, now, Outcome{Problem: "down"})
	first := q.Letters[0].Delivery.Message
	q.Letters = append(q.Letters, letters(7, now)[6], letter("t0", "later", now))
	now = now.Add(time.Hour)
	q.Assign(now)
	b, ok, _ := q.Next(now)
	if !ok || b.Message != first || len(b.Letters) != 6 {
		t.Fatalf("%v %q with %d letters, want %q with 6", ok, b.Message, len(b.Letters), first)
	}
	if got := q.Letters[7].Delivery.Message; got != "" {
		t.Errorf("a later letter of a thread that waits has the message %q", got)
	}
}

// In order for each resource: what comes later waits until what was before is delivered or dead. Others do not.
func TestOrder(t *testing.T) {
	q := queue(nil, letter("a", "a1", noon), letter("a", "a2", noon.Add(time.Second)), letter("b", "b1", noon.Add(2*time.Second)))
	now := noon.Add(time.Minute)
	q.Assign(now)
	var order []string
	for i := range 4 {
		b, ok, _ := q.Next(now)
		if !ok {
			break
		}
		order = append(order, b.Message)
		o := Delivered
		if i == 0 {
			o = Outcome{Problem: "down"} // a1 fails
		}
		b.Settle(o, now)
	}
	if diff := cmp.Diff([]string{"a1", "b1"}, order); diff != "" {
		t.Error(diff)
	}
	now = now.Add(time.Hour)
	order = nil
	for range 4 {
		if b, ok, _ := q.Next(now); ok {
			order = append(order, b.Message)
			b.Settle(Outcome{Gone: true}, now)
		}
	}
	if diff := cmp.Diff([]string{"a1", "a2"}, order); diff != "" {
		t.Error(diff)
	}
}

func TestRateLimit(t *testing.T) {
	rules := &v1alpha1.Notify{MessagesPerHour: 2, DigestAfter: 100}
	now := noon.Add(time.Minute)
	q := queue(rules, letters(2, noon)...)
	if sent := drain(q, now, Delivered); !slices.Equal(sent, []int{1, 1}) {
		t.Fatal(sent)
	}
	q.Letters = append(q.Letters, letter("x", "x1", now), letter("y", "y1", now), letter("z", "z1", now))
	for at := now.Add(time.Minute); at.Before(now.Add(time.Hour)); at = at.Add(time.Minute) {
		if sent := drain(q, at, Delivered); len(sent) > 0 {
			t.Fatalf("%v at %v", sent, at)
		}
	}
	if _, next := q.Assign(now.Add(time.Minute)); !next.Equal(now.Add(time.Hour)) {
		t.Errorf("next %v, want %v", next, now.Add(time.Hour))
	}
	if sent := drain(q, now.Add(time.Hour), Delivered); !slices.Equal(sent, []int{3}) {
		t.Errorf("when the hour has room for two: %v, want one digest of three", sent)
	}
}

// The order of a digest is the same in every pass, whatever the order in which its letters were read.
func TestSort(t *testing.T) {
	a1, a2, b1, c1 := letter("a", "a1", noon), letter("a", "a2", noon.Add(-time.Hour)), letter("b", "b1", noon), letter("c", "c1", noon.Add(-time.Minute))
	for _, read := range [][]*Letter{{a1, a2, b1, c1}, {c1, b1, a1, a2}, {b1, a1, c1, a2}} {
		Sort(read)
		if diff := cmp.Diff([]string{"c1", "a1", "a2", "b1"}, []string{read[0].Notice.ID, read[1].Notice.ID, read[2].Notice.ID, read[3].Notice.ID}); diff != "" {
			t.Error(diff)
		}
	}
}

// At night nothing is sent, not even again; in the morning there is one message for all of it.
func TestQuietNight(t *testing.T) {
	rules := &v1alpha1.Notify{QuietHours: &v1alpha1.QuietHours{From: "18:00", To: "08:00"}, DigestAfter: 100}
	evening := time.Date(2026, time.November, 11, 17, 59, 0, 0, time.UTC)
	q := queue(rules, letter("a", "a1", evening))
	if sent := drain(q, evening.Add(30*time.Second), Outcome{Problem: "down"}); !slices.Equal(sent, []int{1}) {
		t.Fatal(sent)
	}
	q.Letters = append(q.Letters, letter("b", "b1", evening.Add(2*time.Hour)), letter("c", "c1", evening.Add(5*time.Hour)))
	morning := time.Date(2026, time.November, 12, 8, 0, 0, 0, time.UTC)
	for at := evening.Add(2 * time.Minute); at.Before(morning); at = at.Add(7 * time.Minute) {
		if sent := drain(q, at, Delivered); len(sent) > 0 {
			t.Fatalf("%v at %v", sent, at)
		}
		_, assign := q.Assign(at)
		if _, _, again := q.Next(at); !again.Equal(morning) || !assign.IsZero() && !assign.Equal(morning) {
			t.Fatalf("at %v: next %v and %v", at, assign, again)
		}
	}
	if sent := drain(q, morning, Delivered); !slices.Equal(sent, []int{1, 2}) {
		t.Errorf("in the morning: %v, want the repeat and a digest of two", sent)
	}
	single := queue(rules, letter("a", "a1", morning.Add(-time.Hour)))
	if drain(single, morning, Delivered); single.Letters[0].Delivery.Message != "a1" {
		t.Error("one alone is no digest")
	}
}

func TestPaused(t *testing.T) {
	q := queue(nil, letter("a", "a1", noon))
	now := noon.Add(time.Minute)
	q.Assign(now)
	q.Paused = now.Add(time.Second)
	if _, ok, next := q.Next(now); ok || !next.Equal(q.Paused) {
		t.Errorf("%v, next %v", ok, next)
	}
}

// Ten attempts over about a day, then it is dead.
func TestBackoff(t *testing.T) {
	q := queue(nil, letter("a", "a1", noon))
	start := noon.Add(time.Minute)
	now, attempts := start, 0
	for q.Letters[0].Delivery.State == v1alpha1.DeliveryPending {
		q.Assign(now)
		b, ok, next := q.Next(now)
		if !ok {
			now = next
			continue
		}
		attempts++
		b.Settle(Outcome{Problem: "the receiver answered 503"}, now)
	}
	if took := now.Sub(start); attempts != MaxAttempts || took < 18*time.Hour || took > 30*time.Hour {
		t.Errorf("%d attempts in %v", attempts, took)
	}
	if d := q.Letters[0].Delivery; d.State != v1alpha1.DeliveryDead || d.NextTime != nil || d.Problem == "" {
		t.Errorf("%+v", d)
	}
}

func TestSettle(t *testing.T) {
	at := noon.Truncate(time.Second)
	tests := map[string]struct {
		attempts int32
		o        Outcome
		state    v1alpha1.DeliveryState
		min, max time.Duration
	}{
		"delivered":                     {0, Delivered, v1alpha1.DeliveryDelivered, 0, 0},
		"delivered at last":             {9, Delivered, v1alpha1.DeliveryDelivered, 0, 0},
		"gone":                          {0, Outcome{Gone: true}, v1alpha1.DeliveryDead, 0, 0},
		"refused":                       {0, Outcome{Refused: true}, v1alpha1.DeliveryPending, 23 * time.Second, 37 * time.Second},
		"refused the third time":        {2, Outcome{Refused: true}, v1alpha1.DeliveryDead, 0, 0},
		"failed":                        {2, Outcome{}, v1alpha1.DeliveryPending, 4 * time.Minute, 6 * time.Minute},
		"failed for the last time":      {9, Outcome{}, v1alpha1.DeliveryDead, 0, 0},
		"asked to wait an hour":         {0, Outcome{RetryAfter: time.Hour}, v1alpha1.DeliveryPending, time.Hour, time.Hour},
		"asked to wait less than usual": {5, Outcome{RetryAfter: time.Second}, v1alpha1.DeliveryPending, 96 * time.Minute, 144 * time.Minute},
		"asked to wait a year":          {0, Outcome{RetryAfter: 8760 * time.Hour}, v1alpha1.DeliveryPending, 24 * time.Hour, 24 * time.Hour},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := v1alpha1.Delivery{Channel: chat, State: v1alpha1.DeliveryPending, Attempts: tt.attempts, Message: "m", NextTime: stamped(noon)}
			settle(&d, tt.o, noon)
			if d.State != tt.state || d.Attempts != tt.attempts+1 || !d.Time.Time.Equal(at) {
				t.Fatalf("%+v", d)
			}
			if (d.NextTime != nil) != (tt.max > 0) {
				t.Fatalf("next %v", d.NextTime)
			}
			if d.NextTime != nil && (d.NextTime.Sub(at) < tt.min || d.NextTime.Sub(at) > tt.max) {
				t.Errorf("next after %v", d.NextTime.Sub(at))
			}
		})
	}
}

func TestReplay(t *testing.T) {
	n := notice("n", noon, v1alpha1.DeliveryDead, v1alpha1.DeliveryDelivered, v1alpha1.DeliveryDead)
	n.Deliveries[0].Attempts, n.Deliveries[0].Problem, n.Deliveries[0].Message = 10, "down", "m"
	n.Deliveries[2].Channel = "other/chat"
	if Replay(&n, "team", noon) {
		t.Error("what died at that time, not before it, is replayed")
	}
	if !Replay(&n, "team", noon.Add(time.Second)) || Replay(&n, "team", noon.Add(time.Second)) {
		t.Error("it is replayed once")
	}
	if diff := cmp.Diff(v1alpha1.Delivery{Channel: "team/c0", State: v1alpha1.DeliveryPending, Message: "m"}, n.Deliveries[0]); diff != "" {
		t.Error(diff)
	}
	if n.Deliveries[1].State != v1alpha1.DeliveryDelivered || n.Deliveries[2].State != v1alpha1.DeliveryDead {
		t.Errorf("%+v", n.Deliveries)
	}
	settle(&n.Deliveries[0], Outcome{Gone: true}, noon.Add(time.Minute))
	if Replay(&n, "team", noon.Add(time.Second)) {
		t.Error("what died again after it was replayed is replayed for ever")
	}
}

// Whatever fails, whenever one looks: every letter ends, in its order, each in one message at a time, and nothing is stuck.
func FuzzQueue(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 250, 251, 252}, uint8(3))
	f.Add([]byte{9, 9, 9, 9, 9, 9, 9}, uint8(1))
	f.Fuzz(func(t *testing.T, script []byte, threads uint8) {
		script = script[:min(len(script), 200)]
		rules := &v1alpha1.Notify{DigestAfter: 3, MessagesPerHour: 5, QuietHours: &v1alpha1.QuietHours{From: "22:00", To: "06:00"}}
		q, now := queue(rules), noon
		carried, ended := map[string]string{}, map[string][]string{}
		check := func(l *Letter) {
			if m := carried[l.Notice.ID]; m != "" && m != l.Delivery.Message {
				t.Fatalf("%s went by %s and then by %s", l.Notice.ID, m, l.Delivery.Message)
			}
			carried[l.Notice.ID] = l.Delivery.Message
		}
		round := func(o Outcome) time.Time {
			for range 600 {
				changed, next := q.Assign(now)
				b, ok, again := q.Next(now)
				if changed && !ok {
					continue
				}
				if !ok {
					if next.IsZero() || !again.IsZero() && again.Before(next) {
						next = again
					}
					return next
				}
				b.Settle(o, now)
				for _, l := range b.Letters {
					check(l)
					if l.Delivery.State != v1alpha1.DeliveryPending {
						ended[l.Thread] = append(ended[l.Thread], l.Notice.ID)
					}
				}
				q.Sent[b.Message] = now
			}
			t.Fatal("a pass does not end")
			return time.Time{}
		}
		for i, c := range script {
			now = now.Add(time.Duration(c) * 7 * time.Second)
			thread := fmt.Sprint(int(c) % (int(threads) + 1))
			q.Letters = append(q.Letters, letter(thread, fmt.Sprint("n", i), now))
			round([]Outcome{Delivered, {}, {Gone: true}, {Refused: true}}[int(c)%4])
		}
		for range 5000 {
			next := round(Delivered)
			if next.IsZero() {
				break
			}
			now = next
		}
		count := 0
		for thread, ids := range ended {
			count += len(ids)
			if !slices.IsSortedFunc(ids, func(a, b string) int { return number(t, a) - number(t, b) }) {
				t.Fatalf("thread %s ended in the order %v", thread, ids)
			}
		}
		if count != len(script) {
			t.Fatalf("%d of %d letters ended", count, len(script))
		}
	})
}

func number(t *testing.T, id string) int {
	t.Helper()
	n, err := strconv.Atoi(id[1:])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
