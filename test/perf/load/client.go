package load

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// ending is how a request ended.
type ending int

const (
	accepted ending = iota
	repeated
	shed
	refused
	timedOut
	broken
)

// client sends one request after another on a connection that it keeps. net/http's own client hands each request through
// three goroutines, which would cost as much as the server does: this one writes and reads by itself.
type client struct {
	kind    Kind
	target  string
	path    string
	timeout time.Duration
	answers *Answers

	conn       net.Conn
	in         *bufio.Reader
	body, head []byte
}

// answered is what a request got.
type answered struct {
	ending ending
	// retryAfter is what a 503 says, negative where it does not.
	retryAfter time.Duration
	// why it was neither accepted nor shed.
	why error
}

func newClient(p Plan, i int) *client {
	return &client{
		kind: p.Kind, target: p.Targets[i%len(p.Targets)], path: ResponsesPath(p.Survey), timeout: p.Timeout,
		answers: NewAnswers(p.Survey, p.Sign, NewSeed()),
	}
}

// prepare makes the next request.
func (c *client) prepare(now time.Time) {
	mediaType, accept, path := "application/json", "application/json", c.path
	if c.kind == Form {
		mediaType, accept = "application/x-www-form-urlencoded", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
		c.body, path = c.answers.AppendForm(c.body[:0], now)
	} else {
		c.body = c.answers.AppendJSON(c.body[:0])
	}
	c.head = fmt.Appendf(c.head[:0], "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: cx-operator-load\r\nAccept: %s\r\nAccept-Language: en\r\n"+
		"Content-Type: %s\r\nContent-Length: %d\r\n\r\n", path, c.target, accept, mediaType, len(c.body))
	c.head = append(c.head, c.body...)
}

// send sends the request that was prepared and waits for the answer.
func (c *client) send(ctx context.Context) answered {
	a, err := c.exchange(ctx)
	if err == nil {
		return a
	}
	c.close()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return answered{ending: timedOut, why: err}
	}
	return answered{ending: broken, why: err}
}

func (c *client) exchange(ctx context.Context) (answered, error) {
	if c.conn == nil {
		conn, err := (&net.Dialer{Timeout: c.timeout}).DialContext(ctx, "tcp", c.target)
		if err != nil {
			return answered{}, err
		}
		c.conn, c.in = conn, bufio.NewReaderSize(conn, 2<<10)
	}
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return answered{}, err
	}
	if _, err := c.conn.Write(c.head); err != nil {
		return answered{}, err
	}
	response, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return answered{}, err
	}
	a, err := judge(response)
	if response.Close {
		c.close()
	}
	return a, err
}

// judge reads a response to its end.
func judge(r *http.Response) (answered, error) {
	defer r.Body.Close()
	a := answered{ending: accepted}
	switch r.StatusCode {
	case http.StatusCreated, http.StatusSeeOther:
	case http.StatusServiceUnavailable:
		a.ending, a.retryAfter = shed, retryAfter(r.Header)
	default:
		text, err := io.ReadAll(io.LimitReader(r.Body, 300))
		if err != nil {
			return a, err
		}
		a.ending, a.why = refused, fmt.Errorf("%s: %s", r.Status, text)
		if r.StatusCode == http.StatusOK {
			a.ending = repeated
		}
	}
	_, err := io.Copy(io.Discard, r.Body)
	return a, err
}

func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 16)
	if err != nil {
		return -1
	}
	return time.Duration(seconds) * time.Second
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}
