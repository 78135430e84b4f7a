// Package remote calls an endpoint's import and export.
package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cx-operator/cx-operator/internal/store"
	"github.com/cx-operator/cx-operator/internal/survey"
)

// maxAnswer bounds the size of an answer other than an export, in bytes: a summary lists at most 1000 lines.
const maxAnswer = 16 << 20

// Client calls one program's endpoint. It follows no redirect, so that a token goes nowhere else.
type Client struct {
	responses string
	token     string
	http      *http.Client
}

// New returns a client of a program. The base is the endpoint's address, with a path if it is served under one; the
// token is the program's import or read token.
func New(base string, program store.Key, token string, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("%q must be http(s)://host[:port][/path]", base)
	}
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token must not be empty, and be printable ASCII without blanks")
	}
	return &Client{
		responses: u.JoinPath("api/v1/namespaces", program.Namespace, "programs", program.Name, "responses").String(),
		token:     token,
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}, nil
}

// Summary is what an import came to. Received = Stored + Repeated + Rejected.
type Summary struct {
	Received int `json:"received"`
	Stored   int `json:"stored"`
	Repeated int `json:"repeated"`
	Rejected int `json:"rejected"`
	// Lines are the first rejected ones, Unlisted how many there are beyond.
	Lines    []Line `json:"lines"`
	Unlisted int    `json:"unlisted"`
}

// Line is a rejected line, counted from 1.
type Line struct {
	Line   int                 `json:"line"`
	Errors []survey.FieldError `json:"errors"`
}

// StatusError is an answer that is not a success.
type StatusError struct {
	Status int
	// Title and Detail say what is wrong, as far as the endpoint says so.
	Title, Detail string
	// RetryAfter is how long to wait before another try; 0 if the endpoint does not say.
	RetryAfter time.Duration
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("the endpoint answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Title != "" {
		text += ": " + e.Title
	}
	if e.Detail != "" {
		text += ". " + e.Detail
	}
	return text
}

// Temporary tells whether another try may succeed, and how long to wait before it at least: after what says so (408, 429
// and 5xx), and where no answer came or one that was cut off.
func Temporary(err error) (wait time.Duration, ok bool) {
	var status *StatusError
	if errors.As(err, &status) {
		again := []int{http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout}
		return status.RetryAfter, slices.Contains(again, status.Status)
	}
	var lost *lostError
	return 0, errors.As(err, &lost)
}

// lostError says that the connection failed.
type lostError struct{ error }

func (e *lostError) Unwrap() error { return e.error }

// Import sends what write writes, submissions a line each, as one import. Where write fails, the import is broken off and
// write's error returned: what was sent before may be stored, and can be sent again.
func (c *Client) Import(ctx context.Context, write func(io.Writer) error) (Summary, error) {
	out, in := io.Pipe()
	written := make(chan error, 1)
	go func() {
		buffered := bufio.NewWriterSize(in, 64<<10)
		err := write(buffered)
		if err == nil {
			err = buffered.Flush()
		}
		_ = in.CloseWithError(err) // it never fails
		written <- err
	}()
	summary, err := c.post(ctx, out)
	_ = out.Close() // lets write end where the endpoint read no more
	if wrote := <-written; wrote != nil && !errors.Is(wrote, io.ErrClosedPipe) {
		return Summary{}, wrote
	}
	return summary, err
}

func (c *Client) post(ctx context.Context, body io.Reader) (Summary, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.responses+":import", body)
	if err != nil {
		return Summary{}, err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := c.do(r)
	if err != nil {
		return Summary{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return Summary{}, &lostError{fmt.Errorf("the endpoint's answer was cut off: %w", err)}
	}
	var s Summary
	if err := json.Unmarshal(text, &s); err != nil {
		return Summary{}, fmt.Errorf("the endpoint's answer is no summary of an import: %w", err)
	}
	return s, nil
}

// do sends a request and returns a success's answer.
func (c *Client) do(r *http.Request) (*http.Response, error) {
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := c.http.Do(r)
	if err != nil {
		if r.Context().Err() != nil {
			return nil, r.Context().Err()
		}
		return nil, &lostError{err}
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	return nil, statusError(answer)
}

func statusError(answer *http.Response) error {
	e := &StatusError{Status: answer.StatusCode}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(min(seconds, 3600)) * time.Second
	}
	if to := answer.Header.Get("Location"); to != "" {
		e.Detail = "It points to " + strconv.Quote(to) + ": give that address, if it is the endpoint."
	}
	mediaType, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/problem+json" {
		return e
	}
	var problem struct {
		Title  string `json:"title"`
		Detail string `json:"detail"`
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err == nil && json.Unmarshal(text, &problem) == nil {
		e.Title, e.Detail = problem.Title, problem.Detail
	}
	return e
}

// Export copies all of a program's responses to w, as csv or ndjson, and returns how many there were. An error says that
// what was copied is not complete.
func (c *Client) Export(ctx context.Context, format string, w io.Writer) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.responses+"?format="+url.QueryEscape(format), nil)
	if err != nil {
		return 0, err
	}
	answer, err := c.do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if !framed(answer) {
		return 0, errors.New("something between here and the endpoint sends the export without its length, so that a part of it cannot be told from all of it; go around that proxy")
	}
	counted := &recordCounter{csv: format == "csv", w: w}
	if _, err := io.Copy(counted, answer.Body); err != nil {
		if counted.failed != nil {
			return 0, counted.failed
		}
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		return 0, &lostError{fmt.Errorf("the export was cut off after %d bytes: %w", counted.bytes, err)}
	}
	return counted.total()
}

// framed tells whether the answer's end is marked: by a length, by chunks, or by HTTP/2.
func framed(answer *http.Response) bool {
	return answer.ProtoMajor >= 2 || answer.ContentLength >= 0 || slices.Contains(answer.TransferEncoding, "chunked")
}

// recordCounter counts the records of an export on their way.
type recordCounter struct {
	csv     bool
	w       io.Writer
	failed  error
	bytes   int64
	records int
	quoted  bool
	last    byte
}

func (c *recordCounter) Write(b []byte) (int, error) {
	if c.csv {
		for _, ch := range b {
			switch {
			case ch == '"':
				c.quoted = !c.quoted
			case ch == '\n' && !c.quoted:
				c.records++
			}
		}
	} else {
		c.records += bytes.Count(b, []byte("\n"))
	}
	if len(b) > 0 {
		c.last = b[len(b)-1]
	}
	n, err := c.w.Write(b)
	c.bytes += int64(n)
	c.failed = err
	return n, err
}

// total returns the number of responses. A CSV has its header besides. Whatever came must end with a line's end.
func (c *recordCounter) total() (int, error) {
	if c.bytes > 0 && (c.last != '\n' || c.quoted) || c.csv && c.records == 0 {
		return 0, &lostError{fmt.Errorf("the export ends within a line after %d bytes: it is not complete", c.bytes)}
	}
	if c.csv {
		return c.records - 1, nil
	}
	return c.records, nil
}
