package resident

import (
	"slices"
	"testing"
	"time"
)

// Memory is given back when a process rests after it worked: soon, but not again within a minute, and not for less work than
// giving it back is.
func TestRest(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		used []time.Duration // CPU time in each of the intervals
		cost time.Duration
		want []int // the looks at which memory is given back
	}{
		"idle":                   {used: slices.Repeat([]time.Duration{10 * ms}, 20), want: []int{0}},
		"a start":                {used: []time.Duration{800 * ms, 0, 0}, want: []int{0}},
		"a burst":                {used: []time.Duration{9000 * ms, 9000 * ms, 3000 * ms, 1000 * ms, 0, 0}, want: []int{3}},
		"always busy":            {used: slices.Repeat([]time.Duration{2001 * ms}, 20)},
		"a little all the time":  {used: slices.Repeat([]time.Duration{600 * ms}, 14), want: []int{0, 6, 12}},
		"dear, for little work":  {used: slices.Repeat([]time.Duration{600 * ms}, 25), cost: 1000 * ms, want: []int{0, 17}},
		"two bursts in a minute": {used: []time.Duration{9000 * ms, 0, 9000 * ms, 0, 0, 0, 0, 0, 0}, want: []int{1, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRest()
			var got []int
			used := time.Duration(0)
			for i, u := range c.used {
				used += u
				if r.look(used) {
					got = append(got, i)
					used += c.cost
					r.done(used)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("given back at %v, want %v", got, c.want)
			}
		})
	}
}
