package notify

import (
	"strconv"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

const (
	// MaxAttempts is how often a message is tried before it is dead: over about a day.
	MaxAttempts = 10
	// MaxRefusals is how often one is tried that the receiver refuses, which a repeat seldom mends.
	MaxRefusals = 3
	// maxProblem is the room for a problem in the status, in bytes.
	maxProblem = 256
	// maxRetryAfter is the longest wait that a receiver may ask for.
	maxRetryAfter = 24 * time.Hour
)

// waits before the second attempt, the third, and so on: 24 hours and a few minutes in all.
var waits = [MaxAttempts - 1]time.Duration{
	30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 45 * time.Minute,
	2 * time.Hour, 4 * time.Hour, 7 * time.Hour, 10 * time.Hour,
}

// Outcome is what became of one attempt.
type Outcome struct {
	// Delivered says that the receiver took the message.
	Delivered bool
	// Gone says that the receiver is there no more: the message is dead at once.
	Gone bool
	// Refused says that the receiver does not want this message: it is dead after MaxRefusals.
	Refused bool
	// RetryAfter is how long the receiver asks to wait; 0 where it does not.
	RetryAfter time.Duration
	// Problem in words without anything secret; empty where it was delivered.
	Problem string
}

// Delivered is the outcome of a message that was taken.
var Delivered = Outcome{Delivered: true}

// settle notes an outcome in a delivery.
func settle(d *v1alpha1.Delivery, o Outcome, now time.Time) {
	at := metav1.NewTime(now.UTC().Truncate(time.Second))
	d.Attempts++
	d.Time, d.NextTime, d.Problem = &at, nil, cut(clean(o.Problem), maxProblem)
	switch {
	case o.Delivered:
		d.State, d.Problem = v1alpha1.DeliveryDelivered, ""
	case o.Gone, d.Attempts >= MaxAttempts, o.Refused && d.Attempts >= MaxRefusals:
		d.State = v1alpha1.DeliveryDead
	default:
		next := metav1.NewTime(at.Add(waitAfter(d, o.RetryAfter)).Truncate(time.Second))
		d.NextTime = &next
	}
}

// waitAfter is how long to wait after the attempts so far. It is longer or shorter by up to a fifth, so that messages that
// failed together do not come back together; by which, message and attempt say, so that it is the same in every pass.
func waitAfter(d *v1alpha1.Delivery, asked time.Duration) time.Duration {
	base := waits[min(int(d.Attempts), len(waits))-1]
	dice, _ := strconv.ParseUint(digest(d.Message, d.Channel, strconv.Itoa(int(d.Attempts)))[:4], 16, 16) // always hexadecimal
	wait := base*4/5 + base*2/5*time.Duration(dice)/0xffff
	return max(wait, min(asked, maxRetryAfter))
}

// Replay makes deliveries to a team's channels that died before an instant pending again, with all their attempts. It says
// whether there was one.
func Replay(n *v1alpha1.Notice, team string, before time.Time) bool {
	found := false
	for i := range n.Deliveries {
		d := &n.Deliveries[i]
		if d.State != v1alpha1.DeliveryDead || teamOf(d.Channel) != team || d.Time == nil || !d.Time.Time.Before(before) {
			continue
		}
		// The message keeps its id: a receiver that took it after all can tell.
		*d = v1alpha1.Delivery{Channel: d.Channel, State: v1alpha1.DeliveryPending, Message: d.Message}
		found = true
	}
	return found
}

// Bury gives a delivery up whose channel is there no more.
func Bury(d *v1alpha1.Delivery, now time.Time) {
	at := metav1.NewTime(now.UTC().Truncate(time.Second))
	d.State, d.Time, d.NextTime, d.Problem = v1alpha1.DeliveryDead, &at, nil, "the team has no such channel any more"
}

// Overlay notes in a notice the deliveries that another state of it holds and that are further on. It says whether there
// were any.
func Overlay(n, other *v1alpha1.Notice) bool {
	found := false
	for _, o := range other.Deliveries {
		for i := range n.Deliveries {
			d := &n.Deliveries[i]
			if d.Channel == o.Channel && d.Message == o.Message && d.State == v1alpha1.DeliveryPending && o.Attempts > d.Attempts {
				*d, found = *o.DeepCopy(), true
			}
		}
	}
	return found
}
