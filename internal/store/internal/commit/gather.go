package commit

import "time"

const (
	// fewest is from how many callers on a commit waits for the others: below, there is little to share.
	fewest = 4
	// mostSkipped bounds how many commits do not wait after waiting was in vain.
	mostSkipped = 256
	// longestGather bounds how long a commit waits, where the last one was held up.
	longestGather = 20 * time.Millisecond
)

// gatherer has the next commit wait for those callers whom the last one has answered, where they come back at once, as clients
// do that send one response after another. Otherwise these fall into two halves that take turns: commits are half as large, and a
// commit of twice as many rows takes far less than twice as long. It waits no longer than the last commit took, and the less often
// the more often it did so in vain.
type gatherer struct {
	callers int
	took    time.Duration
	// skip is how many commits do not wait, skipped how many that were the last time.
	skip, skipped int
}

// committed is called after a commit: so many callers had a part in it, so many wait, and it took so long.
func (g *gatherer) committed(answered, waiting int, took time.Duration) {
	g.callers, g.took = answered+waiting, min(took, longestGather)
}

// wanted returns how many callers the next commit waits for, 0 for none.
func (g *gatherer) wanted() int {
	if g.callers < fewest {
		return 0
	}
	if g.skip > 0 {
		g.skip--
		return 0
	}
	return g.callers
}

// waited is called after a commit has waited: came tells whether all did that it waited for.
func (g *gatherer) waited(came bool) {
	if came {
		g.skipped = 0
		return
	}
	g.skipped = min(max(1, 2*g.skipped), mostSkipped)
	g.skip = g.skipped
}
