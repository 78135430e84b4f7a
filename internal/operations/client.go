package operations

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
)

const (
	// callTimeout bounds a call that does not wait, pollTimeout one that does.
	callTimeout = 25 * time.Second
	pollTimeout = MaxWait + readTimeout
	// pollPause is after a wait that failed.
	pollPause = time.Second
)

// errNoToken says that there is nothing to show at the door.
var errNoToken = errors.New("the program has no token for its endpoint yet")

// ClientOptions of a Client. All are required.
type ClientOptions struct {
	// Program that the endpoint serves.
	Program store.Key
	// Address of the operations port: https://host:port.
	Address string
	// Token returns the program's token "internal" as it is now.
	Token func() string
	// Transport makes the connections: see NewTransport.
	Transport http.RoundTripper
}

// Client reads the feed of one program's endpoint. It is a store.Feed whose Updated fires while Run runs, after each wait:
// when something changed, when the longest wait is over, and when a wait failed. What a wait has brought, the next Changes
// returns, so that an idle program costs one call in MaxWait.
//
// Changes is for one reader at a time. Its errors have texts that stay the same while the cause does.
type Client struct {
	options ClientOptions
	http    *http.Client

	mu sync.Mutex
	// at is where the reader is, if resting: at the end of the feed, with nothing brought that it did not take.
	at      store.Cursor
	resting bool
	brought *store.Changes // since at
	updated chan struct{}
	moved   chan struct{} // has an element when Run has to look again
}

var _ store.Feed = (*Client)(nil)

// NewClient returns a client that has asked for nothing yet.
func NewClient(o ClientOptions) *Client {
	return &Client{
		options: o, updated: make(chan struct{}), moved: make(chan struct{}, 1),
		http: &http.Client{
			Transport: o.Transport,
			// The token is for this address alone.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Updated implements store.Feed.
func (c *Client) Updated() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.updated
}

// Changes implements store.Feed.
func (c *Client) Changes(ctx context.Context, since store.Cursor, limit int) (store.Changes, error) {
	page, ok := c.take(since)
	if !ok {
		var err error
		if page, err = c.fetch(ctx, since, min(limit, maxPage), 0); err != nil {
			return store.Changes{}, err
		}
	}
	if !page.More {
		c.rest(page.Next)
	}
	return page, nil
}

// take returns what a wait has brought. Until the reader rests again, nothing is waited for.
func (c *Client) take(since store.Cursor) (store.Changes, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	brought, fits := c.brought, c.resting && c.at == since
	c.resting, c.brought = false, nil
	if brought == nil || !fits {
		return store.Changes{}, false
	}
	return *brought, true
}

// rest notes that the reader has come to the end of the feed.
func (c *Client) rest(at store.Cursor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.resting, c.brought = at, true, nil
	select {
	case c.moved <- struct{}{}:
	default:
	}
}

// Run waits for what is new until the context ends, so that Updated fires. It asks for nothing while the reader is not at the
// end of the feed.
func (c *Client) Run(ctx context.Context) {
	for {
		since, ok := c.next(ctx)
		if !ok {
			return
		}
		page, err := c.fetch(ctx, since, maxPage, MaxWait)
		if ctx.Err() != nil {
			return
		}
		c.bring(since, page, err)
		if err == nil {
			continue
		}
		// Where the reader can read all the same, waits may be cut off on the way: not too many of them.
		pause := time.NewTimer(pollPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
		}
		pause.Stop()
	}
}

// next returns where to wait from, once the reader rests there; false when the context ends.
func (c *Client) next(ctx context.Context) (store.Cursor, bool) {
	for {
		c.mu.Lock()
		at, wanted := c.at, c.resting && c.brought == nil
		c.mu.Unlock()
		if wanted {
			return at, ctx.Err() == nil
		}
		select {
		case <-c.moved:
		case <-ctx.Done():
			return store.Cursor{}, false
		}
	}
}

// bring leaves what a wait has brought for the reader, and wakes it. After an error the reader has to see for itself.
func (c *Client) bring(since store.Cursor, page store.Changes, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.resting && c.at == since {
		if err == nil {
			c.brought = &page
		} else {
			c.resting = false
		}
	}
	close(c.updated)
	c.updated = make(chan struct{})
}

// Info returns what the endpoint says of its store.
func (c *Client) Info(ctx context.Context) (store.Info, error) {
	body, err := c.call(ctx, pathStore, callTimeout, maxAnything)
	if err != nil {
		return store.Info{}, err
	}
	return decodeInfo(body)
}

func (c *Client) fetch(ctx context.Context, since store.Cursor, limit int, wait time.Duration) (store.Changes, error) {
	q := url.Values{
		"epoch": {since.Epoch}, "seq": {strconv.FormatInt(since.Seq, 10)}, "limit": {strconv.Itoa(max(1, limit))},
		"wait": {strconv.Itoa(int(wait / time.Second))},
	}
	timeout := callTimeout
	if wait > 0 {
		timeout = pollTimeout
	}
	body, err := c.call(ctx, pathChanges+"?"+q.Encode(), timeout, maxChanges)
	if err != nil {
		return store.Changes{}, err
	}
	return decodeChanges(c.options.Program, body)
}

// call returns the body of a successful answer.
func (c *Client) call(ctx context.Context, path string, timeout time.Duration, most int64) ([]byte, error) {
	return c.send(ctx, sending{method: http.MethodGet, path: path, timeout: timeout, most: most})
}

// sending is a call: its body is JSON, nil for none, and its answer may have most bytes.
type sending struct {
	method, path string
	body         []byte
	timeout      time.Duration
	most         int64
}

// send returns the body of a successful answer.
func (c *Client) send(ctx context.Context, s sending) ([]byte, error) {
	token := c.options.Token()
	if token == "" {
		return nil, errNoToken
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, s.method, c.options.Address+s.path, bytes.NewReader(s.body))
	if err != nil {
		return nil, unreachable(err)
	}
	if s.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, unreachable(err)
	}
	defer answer.Body.Close()
	most := s.most
	if answer.StatusCode != http.StatusOK {
		most = maxAnything
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	switch {
	case err != nil:
		return nil, unreachable(err)
	case int64(len(body)) > most:
		return nil, errors.New("the endpoint's answer is too large")
	case answer.StatusCode != http.StatusOK:
		mediaType, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")) // one that cannot be read is another one
		return nil, readProblem(answer.StatusCode, mediaType, body)
	}
	return body, nil
}
