package notify

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const (
	// Gather is how long the first of several notices waits for the others: what comes together is told together.
	Gather = 10 * time.Second
	// maxDigest is how many notices one digest carries.
	maxDigest = 500
	// The defaults of the API, for teams that were read without them.
	defaultDigestAfter     = 5
	defaultMessagesPerHour = 30
)

// Letter is one notice on its way to one channel.
type Letter struct {
	// Thread is the resource or case that it is about. Letters of one thread arrive in their order.
	Thread string
	// About says what the message tells of it.
	About About
	// Notice that is told, and its Delivery to the channel, which the functions of this package change in place.
	Notice   *v1alpha1.Notice
	Delivery *v1alpha1.Delivery
}

// Queue is what waits for one channel.
type Queue struct {
	// Channel as Delivery.Channel writes it.
	Channel string
	// Letters that are pending, by time; those of one thread in the order of its outbox.
	Letters []*Letter
	// Quiet hours of the team; nil for none.
	Quiet *v1alpha1.QuietHours
	// DigestAfter and PerHour are those of the team.
	DigestAfter, PerHour int32
	// Sent are the messages of the last hour, by id.
	Sent map[string]time.Time
	// Paused says until when nothing is sent, since the channel failed just now.
	Paused time.Time
}

// QueueOf returns an empty queue by the rules of a team.
func QueueOf(channel string, rules *v1alpha1.Notify) *Queue {
	q := &Queue{Channel: channel, DigestAfter: defaultDigestAfter, PerHour: defaultMessagesPerHour, Sent: map[string]time.Time{}}
	if rules == nil {
		return q
	}
	q.Quiet = rules.QuietHours
	if rules.DigestAfter > 0 {
		q.DigestAfter = rules.DigestAfter
	}
	if rules.MessagesPerHour > 0 {
		q.PerHour = rules.MessagesPerHour
	}
	return q
}

// Assign decides by which messages the letters go that belong to none yet: each by itself, or together by a digest where
// DigestAfter of them wait, where two came up in quiet hours, or where the hour has no room for each. It notes the message
// in their deliveries, says whether there was one to note, and when to look again; zero for never.
func (q *Queue) Assign(now time.Time) (changed bool, next time.Time) {
	waiting := q.unassigned()
	if len(waiting) == 0 {
		return false, time.Time{}
	}
	if quiet, until := Quiet(q.Quiet, now); quiet {
		return false, until
	}
	if ready := waiting[0].Notice.Time.Add(Gather); now.Before(ready) {
		return false, ready
	}
	room, free := q.room(now)
	if room <= 0 {
		return false, free
	}
	if len(waiting) >= int(q.DigestAfter) || len(waiting) > room || q.heldBack(waiting) {
		waiting = waiting[:min(len(waiting), maxDigest)]
		ids := []string{q.Channel}
		for _, l := range waiting {
			ids = append(ids, l.Notice.ID)
		}
		assign(waiting, digest(ids...))
		if len(q.unassigned()) > 0 {
			next = now
		}
		return true, next
	}
	for _, l := range waiting {
		assign([]*Letter{l}, l.Notice.ID)
	}
	return true, time.Time{}
}

func assign(letters []*Letter, message string) {
	for _, l := range letters {
		l.Delivery.Message = message
	}
}

// unassigned returns the letters that belong to no message and wait for no earlier one of their thread that does.
func (q *Queue) unassigned() []*Letter {
	busy := map[string]bool{}
	var found []*Letter
	for _, l := range q.Letters {
		if l.Delivery.State != v1alpha1.DeliveryPending {
			continue
		}
		if l.Delivery.Message != "" {
			busy[l.Thread] = true
		} else if !busy[l.Thread] {
			found = append(found, l)
		}
	}
	return found
}

// heldBack says whether at least two letters came up in quiet hours.
func (q *Queue) heldBack(letters []*Letter) bool {
	n := 0
	for _, l := range letters {
		if quiet, _ := Quiet(q.Quiet, l.Notice.Time.Time); quiet {
			n++
		}
	}
	return n >= 2
}

// room says how many messages the hour still takes, and when it takes the next where it takes none.
func (q *Queue) room(now time.Time) (room int, free time.Time) {
	used := map[string]bool{}
	for id, at := range q.Sent {
		if until := at.Add(time.Hour); now.Before(until) {
			used[id] = true
			if free.IsZero() || until.Before(free) {
				free = until
			}
		}
	}
	for _, l := range q.Letters {
		if l.Delivery.State == v1alpha1.DeliveryPending && l.Delivery.Message != "" {
			used[l.Delivery.Message] = true
		}
	}
	if free.IsZero() {
		free = now.Add(time.Minute) // the messages that are under way have to end first
	}
	return int(q.PerHour) - len(used), free
}

// Batch is one message and the letters that it carries.
type Batch struct {
	Message string
	Letters []*Letter
}

// Next returns the message that is to be sent now, and whether there is one; else when there will be, zero for never.
func (q *Queue) Next(now time.Time) (b Batch, ok bool, next time.Time) {
	quiet, until := Quiet(q.Quiet, now)
	for _, b := range q.batches() {
		at := b.due()
		if quiet {
			at = later(at, until)
		}
		at = later(at, q.Paused)
		if !now.Before(at) {
			return b, true, time.Time{}
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return Batch{}, false, next
}

// batches returns the messages that wait for no earlier one of a thread, in the order of their first letters.
func (q *Queue) batches() []Batch {
	var order []string
	carried := map[string][]*Letter{}
	first := map[string]string{} // of a thread
	blocked := map[string]bool{}
	for _, l := range q.Letters {
		m := l.Delivery.Message
		if l.Delivery.State != v1alpha1.DeliveryPending || m == "" {
			continue
		}
		if carried[m] == nil {
			order = append(order, m)
		}
		carried[m] = append(carried[m], l)
		if first[l.Thread] == "" {
			first[l.Thread] = m
		} else if first[l.Thread] != m {
			blocked[m] = true
		}
	}
	var found []Batch
	for _, m := range order {
		if !blocked[m] {
			found = append(found, Batch{Message: m, Letters: carried[m]})
		}
	}
	if len(found) == 0 && len(order) > 0 {
		// Statuses that were edited can make messages wait for each other. One of them goes then.
		found = append(found, Batch{Message: order[0], Letters: carried[order[0]]})
	}
	return found
}

// due is when the message may be tried; the letters of one message are tried together.
func (b Batch) due() time.Time {
	var due time.Time
	for _, l := range b.Letters {
		if n := l.Delivery.NextTime; n != nil && n.After(due) {
			due = n.Time
		}
	}
	return due
}

// Settle notes in all letters of the message what became of it.
func (b Batch) Settle(o Outcome, now time.Time) {
	for _, l := range b.Letters {
		settle(l.Delivery, o, now)
	}
}

// Sort orders letters by time, those of one time by thread; those of one thread keep their order, even where its times do not.
func Sort(letters []*Letter) {
	latest := map[string]time.Time{}
	at := make(map[*Letter]time.Time, len(letters))
	for _, l := range letters {
		t := l.Notice.Time.Time
		if t.Before(latest[l.Thread]) {
			t = latest[l.Thread]
		}
		latest[l.Thread], at[l] = t, t
	}
	slices.SortStableFunc(letters, func(a, b *Letter) int {
		return cmp.Or(at[a].Compare(at[b]), cmp.Compare(a.Thread, b.Thread))
	})
}

// teamOf is the team of a channel as Delivery.Channel writes it.
func teamOf(channel string) string {
	name, _, _ := strings.Cut(channel, "/")
	return name
}
