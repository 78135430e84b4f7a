package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

const (
	// senders send answers at once. Between two scrapes is a pause, of the time that one takes where that is longer.
	senders     = 32
	scrapeEvery = 250 * time.Millisecond
)

// answer is a line of an import or a JSON submission.
type answer struct {
	ID          string         `json:"id"`
	Touchpoint  string         `json:"touchpoint"`
	Answers     map[string]int `json:"answers"`
	SubmittedAt string         `json:"submittedAt,omitempty"`
}

func newAnswer(i int) answer {
	return answer{ID: uuid.NewString(), Touchpoint: touchpointName(i), Answers: map[string]int{satisfied: 1 + rand.IntN(5)}} // #nosec G404 -- no secret
}

// good is what CSAT counts as satisfied on the scale of 1 to 5.
func (a answer) good() bool { return a.Answers[satisfied] >= 4 }

// observe sends answers and looks at the metrics until each has shown.
func (o *operator) observe(ctx context.Context, live liveOptions, l *ledger) error {
	group, ctx := errgroup.WithContext(ctx)
	sent := make(chan struct{})
	group.Go(func() error {
		defer close(sent)
		return o.send(ctx, live, l)
	})
	group.Go(func() error { return o.watch(ctx, l, sent) })
	if err := group.Wait(); err != nil {
		return err
	}
	series, _, err := o.scrape(context.WithoutCancel(ctx), "?name[]=cx_objective_score")
	if err != nil {
		return err
	}
	return l.check(series["cx_objective_score"])
}

// send sends answers at an even rate to touchpoints drawn by chance.
func (o *operator) send(ctx context.Context, live liveOptions, l *ledger) error {
	group, ctx := errgroup.WithContext(ctx)
	due := make(chan struct{}, live.rate)
	c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders, MaxConnsPerHost: senders}, Timeout: 30 * time.Second}
	for range senders {
		group.Go(func() error {
			for range due {
				if err := o.sendOne(ctx, c, live, l, rand.IntN(live.touchpoints)); err != nil { // #nosec G404 -- no secret
					return err
				}
			}
			return nil
		})
	}
	pace(ctx, live, due)
	close(due)
	return group.Wait()
}

// pace asks for answers as time passes.
func pace(ctx context.Context, live liveOptions, due chan<- struct{}) {
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	began, asked := time.Now(), 0
	for passed := time.Duration(0); passed < live.duration; passed = time.Since(began) {
		for ; asked < int(passed.Seconds()*float64(live.rate)); asked++ {
			select {
			case due <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
		<-every.C
	}
}

func (o *operator) sendOne(ctx context.Context, c *http.Client, live liveOptions, l *ledger, i int) error {
	a := newAnswer(i)
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, o.responses(live, i), bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusCreated {
		return fmt.Errorf("an answer got %s: %s", response.Status, text)
	}
	l.acknowledge(i, a.good())
	return nil
}

// watch looks at the metrics until all is sent and has shown.
func (o *operator) watch(ctx context.Context, l *ledger, sent <-chan struct{}) error {
	var deadline time.Time
	for {
		began := time.Now()
		series, _, err := o.scrape(ctx, "?name[]=cx_objective_responses")
		if err != nil {
			return err
		}
		counts := map[string]int64{}
		for touchpoint, n := range series["cx_objective_responses"] {
			counts[touchpoint] = int64(n)
		}
		l.see(counts, time.Now())
		select {
		case <-sent:
			if deadline.IsZero() {
				deadline = time.Now().Add(drainLimit)
			}
			if l.waiting() == 0 {
				return nil
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%d answers do not show in the metrics after %s", l.waiting(), drainLimit)
			}
		default:
		}
		select {
		case <-time.After(max(scrapeEvery, time.Since(began))):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// scrape reads metrics of objectives: their values by name and touchpoint, and how many bytes were read.
func (o *operator) scrape(ctx context.Context, query string) (map[string]map[string]float64, int64, error) {
	response, err := get(ctx, o.metrics+query)
	if err != nil {
		return nil, 0, fmt.Errorf("asking for metrics: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, 0, fmt.Errorf("asking for metrics: %s", response.Status)
	}
	series, size := map[string]map[string]float64{}, int64(0)
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		line := lines.Text()
		size += int64(len(line)) + 1
		name, labels, _ := strings.Cut(line, "{")
		if name != "cx_objective_responses" && name != "cx_objective_score" {
			continue
		}
		_, rest, _ := strings.Cut(labels, `touchpoint="`)
		touchpoint, rest, _ := strings.Cut(rest, `"`)
		value, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		if err != nil {
			return nil, 0, fmt.Errorf("metric %q: %w", line, err)
		}
		if series[name] == nil {
			series[name] = map[string]float64{}
		}
		series[name][touchpoint] = value
	}
	return series, size, lines.Err()
}
