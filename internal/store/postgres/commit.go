package postgres

import (
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

// How the feed skips no commit, though commits end in another order than that of their numbers, and no process waits for
// another's:
//
// A transaction takes its number from commit_seq. Before that it takes an advisory lock, shared, which lasts until its end
// and is named by the last number that was given out then: a lower bound, which its own number exceeds. A reader looks at the
// last number given out (L), then at the locks, and only then takes its snapshot. The horizon is the least of L and the
// locks' lower bounds. Any transaction whose number is at most the horizon has ended before the snapshot: it took its
// number before the reader looked at L, so it had its lock before; had it not ended, the reader would have seen the lock, and
// the horizon would be below its number. So a cursor may go up to the horizon. What the snapshot shows beyond it is told
// too, and will be told again. The lock is let go after the commit can be seen, never before.
//
// How a count that changes with every commit costs no new entry in every index: rollup.number is the number of the commit that
// changed it, which no index has. rollup.seq, which has one, is the last of the 64 numbers that number is among, raised above
// all numbers by bit 62: so it seldom changes, and leads to all that changed since a number and little else. What is changed
// seldom, or by a program of the version before, has its number in seq, without the bit, whatever rollup.number is then.

const (
	// The lock's key is the sequence's identity and the low half of the lower bound.
	lockLowerBound = `SELECT pg_advisory_xact_lock_shared('commit_seq'::regclass::oid::bigint << 32 | (last_value & 4294967295))
		FROM commit_seq`
	takeNumber = `SELECT nextval('commit_seq')`

	addCounts = `INSERT INTO rollup (program, touchpoint, unit, question, revision, hour, value, n, slot, seq, number)
		SELECT k.*, $9::smallint, 1::bigint << 62 | c.number | 63, c.number
		FROM (SELECT currval('commit_seq') AS number OFFSET 0) AS c
		CROSS JOIN unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[], $6::bigint[], $7::text[], $8::bigint[]) AS k
		ON CONFLICT (program, hour, key, slot) DO UPDATE SET n = rollup.n + excluded.n, seq = excluded.seq, number = excluded.number`
	// lastPossible is greater than any number.
	lastPossible = 1<<62 - 1
	addProgress  = `INSERT INTO progress (program, slot, seq)
		SELECT k.program, $2::smallint, currval('commit_seq') FROM unnest($1::int[]) AS k (program)
		ON CONFLICT (program, slot) DO UPDATE SET seq = excluded.seq`
)

// number adds the taking of the transaction's number to a batch.
func number(b *pgx.Batch) {
	b.Queue(lockLowerBound)
	b.Queue(takeNumber)
}

// commit sends the last statements of the transaction: what changes the counts, under a number, and the commit. They go
// together, so that the time between the number and the commit is the server's alone.
func (t *tx) commit(b *pgx.Batch) error {
	maps.DeleteFunc(t.counts, func(_ commit.CountKey, n int64) bool { return n == 0 })
	for k := range t.counts {
		t.changed[int32(k.Program)] = true
	}
	if len(t.changed) > 0 && !t.numbered {
		number(b)
	}
	if len(t.counts) > 0 {
		t.queueCounts(b)
	}
	if len(t.changed) > 0 {
		b.Queue(addProgress, slices.Sorted(maps.Keys(t.changed)), t.slot)
	}
	b.Queue("COMMIT")
	t.committing = true
	return t.send(b)
}

// queueCounts changes each count of the transaction once, in their order.
func (t *tx) queueCounts(b *pgx.Batch) {
	b.Queue(addCounts, append(countColumns(t.counts, t.counts.Sorted()), t.slot)...)
}

// countColumns returns the columns of counts, in the order of their keys, which are sorted.
func countColumns(counts commit.Counts, keys []commit.CountKey) []any {
	programs, revisions := make([]int32, len(keys)), make([]int32, len(keys))
	hours, ns := make([]int64, len(keys)), make([]int64, len(keys))
	touchpoints, units := make([]string, len(keys)), make([]string, len(keys))
	questions, values := make([]string, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		programs[i], revisions[i], hours[i], ns[i] = int32(k.Program), k.Revision, int64(k.Hour), counts[k]
		touchpoints[i], units[i], questions[i], values[i] = k.Touchpoint, k.Unit, k.Question, k.Value
	}
	return append(make([]any, 0, 14), programs, touchpoints, units, questions, revisions, hours, values, ns)
}
