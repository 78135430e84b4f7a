package notifier

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/exporter"
	"github.com/cx-operator/cx-operator/internal/notify"
)

// maxSecret is how much a Secret of a channel may hold under its key, in bytes.
const maxSecret = 4096

// pass is one look at a namespace.
type pass struct {
	*Reconciler
	namespace string
	space     *space
	teams     map[string]*v1alpha1.Team
	programs  map[string]*v1alpha1.SurveyProgram
	// touchpoints by name.
	touchpoints map[string]*v1alpha1.Touchpoint
	holders     []*holder
	queues      map[string]*notify.Queue
	// next is when to look again; zero for never. retry is when to, whatever is planned, since something was not written.
	next, retry time.Time
}

// holder is what has an outbox: a resource, or a case of a program.
type holder struct {
	// id names it. Letters of one thread arrive in their order: those of a resource, or of a case.
	id, thread string
	// kind and name are those of the resource by which it is shown; regarding is what its events are about.
	kind, name string
	regarding  client.Object
	outbox     []v1alpha1.Notice
	// before is the outbox as it was read.
	before []v1alpha1.Notice
	owners func(n *v1alpha1.Notice) []string
	about  func(n *v1alpha1.Notice) notify.About
	// sponsor is the team of the program's sponsor; empty for none.
	sponsor string
	// reload reads the holder live, and says whether it is still there; nil where it was read live.
	reload func(ctx context.Context) (bool, error)
	// write saves the outbox; a conflict is an error of the API.
	write func(ctx context.Context) error
	// cleared says that old notices were left out.
	cleared bool
	// lost says that it was changed or deleted meanwhile, so that nothing of it is sent in this pass.
	lost bool
}

// lookup is a team.Lookup.
func (p *pass) lookup(name string) (*v1alpha1.Team, bool) {
	t, ok := p.teams[name]
	return t, ok
}

// plan decides, in memory, what is to be done now. It says whether there is anything, and notes when to look again. Planning
// again changes nothing.
func (p *pass) plan(now time.Time) bool {
	p.next = p.poll(now)
	p.lookAt(p.retry)
	p.queues = map[string]*notify.Queue{}
	for _, h := range p.holders {
		if h.lost {
			continue
		}
		p.replay(h, now)
		p.enlist(h, now)
		p.clear(h, now)
	}
	work := false
	for _, q := range p.queues {
		notify.Sort(q.Letters)
		changed, next := q.Assign(now)
		p.lookAt(next)
		_, ready, next := q.Next(now)
		p.lookAt(next)
		work = work || changed || ready
	}
	return work || slices.ContainsFunc(p.holders, (*holder).dirty)
}

func (p *pass) lookAt(t time.Time) {
	if !t.IsZero() && (p.next.IsZero() || t.Before(p.next)) {
		p.next = t
	}
}

// replay brings dead deliveries back whose team asks for it.
func (p *pass) replay(h *holder, now time.Time) {
	for name, t := range p.teams {
		at, err := time.Parse(time.RFC3339, t.Annotations[v1alpha1.AnnotationReplay])
		if err != nil {
			continue
		}
		if at.After(now) {
			// Until that time comes: what dies again meanwhile would be brought back for ever.
			p.lookAt(at)
			continue
		}
		for i := range h.outbox {
			notify.Replay(&h.outbox[i], name, at)
		}
	}
}

// enlist addresses the notices of a holder and puts those that wait into the queues of their channels.
func (p *pass) enlist(h *holder, now time.Time) {
	for i := range h.outbox {
		n := &h.outbox[i]
		if !n.Addressed {
			_, channels := notify.Route(n, h.owners(n), h.sponsor, p.lookup)
			notify.Address(n, channels)
		}
		for k := range n.Deliveries {
			d := &n.Deliveries[k]
			if d.State == v1alpha1.DeliveryPending {
				p.put(h, n, d, now)
			}
		}
	}
}

func (p *pass) put(h *holder, n *v1alpha1.Notice, d *v1alpha1.Delivery, now time.Time) {
	q := p.queues[d.Channel]
	if q == nil {
		t, _, ok := p.channel(d.Channel)
		if !ok {
			notify.Bury(d, now)
			return
		}
		q = notify.QueueOf(d.Channel, t.Spec.Notify)
		q.Sent, q.Paused = p.sent(d.Channel, now), p.space.paused[d.Channel]
		p.queues[d.Channel] = q
	}
	q.Letters = append(q.Letters, &notify.Letter{Thread: h.thread, About: h.about(n), Notice: n, Delivery: d})
}

// channel finds a channel of a team: "concessions/chat".
func (p *pass) channel(name string) (*v1alpha1.Team, v1alpha1.NotifyChannel, bool) {
	of, channel, _ := strings.Cut(name, "/")
	t, ok := p.teams[of]
	if !ok || t.Spec.Notify == nil {
		return nil, v1alpha1.NotifyChannel{}, false
	}
	for _, c := range t.Spec.Notify.Channels {
		if c.Name == channel {
			return t, c, true
		}
	}
	return nil, v1alpha1.NotifyChannel{}, false
}

// sent returns the messages that a channel took within the last hour.
func (p *pass) sent(channel string, now time.Time) map[string]time.Time {
	own := p.space.sent[channel]
	if own == nil {
		own = map[string]time.Time{}
		p.space.sent[channel] = own
	}
	maps.DeleteFunc(own, func(_ string, at time.Time) bool { return now.Sub(at) >= time.Hour })
	return own
}

// clear leaves out old notices of a holder that is in the API; those of cases are the store's.
func (p *pass) clear(h *holder, now time.Time) {
	if h.reload == nil {
		return
	}
	kept := notify.Prune(h.outbox, now)
	// Letters point into the outbox, so a copy replaces it only where nothing of it waits.
	h.cleared = len(kept) < len(h.outbox)
	p.lookAt(notify.NextExpiry(kept))
}

// dirty says whether the outbox differs from what was read.
func (h *holder) dirty() bool {
	return !h.lost && (h.cleared || !same(h.outbox, h.before))
}

// waits says whether a channel waits for something of the outbox.
func (h *holder) waits() bool {
	return slices.ContainsFunc(h.outbox, func(n v1alpha1.Notice) bool { return notify.StateOf(&n) == v1alpha1.DeliveryPending })
}

// refresh reads live what is to be worked on, and notes in it outcomes that could not be written before. Where nothing is to be sent
// of a holder it is not read: what is noted of it is only written to the version that the cache has.
func (p *pass) refresh(ctx context.Context) error {
	for _, h := range p.holders {
		if h.reload == nil || !h.waits() && len(p.space.unsaved[h.id]) == 0 {
			continue
		}
		found, err := h.reload(ctx)
		if err != nil {
			return err
		}
		h.lost, h.cleared = !found, false
		h.overlay(p.space.unsaved[h.id])
	}
	return nil
}

// overlay notes what another state of the outbox knows that is further on.
func (h *holder) overlay(known []v1alpha1.Notice) {
	for i := range known {
		for k := range h.outbox {
			if h.outbox[k].ID == known[i].ID {
				notify.Overlay(&h.outbox[k], &known[i])
			}
		}
	}
}

// save writes the holders that differ. One that was changed or deleted meanwhile is left for the next pass; with any other
// error it is not known what was written, so nothing may be sent.
func (p *pass) save(ctx context.Context) error {
	for _, h := range p.holders {
		if !h.dirty() {
			continue
		}
		err := h.write(ctx)
		switch {
		case apierrors.IsConflict(err), apierrors.IsNotFound(err):
			h.lost, p.retry = true, p.Clock().Add(retryAfter)
		case err != nil:
			return fmt.Errorf("note what is sent of %s: %w", h.id, err)
		default:
			p.saved(h)
		}
	}
	p.unlist()
	return nil
}

// unlist takes the letters of lost holders out of the queues.
func (p *pass) unlist() {
	lost := map[*v1alpha1.Notice]bool{}
	for _, h := range p.holders {
		for i := range h.outbox {
			lost[&h.outbox[i]] = h.lost
		}
	}
	for _, q := range p.queues {
		q.Letters = slices.DeleteFunc(q.Letters, func(l *notify.Letter) bool { return lost[l.Notice] })
	}
}

// saved tells of deliveries that died, once that is written down.
func (p *pass) saved(h *holder) {
	delete(p.space.unsaved, h.id)
	was := map[string]v1alpha1.DeliveryState{}
	for i := range h.before {
		for _, d := range h.before[i].Deliveries {
			was[h.before[i].ID+d.Channel] = d.State
		}
	}
	for i := range h.outbox {
		for _, d := range h.outbox[i].Deliveries {
			if d.State == v1alpha1.DeliveryDead && was[h.outbox[i].ID+d.Channel] != v1alpha1.DeliveryDead {
				p.Recorder.Eventf(h.regarding, nil, corev1.EventTypeWarning, v1alpha1.ReasonNotificationDead, "Notify",
					"a message to %s was given up after %d attempts: %s", d.Channel, d.Attempts, d.Problem)
			}
		}
	}
	h.before, h.cleared = clone(h.outbox), false
}

// settle writes down what became of what was sent. A holder that was changed meanwhile is read again; where it cannot be
// written, the outcome is remembered for the next pass.
func (p *pass) settle(ctx context.Context) {
	for _, h := range p.holders {
		if !h.dirty() {
			continue
		}
		outcome := clone(h.outbox)
		err := h.write(ctx)
		for range maxConflicts {
			if !apierrors.IsConflict(err) || h.reload == nil {
				break
			}
			var found bool
			if found, err = h.reload(ctx); err != nil || !found {
				break
			}
			h.overlay(outcome)
			err = h.write(ctx)
		}
		if err == nil {
			p.saved(h)
			continue
		}
		if client.IgnoreNotFound(err) != nil {
			p.space.unsaved[h.id] = outcome
			log.FromContext(ctx).Error(err, "Note what became of messages; it is tried again", "of", h.id)
		}
		h.lost, p.retry = true, p.Clock().Add(retryAfter)
	}
}

const (
	// maxConflicts is how often an object that keeps changing is read again in one pass.
	maxConflicts = 5
	// retryAfter is how soon a pass is made again that could not write.
	retryAfter = time.Second
)

// series counts what waits and what died, by resource and team.
func (p *pass) series() []exporter.Notices {
	type key struct{ kind, name, team string }
	counts := map[key]*exporter.Notices{}
	for _, h := range p.holders {
		for i := range h.outbox {
			for _, d := range h.outbox[i].Deliveries {
				of, _, _ := strings.Cut(d.Channel, "/")
				k := key{h.kind, h.name, of}
				if counts[k] == nil {
					counts[k] = &exporter.Notices{Namespace: p.namespace, Kind: h.kind, Name: h.name, Team: of}
				}
				switch d.State {
				case v1alpha1.DeliveryPending:
					counts[k].Pending++
				case v1alpha1.DeliveryDead:
					counts[k].Dead++
				}
			}
		}
	}
	var all []exporter.Notices
	for _, n := range counts {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(a, b exporter.Notices) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Team, b.Team))
	})
	return all
}
