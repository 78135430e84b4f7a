package notify

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/cx-operator/cx-operator/internal/version"
)

const (
	// timeout of one attempt, from the name to the last byte that is read.
	timeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes. Nothing of it is kept.
	maxAnswer = 4 << 10
	// maxSecrets is how many signing secrets one channel may have at once.
	maxSecrets = 5
)

// event is a CloudEvent 1.0 in the structured JSON form.
type event struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject,omitempty"`
	Time        time.Time `json:"time"`
	ContentType string    `json:"datacontenttype"`
	Data        Data      `json:"data"`
}

// Event returns the message as a CloudEvent 1.0 in the structured JSON form.
func (m Message) Event() ([]byte, error) {
	body, err := json.Marshal(event{
		SpecVersion: "1.0", ID: m.ID, Source: m.Source, Type: m.Type, Subject: m.Subject, Time: m.Time,
		ContentType: "application/json", Data: m.Data,
	})
	if err != nil {
		return nil, fmt.Errorf("write event: %w", err)
	}
	return body, nil
}

// slackEscapes is what Slack reads as markup in plain text.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// Slack returns the message as an incoming webhook takes it: plain text without markup, mentions or previews.
func (m Message) Slack() ([]byte, error) {
	body, err := json.Marshal(map[string]any{
		"text": slackEscapes.Replace(m.Text()), "mrkdwn": false, "unfurl_links": false, "unfurl_media": false,
	})
	if err != nil {
		return nil, fmt.Errorf("write text: %w", err)
	}
	return body, nil
}

// signers reads the signing secrets of a channel: one, or several with blanks between, of which each signs. The first may be
// the new one and the second that which receivers still know.
func signers(secret string) ([]*standardwebhooks.Webhook, error) {
	secrets := strings.Fields(secret)
	if len(secrets) == 0 || len(secrets) > maxSecrets {
		return nil, fmt.Errorf("the signing secret must hold 1 to %d secrets, with blanks between", maxSecrets)
	}
	var all []*standardwebhooks.Webhook
	for _, s := range secrets {
		encoded, ok := strings.CutPrefix(s, "whsec_")
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 {
			return nil, errors.New("a signing secret must be whsec_ and 24 to 64 bytes in base64")
		}
		w, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return nil, errors.New("a signing secret cannot be used")
		}
		all = append(all, w)
	}
	return all, nil
}

// sign sets the headers of the Standard Webhooks scheme.
func sign(h http.Header, id string, at time.Time, body []byte, by []*standardwebhooks.Webhook) error {
	var signatures []string
	for _, w := range by {
		s, err := w.Sign(id, at, body)
		if err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		signatures = append(signatures, s)
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	if len(signatures) > 0 {
		h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	}
	return nil
}

// newTransport returns a transport that only goes where the guard lets it. It uses no proxy: the guard would look at the
// proxy's address instead of the target's.
func newTransport(g *Guard) *http.Transport {
	return &http.Transport{
		DialContext: g.DialContext, TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: timeout,
		MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 1, MaxIdleConns: 20, IdleConnTimeout: 30 * time.Second,
		DisableCompression: true, ForceAttemptHTTP2: true,
	}
}

// post sends a body and says what became of it. A redirect is refused: who may be told is what the channel says.
func (s *Sender) post(ctx context.Context, u *url.URL, contentType string, body []byte, header http.Header) Outcome {
	if err := s.guard.Check(u); err != nil {
		return Outcome{Refused: true, Problem: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return Outcome{Refused: true, Problem: "the address cannot be used"}
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "cx-operator/"+version.Version)
	resp, err := s.http.Do(req)
	if err != nil {
		return failed(err)
	}
	defer func() { _ = resp.Body.Close() }() // what is read of it does not matter
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
	return answered(resp, s.clock())
}

// failed is the outcome of a request without an answer. Go's errors name addresses, so only their kind is told.
func failed(err error) Outcome {
	var timed interface{ Timeout() bool }
	switch {
	case errors.Is(err, errForbidden):
		return Outcome{Refused: true, Problem: errForbidden.Error()}
	case errors.As(err, &timed) && timed.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return Outcome{Problem: "the receiver did not answer in time"}
	case isCertificate(err):
		return Outcome{Problem: "the receiver's certificate is not valid for its name, or of no known authority"}
	}
	return Outcome{Problem: "the receiver cannot be reached"}
}

// answered reads the status of an answer.
func answered(resp *http.Response, now time.Time) Outcome {
	code := resp.StatusCode
	o := Outcome{Problem: fmt.Sprintf("the receiver answered %d %s", code, http.StatusText(code))}
	switch {
	case code >= 200 && code < 300:
		return Delivered
	case code == http.StatusGone:
		o.Gone = true
	case code >= 300 && code < 400:
		o.Refused, o.Problem = true, o.Problem+": redirects are not followed"
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		o.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	case code >= 400:
		o.Refused = true
	}
	return o
}

// retryAfter reads how long a receiver asks to wait: seconds, or a time. What cannot be read is no wish.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
