package resident

import "time"

// every is how often a process is looked at.
const every = 10 * time.Second

// rest decides when a process that has worked rests, by the CPU time that it used so far. It is looked at at even times.
type rest struct {
	last  time.Duration // at the last look
	since time.Duration // when memory was last given back
	cost  time.Duration // that this had
	looks int           // until it may be again
}

const (
	// restLooks are between two times: a minute.
	restLooks = 6
	// restShare is the part of one processor that a process which rests uses at most.
	restShare = 5
	// restWork is what a process has done at least since the last time, and restCosts how many times what that cost.
	restWork, restCosts = time.Second / 2, 10
)

// newRest is that of a process that has just started, which is work.
func newRest() *rest { return &rest{since: -restWork} }

// look says whether the process rests after work.
func (r *rest) look(used time.Duration) bool {
	busy := used-r.last > every/restShare
	r.last, r.looks = used, r.looks-1
	return !busy && r.looks <= 0 && used-r.since >= max(restWork, restCosts*r.cost)
}

// done notes what it cost to give memory back.
func (r *rest) done(used time.Duration) {
	r.cost, r.since, r.last, r.looks = used-r.last, used, used, restLooks
}
