package intake

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxClients bounds the table of a limiter: about 30 MB when full.
const maxClients = 100_000

// limiter gives every client a token bucket. Clients are forgotten once their bucket is full again, and the one that has
// been silent for longest when the table is full.
type limiter struct {
	rate  rate.Limit
	burst int
	size  int

	mu    sync.Mutex
	table map[clientKey]*list.Element
	order *list.List // of *bucket, the one seen last in front
}

type bucket struct {
	client clientKey
	tokens *rate.Limiter
	seen   time.Time
}

// newLimiter allows perMinute events a minute on average and burst at once; a negative rate allows everything.
func newLimiter(perMinute, burst, size int) *limiter {
	l := &limiter{rate: rate.Limit(float64(perMinute) / 60), burst: burst, size: size}
	if perMinute >= 0 {
		l.table, l.order = map[clientKey]*list.Element{}, list.New()
	}
	return l
}

// off says that every client may do everything.
func (l *limiter) off() bool { return l.table == nil }

// allow takes a token of the client's. Where there is none it returns how long it takes until there is one.
func (l *limiter) allow(client clientKey, now time.Time) (time.Duration, bool) {
	if l.off() {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.expire(now)
	b := l.bucket(client)
	b.seen = now
	if b.tokens.AllowN(now, 1) {
		return 0, true
	}
	reservation := b.tokens.ReserveN(now, 1)
	if !reservation.OK() {
		return time.Minute, false
	}
	wait := reservation.DelayFrom(now)
	if wait <= 0 {
		return 0, true
	}
	reservation.CancelAt(now)
	return wait, false
}

func (l *limiter) bucket(client clientKey) *bucket {
	if e, ok := l.table[client]; ok {
		l.order.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if len(l.table) >= l.size {
		l.drop(l.order.Back())
	}
	b := &bucket{client: client, tokens: rate.NewLimiter(l.rate, l.burst)}
	l.table[client] = l.order.PushFront(b)
	return b
}

// expire forgets clients whose bucket is full again: a new one would be no different.
func (l *limiter) expire(now time.Time) {
	full := time.Duration(float64(l.burst) / float64(l.rate) * float64(time.Second))
	for e := l.order.Back(); e != nil && now.Sub(e.Value.(*bucket).seen) >= full; e = l.order.Back() {
		l.drop(e)
	}
}

func (l *limiter) drop(e *list.Element) {
	delete(l.table, e.Value.(*bucket).client)
	l.order.Remove(e)
}
