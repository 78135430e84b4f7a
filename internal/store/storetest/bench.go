package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/store/internal/commit"
)

const (
	benchRounds = 5
	// benchBatch is how many responses the database takes at once where nothing but its own work is measured.
	benchBatch = 500
)

// Bench is a store to be measured beside what its database does for who only inserts.
type Bench struct {
	// Open opens a store that is empty.
	Open func(*testing.B) store.Store
	// Plain makes the same tables, empty, for the one program of BenchProgram, and returns what makes rows and their counts
	// durable in one transaction, by the fewest statements that can do it, without a look at what is there.
	Plain func(*testing.B) func(rows []commit.Row, counts commit.Counts) error
}

// BenchProgram is the program of the responses of a Bench. Its number in the database is 1.
var BenchProgram = programA

// benchStart is when the responses of a Bench begin: in the middle of an hour, so that they add to the same counts.
var benchStart = noon.Add(20 * time.Minute)

// BenchResponse returns a response of ordinary size: five scales and a text, from one of ten touchpoints.
func BenchResponse(n int) store.Response {
	id := ID("bench", n)
	r := store.Response{
		Program: BenchProgram, ID: id, Digest: sha256.Sum256([]byte(id)), Receipt: id[:13], Language: "en",
		Touchpoint: fmt.Sprint("touchpoint-", n%10), SubmittedAt: benchStart.Add(time.Duration(n) * time.Millisecond),
	}
	for q := range 5 {
		r.Answers = append(r.Answers, store.Answer{Question: fmt.Sprint("question-", q), Revision: 1, Kind: store.KindScale,
			Values: []string{fmt.Sprint((n + q) % 11)}})
	}
	r.Answers = append(r.Answers, store.Answer{Question: "why", Revision: 1, Kind: store.KindText,
		Values: []string{"The line was short and the staff was friendly."}})
	return r
}

// BenchAppend measures Append at several numbers of callers, of which each sends its next response when it has the answer to
// the last: responses per second, the share of what the plain database takes in the same run, and how long a call takes. One
// caller is held against a plain commit of one response.
func BenchAppend(b *testing.B, bench Bench) {
	for _, callers := range []int{1, 16, 64, 256, 1024} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) { benchCallers(b, bench, callers) })
	}
}

func benchCallers(b *testing.B, bench Bench, callers int) {
	s := bench.Open(b)
	plain := bench.Plain(b)
	batch := benchBatch
	if callers == 1 {
		batch = 1
	}
	responses, rows := make([]store.Response, b.N), make([]commit.Row, b.N)
	for i := range responses {
		responses[i] = BenchResponse(i)
		var err error
		if rows[i], err = commit.NewRow(responses[i]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.StopTimer()
	var store, alone time.Duration
	var waits []time.Duration
	for round := range benchRounds {
		from, to := b.N*round/benchRounds, b.N*(round+1)/benchRounds
		begin := clock()
		for chunk := range slices.Chunk(rows[from:to], batch) {
			if err := plain(chunk, countsOf(chunk)); err != nil {
				b.Fatal(err)
			}
		}
		alone += clock().Sub(begin)
		b.StartTimer()
		begin = clock()
		waits = append(waits, appendEach(b, s, responses[from:to], callers)...)
		store += clock().Sub(begin)
		b.StopTimer()
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	slices.Sort(waits)
	b.ReportMetric(float64(b.N)/store.Seconds(), "responses/s")
	b.ReportMetric(float64(b.N)/alone.Seconds(), "plain/s")
	b.ReportMetric(alone.Seconds()/store.Seconds(), "of-plain")
	b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "ms-p50")
	b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "ms-p99")
}

func clock() time.Time { return time.Now() } //nolint:forbidigo // what is measured here is time

func countsOf(rows []commit.Row) commit.Counts {
	counts := commit.Counts{}
	for i := range rows {
		counts.Add(1, &rows[i])
	}
	return counts
}

// appendEach appends responses one by one, from several callers at once, and returns how long each took.
func appendEach(b *testing.B, s store.Store, responses []store.Response, callers int) []time.Duration {
	waits, errs := make([]time.Duration, len(responses)), make([]error, callers)
	var next atomic.Int64
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(responses) && errs[c] == nil; i = int(next.Add(1)) - 1 {
				begin := clock()
				_, errs[c] = s.Append(context.Background(), responses[i:i+1])
				waits[i] = clock().Sub(begin)
			}
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	return waits
}
