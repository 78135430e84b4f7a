package notifier

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
	"github.com/cx-operator/cx-operator/internal/notify"
)

const (
	// channelsAtOnce is how many channels of a namespace are served at the same time.
	channelsAtOnce = 8
	// messagesAtOnce is how many messages one channel gets in one pass; the others come in the next.
	messagesAtOnce = 10
	// pause is how long a channel is left alone that failed, so that a receiver in trouble is not asked for each message.
	pause = 30 * time.Second
)

// send sends what is due, the channels beside each other and the messages of one channel one after the other.
func (p *pass) send(ctx context.Context) {
	paused := make(chan string, len(p.queues))
	var group errgroup.Group
	group.SetLimit(channelsAtOnce)
	for name, q := range p.queues {
		_, channel, ok := p.channel(name)
		if !ok {
			continue
		}
		group.Go(func() error {
			if !p.drain(ctx, q, channel) {
				paused <- name
			}
			return nil
		})
	}
	_ = group.Wait() // none of them fails
	close(paused)
	for name := range paused {
		p.space.paused[name] = p.Clock().Add(pause)
	}
}

// drain sends the messages of one channel. It says whether the channel works.
func (p *pass) drain(ctx context.Context, q *notify.Queue, channel v1alpha1.NotifyChannel) bool {
	for range messagesAtOnce {
		b, ok, _ := q.Next(p.Clock())
		if !ok || ctx.Err() != nil {
			return true
		}
		o := p.Notify.Send(ctx, channel, p.secret, notify.Compose(b, q))
		if ctx.Err() != nil && !o.Delivered {
			return true // the process ends; that is no failure of the receiver
		}
		now := p.Clock()
		b.Settle(o, now)
		if o.Delivered {
			q.Sent[b.Message] = now
		} else if !o.Refused && !o.Gone {
			return false
		}
	}
	return true
}
