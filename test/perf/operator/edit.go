package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/cx-operator/cx-operator/test/perf/bench"
)

const configMaps = "configmaps"

// change is an edit of one object, and what is to follow from it.
type change struct {
	what    string
	of      key
	body    string
	follows key                // what changes with it
	seen    func(*object) bool // that it did; nil is that the status is of the new spec
}

// edit changes one object after the other, while all others idle, and measures how long it takes until what follows from the
// change is seen by somebody who watches.
func (s *site) edit(ctx context.Context, m *measured) error {
	took := map[string][]time.Duration{}
	for n := range s.edits {
		for _, c := range s.changes(n) {
			d, err := s.measure(ctx, c)
			if err != nil {
				return err
			}
			took[c.what] = append(took[c.what], d)
		}
	}
	if m.edits == nil {
		m.edits = map[string]bench.Sample{}
	}
	for what, all := range took {
		slices.Sort(all)
		s.say("  edit of %s: median %v, p99 %v, at the most %v", what, all[len(all)/2], percentile(all, 99), all[len(all)-1])
		m.edits[what] = append(m.edits[what], float64(percentile(all, 99))/float64(time.Millisecond))
	}
	if _, err := s.settle(ctx, nil); err != nil {
		return err
	}
	asked, err := s.cluster.audit.next()
	if err != nil {
		return err
	}
	s.say("  %d edits: asked %s", s.edits*len(s.changes(0)), &asked)
	return nil
}

// percentile returns the value of a sorted list below or at which so many percent are.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

// changes are the edits of the nth turn, each of another object.
func (s *site) changes(n int) []change {
	var changes []change
	stride := max(1, len(s.inputs)/max(1, s.edits))
	title := fmt.Sprintf(`{"spec":{"survey":{"title":{"en":"How was it, for the time %d?"}}}}`, n+1)
	if p, ok := s.pick(programs, n*stride); ok {
		c := change{what: "a program", of: p, body: title, follows: p}
		changes = append(changes, c)
		if s.size.dedicated {
			c.what, c.body = "a program, seen at its ConfigMap", fmt.Sprintf(`{"spec":{"survey":{"title":{"de":"Wie war es, zum Mal %d?"}}}}`, n+1)
			c.follows = key{configMaps, p.namespace, p.name + "-endpoint"}
			c.seen = func(*object) bool { return true }
			changes = append(changes, c)
		}
	}
	if t, ok := s.pick(touchpoints, n*stride); ok {
		changes = append(changes, change{what: "a touchpoint", of: t, body: fmt.Sprintf(`{"spec":{"displayName":"The moment %d"}}`, n+1), follows: t})
	}
	return changes
}

// pick returns the first object of a kind from some position on.
func (s *site) pick(resource string, from int) (key, bool) {
	for i := range s.inputs {
		if at := s.inputs[(from+i)%len(s.inputs)]; at.resource == resource {
			return at.key(), true
		}
	}
	return key{}, false
}

func (s *site) measure(ctx context.Context, c change) (time.Duration, error) {
	path := collection(group, c.of.namespace, c.of.resource) + "/" + c.of.name
	before, err := s.people.client.Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", c.of, err)
	}
	old, err := versionOf(before)
	if err != nil {
		return 0, err
	}
	seen := c.seen
	if seen == nil {
		seen = func(o *object) bool { return o.Status.ObservedGeneration > old.Metadata.Generation }
	}
	at := s.watcher.wish(c.follows, seen)
	begun := time.Now()
	if _, err := s.people.patch(ctx, types.MergePatchType, path, peopleUser, []byte(c.body)); err != nil {
		return 0, fmt.Errorf("edit %s: %w", c.of, err)
	}
	t, err := s.within(ctx, c.follows, at)
	if err != nil {
		return 0, err
	}
	// The next edit finds the operator idle again.
	return t.Sub(begun), pause(ctx, 20*time.Millisecond)
}
