// Package notify tells people what happened: what waits in the outbox of a resource, to whom it goes, in which words, by
// which channel and when. What can be is pure; the senders are at the edge.
package notify

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const (
	// MaxOutbox is how many notices a resource holds.
	MaxOutbox = 100
	// KeepDelivered is how long a notice stays that every channel has taken.
	KeepDelivered = 7 * 24 * time.Hour
	// KeepDead is how long a notice stays that was given up, to be replayed.
	KeepDead = 30 * 24 * time.Hour
)

// Enqueue returns the outbox with a notice for each of the transitions behind it, and without those that are old. A notice's
// id is a digest of the resource's uid and the transition, so the same transition is never there twice, nor counted twice. Without transitions
// the outbox is returned as it is, so that a pass that finds nothing new writes nothing. The arguments are not changed.
//
// The outbox never holds more than MaxOutbox. Where there is no room, the oldest notice that was delivered gives way, then the
// oldest that is dead, whose death was an event. Where all are still to be sent, the last one takes the new ones in: its Merged counts
// them, and its message says that there were more.
//
// A breach that closes within Gather of its opening, before anybody is told, leaves neither notice.
func Enqueue(outbox []v1alpha1.Notice, uid types.UID, ts []Transition, now time.Time) []v1alpha1.Notice {
	if len(ts) == 0 {
		return outbox
	}
	out := Prune(outbox, now)
	known := make(map[string]bool, len(out)+len(ts))
	for i := range out {
		known[out[i].ID] = true
	}
	for _, t := range ts {
		n := noticeOf(uid, t)
		if known[n.ID] {
			continue
		}
		known[n.ID] = true
		if i := untold(out, n); i >= 0 {
			out = slices.Delete(out, i, i+1)
			continue
		}
		out = add(out, n)
	}
	return out
}

// untold returns the index of the opening that a closing follows within Gather, so that no message has it yet; -1 for none.
// While many resources are applied at once, a program may be seen a moment before its team: nobody is to be told of that.
func untold(outbox []v1alpha1.Notice, closing v1alpha1.Notice) int {
	if closing.Class != v1alpha1.NoticeBreach || closing.Transition != v1alpha1.NoticeClosed {
		return -1
	}
	return slices.IndexFunc(outbox, func(o v1alpha1.Notice) bool {
		return o.Class == closing.Class && o.Transition == v1alpha1.NoticeOpened && o.Merged == 0 &&
			o.Breach == closing.Breach && o.Objective == closing.Objective && o.Item == closing.Item &&
			!closing.Time.Before(&o.Time) && closing.Time.Sub(o.Time.Time) < Gather &&
			!slices.ContainsFunc(o.Deliveries, func(d v1alpha1.Delivery) bool { return d.Message != "" || d.State != v1alpha1.DeliveryPending })
	})
}

// Prune returns a copy of the outbox without notices that were delivered, or died, long enough ago.
func Prune(outbox []v1alpha1.Notice, now time.Time) []v1alpha1.Notice {
	out := make([]v1alpha1.Notice, 0, len(outbox)+1)
	for i := range outbox {
		if end := expiry(&outbox[i]); end.IsZero() || now.Before(end) {
			out = append(out, *outbox[i].DeepCopy())
		}
	}
	return out
}

// expiry is when a notice is dropped; zero while it waits.
func expiry(n *v1alpha1.Notice) time.Time {
	switch StateOf(n) {
	case v1alpha1.DeliveryDelivered:
		return lastTime(n).Add(KeepDelivered)
	case v1alpha1.DeliveryDead:
		return lastTime(n).Add(KeepDead)
	}
	return time.Time{}
}

// NextExpiry is when the first notice of an outbox is dropped; zero where all wait.
func NextExpiry(outbox []v1alpha1.Notice) time.Time {
	var next time.Time
	for i := range outbox {
		if end := expiry(&outbox[i]); !end.IsZero() && (next.IsZero() || end.Before(next)) {
			next = end
		}
	}
	return next
}

func lastTime(n *v1alpha1.Notice) time.Time {
	last := n.Time.Time
	for _, d := range n.Deliveries {
		if d.Time != nil && d.Time.After(last) {
			last = d.Time.Time
		}
	}
	return last
}

// StateOf says how far a notice is: Pending while it was not addressed or a channel still waits for it, else Dead where a
// channel was given up, else Delivered, which one is as well that nobody wanted.
func StateOf(n *v1alpha1.Notice) v1alpha1.DeliveryState {
	if !n.Addressed {
		return v1alpha1.DeliveryPending
	}
	state := v1alpha1.DeliveryDelivered
	for _, d := range n.Deliveries {
		switch d.State {
		case v1alpha1.DeliveryPending:
			return v1alpha1.DeliveryPending
		case v1alpha1.DeliveryDead:
			state = v1alpha1.DeliveryDead
		}
	}
	return state
}

// add appends a notice, for which others may have to give way.
func add(outbox []v1alpha1.Notice, n v1alpha1.Notice) []v1alpha1.Notice {
	for _, state := range []v1alpha1.DeliveryState{v1alpha1.DeliveryDelivered, v1alpha1.DeliveryDead} {
		if len(outbox) < MaxOutbox {
			break
		}
		if i := oldest(outbox, state); i >= 0 {
			outbox = slices.Delete(outbox, i, i+1)
		}
	}
	if len(outbox) < MaxOutbox {
		return append(outbox, n)
	}
	outbox[len(outbox)-1].Merged++
	return outbox
}

func oldest(outbox []v1alpha1.Notice, state v1alpha1.DeliveryState) int {
	found := -1
	for i := range outbox {
		if StateOf(&outbox[i]) == state && (found < 0 || outbox[i].Time.Before(&outbox[found].Time)) {
			found = i
		}
	}
	return found
}

func noticeOf(uid types.UID, t Transition) v1alpha1.Notice {
	at := metav1.NewTime(t.Time.UTC().Truncate(time.Second))
	return v1alpha1.Notice{
		ID:    idOf(string(uid), t),
		Class: t.Class, Transition: t.Transition, Breach: t.Breach, Objective: t.Objective, Item: t.Item, Reason: t.Reason,
		To: t.To, Step: t.Step, Time: at,
	}
}

// idOf is a digest of what makes a transition the one it is.
func idOf(uid string, t Transition) string {
	return digest(
		uid, string(t.Class), string(t.Transition), string(t.Breach), t.Objective, t.Item, strconv.Itoa(int(t.Step)),
		t.Time.UTC().Truncate(time.Second).Format(time.RFC3339),
	)
}

// digest returns 128 bits in hexadecimal of the parts, each with its length in front.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(strconv.Itoa(len(p)) + ":" + p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
