package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
	"github.com/cx-operator/cx-operator/test/perf/load"
)

// engine makes stores.
type engine interface {
	// name as figures have it.
	name() string
	// fresh makes a store without answers.
	fresh(ctx context.Context) (kept, error)
	// cpu is the time that the database's own processes have taken; 0 where it has none.
	cpu() (time.Duration, error)
}

// kept is a store, and tables like its own beside it for the database alone.
type kept interface {
	// flags of an endpoint that keeps answers there.
	flags() []string
	// tally counts what is kept. The endpoints may run meanwhile.
	tally(ctx context.Context) (tally, error)
	// alone opens a writer to the tables beside it. Several have a number each.
	alone(ctx context.Context, number int) (alone, error)
	// drop deletes all of it. Nobody may have it open.
	drop(ctx context.Context) error
}

// tally is what is kept: responses, and how many the hourly counts say that there are.
type tally struct{ responses, counted int64 }

// alone is the database without anything before it. It is for one goroutine.
type alone interface {
	// write stores the batch with its counts in one durable transaction.
	write(ctx context.Context, batch []*row) error
	// commit stores a single row of two numbers in one durable transaction.
	commit(ctx context.Context) error
	close(ctx context.Context) error
}

// writeFor has writers store batches at the same time until the duration is over, and returns how many answers a second that
// were.
func writeFor(ctx context.Context, d time.Duration, writers []alone, sources []*rows, batch int) (float64, error) {
	errs, written := make([]error, len(writers)), make([]int, len(writers))
	start := time.Now()
	var all sync.WaitGroup
	for i, w := range writers {
		all.Go(func() {
			for errs[i] == nil && time.Since(start) < d {
				errs[i] = w.write(ctx, sources[i].take(batch))
				written[i] += batch
			}
		})
	}
	all.Wait()
	sum := 0
	for _, n := range written {
		sum += n
	}
	return float64(sum) / time.Since(start).Seconds(), errors.Join(errs...)
}

// median returns how long what is done over and over takes for half of the times at most.
func median(d time.Duration, do func() error) (time.Duration, error) {
	var times []time.Duration
	for start := time.Now(); time.Since(start) < d; {
		begun := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// found makes the tables of a store, and what there is once for all answers, by storing one answer in it.
func found(ctx context.Context, s store.Store) error {
	sub, err := survey.DecodeSubmission(load.NewAnswers(form(), signToken, load.NewSeed()).AppendJSON(nil))
	if err != nil {
		return errors.Join(err, s.Close())
	}
	response, wrong := form().Accept(sub, survey.Rules{Now: time.Now()})
	if len(wrong) > 0 {
		return errors.Join(errorOf(wrong), s.Close())
	}
	response.Receipt = uuid.NewString()[:20]
	_, err = s.Append(ctx, []store.Response{response})
	return errors.Join(err, s.Close())
}

func errorOf(wrong []survey.FieldError) error {
	return fmt.Errorf("an answer that was made up is wrong: %s %s", wrong[0].Pointer, wrong[0].Detail)
}
