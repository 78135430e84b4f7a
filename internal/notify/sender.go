package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// Options are what a Sender is made of.
type Options struct {
	// Guard of addresses; it must be set.
	Guard *Guard
	// SMTP server; the zero value is none.
	SMTP SMTP
	// Clock tells the time for signatures and dates; it must be set.
	Clock func() time.Time
	// Timeout of one attempt; 0 is 10 seconds.
	Timeout time.Duration
	// Roots are the authorities that receivers' certificates are verified by; nil is the system's.
	Roots *x509.CertPool
}

// Sender sends messages by the channels of teams. It is safe for concurrent use.
type Sender struct {
	guard   *Guard
	smtp    SMTP
	clock   func() time.Time
	timeout time.Duration
	http    *http.Client
}

// NewSender returns a sender.
func NewSender(o Options) *Sender {
	transport := newTransport(o.Guard)
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.Roots}
	s := &Sender{guard: o.Guard, smtp: o.SMTP, clock: o.Clock, timeout: o.Timeout}
	if s.timeout <= 0 {
		s.timeout = timeout
	}
	s.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// Secrets reads a key of a Secret in the namespace of a team. Its errors hold nothing of what is in it.
type Secrets func(ctx context.Context, ref v1alpha1.SecretKeyRef) (string, error)

// Send sends a message by a channel, once, and says what became of it. What it needs of Secrets is read now.
func (s *Sender) Send(ctx context.Context, c v1alpha1.NotifyChannel, secrets Secrets, m Message) Outcome {
	switch {
	case c.Webhook != nil:
		return s.webhook(ctx, c.Webhook, secrets, m)
	case c.Slack != nil:
		return s.slack(ctx, c.Slack, secrets, m)
	case c.Email != nil:
		return s.mail(ctx, m, c.Email.To)
	}
	return Outcome{Refused: true, Problem: "the channel names no way to send"}
}

func (s *Sender) webhook(ctx context.Context, w *v1alpha1.WebhookChannel, secrets Secrets, m Message) Outcome {
	address := w.URL
	if w.URLSecretRef != nil {
		secret, err := secrets(ctx, *w.URLSecretRef)
		if err != nil {
			return Outcome{Problem: err.Error()}
		}
		address = secret
	}
	u, err := parseURL(address)
	if err != nil {
		return Outcome{Problem: "the address of the channel " + err.Error()}
	}
	body, err := m.Event()
	if err != nil {
		return Outcome{Refused: true, Problem: "the message cannot be written"}
	}
	signed, err := signing(ctx, w, secrets)
	if err != nil {
		return Outcome{Problem: err.Error()}
	}
	header := http.Header{}
	if err := sign(header, m.ID, s.clock(), body, signed); err != nil {
		return Outcome{Problem: "the message cannot be signed"}
	}
	return s.post(ctx, u, "application/cloudevents+json; charset=utf-8", body, header)
}

// signing reads the signing secrets; there are none where the channel names none.
func signing(ctx context.Context, w *v1alpha1.WebhookChannel, secrets Secrets) ([]*standardwebhooks.Webhook, error) {
	if w.SigningSecretRef == nil {
		return nil, nil
	}
	secret, err := secrets(ctx, *w.SigningSecretRef)
	if err != nil {
		return nil, err
	}
	return signers(secret)
}

func (s *Sender) slack(ctx context.Context, c *v1alpha1.SlackChannel, secrets Secrets, m Message) Outcome {
	address, err := secrets(ctx, c.URLSecretRef)
	if err != nil {
		return Outcome{Problem: err.Error()}
	}
	u, err := parseURL(address)
	if err != nil {
		return Outcome{Problem: "the address of the channel " + err.Error()}
	}
	body, err := m.Slack()
	if err != nil {
		return Outcome{Refused: true, Problem: "the message cannot be written"}
	}
	return s.post(ctx, u, "application/json; charset=utf-8", body, nil)
}
