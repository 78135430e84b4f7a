package operations

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

// question is what a call of the feed asks for.
type question struct {
	since store.Cursor
	limit int
	wait  time.Duration
}

func parseQuestion(v url.Values) (question, *Problem) {
	q := question{since: store.Cursor{Epoch: v.Get("epoch")}, limit: maxPage}
	if len(q.since.Epoch) > maxEpoch {
		return q, malformed(fmt.Sprintf("epoch: at most %d bytes are allowed.", maxEpoch))
	}
	var p *Problem
	number := func(name string, least, most, otherwise int64) int64 {
		text := v.Get(name)
		if text == "" {
			return otherwise
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least || n > most {
			p = malformed(fmt.Sprintf("%s: a whole number from %d to %d is allowed.", name, least, most))
		}
		return n
	}
	const largest = 1<<63 - 1
	q.since.Seq = number("seq", 0, largest, 0)
	q.limit = int(number("limit", 1, maxPage, maxPage))
	q.wait = time.Duration(number("wait", 0, int64(MaxWait/time.Second), 0)) * time.Second
	return q, p
}

// changes answers with a page of the program's counts.
func (h *handler) changes(w http.ResponseWriter, r *http.Request) {
	q, problem := parseQuestion(r.URL.Query())
	if problem != nil {
		problem.write(w)
		return
	}
	page, err := h.await(r.Context(), q)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	body, err := encodeChanges(h.Program, page)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	if h.draining() {
		w.Header().Set("Connection", "close")
	}
	writeBody(w, http.StatusOK, "application/json", body)
}

// await reads a page; where it has no news, it waits for some, until the time is up or the endpoint drains.
func (h *handler) await(ctx context.Context, q question) (store.Changes, error) {
	end := time.NewTimer(q.wait)
	defer end.Stop()
	over := q.wait == 0
	for {
		opened := h.Store()
		if opened.Store == nil {
			return store.Changes{}, unavailable(opened.Why)
		}
		// Taken before the read, so that a commit during the read is not missed.
		updated := opened.Store.Updated()
		rest := time.NewTimer(minInterval)
		page, err := readOwn(ctx, opened.Store, q.since, q.limit, h.Program)
		replaced := err != nil && isClosed(opened.Replaced) // under the read
		if !replaced && (err != nil || over || isNews(page) || h.draining()) || ctx.Err() != nil {
			rest.Stop()
			return page, err
		}
		if !replaced {
			q.since = page.Next // the counts of others are not read twice
			over = h.sleep(ctx, end.C, updated, opened.Replaced)
		}
		h.finish(ctx, rest, over)
	}
}

// sleep waits for anything to happen, and says whether the time is up.
func (h *handler) sleep(ctx context.Context, end <-chan time.Time, updated, replaced <-chan struct{}) bool {
	select {
	case <-updated:
	case <-replaced:
	case <-h.Draining:
	case <-end:
		return true
	case <-ctx.Done():
	}
	return false
}

// finish waits for the end of the rest between two reads, unless this is no time to rest.
func (h *handler) finish(ctx context.Context, rest *time.Timer, over bool) {
	defer rest.Stop()
	if over || h.draining() {
		return
	}
	select {
	case <-rest.C:
	case <-ctx.Done():
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func isNews(c store.Changes) bool {
	return c.Reset || c.More || len(c.Counts) > 0 || len(c.Imports) > 0
}

// readOwn reads the next page that has something of the program, or the last one. It keeps Reset of pages that it passes
// over, and returns one without anything, but with more to come, where it takes long.
func readOwn(ctx context.Context, feed store.Feed, since store.Cursor, limit int, program store.Key) (store.Changes, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	long := time.NewTimer(readTimeout / 3)
	defer long.Stop()
	reset := false
	for {
		page, err := feed.Changes(ctx, since, limit)
		if err != nil {
			return store.Changes{}, err
		}
		page = only(page, program)
		reset = reset || page.Reset
		page.Reset = reset
		if !page.More || len(page.Counts) > 0 || len(page.Imports) > 0 || page.Next == since {
			return page, nil
		}
		select {
		case <-long.C:
			return page, nil
		default:
			since = page.Next
		}
	}
}

// only returns a page without what is of other programs. Where it ends, and what follows, stays.
func only(c store.Changes, program store.Key) store.Changes {
	var own []store.Count
	for i := range c.Counts {
		if c.Counts[i].Program == program {
			own = append(own, c.Counts[i])
		}
	}
	c.Counts = own
	id, ok := c.Imports[program]
	c.Imports = nil
	if ok {
		c.Imports = map[store.Key]string{program: id}
	}
	return c
}
