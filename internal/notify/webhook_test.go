package notify

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/cx-operator/cx-operator/api/v1alpha1"
)

// certificate is a new one for localhost, and its authority in PEM: itself.
func certificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(time.Hour), DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// receiver is an HTTPS server, and a sender that may reach it by its address and trusts it.
func receiver(t *testing.T, h http.HandlerFunc) (*httptest.Server, *Sender) {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, senderOf(t, server, "127.0.0.0/8")
}

func senderOf(t *testing.T, server *httptest.Server, allowed ...string) *Sender {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return NewSender(Options{Guard: guardOf(t, allowed...), Clock: time.Now, Roots: roots, Timeout: 2 * time.Second})
}

func secretsOf(values map[string]string) Secrets {
	return func(_ context.Context, ref v1alpha1.SecretKeyRef) (string, error) {
		if v, ok := values[ref.Name+"/"+ref.Key]; ok {
			return v, nil
		}
		return "", errors.New("there is no Secret " + ref.Name)
	}
}

func newSecret() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

func hook(url string) v1alpha1.NotifyChannel {
	return v1alpha1.NotifyChannel{Name: "hook", Webhook: &v1alpha1.WebhookChannel{URL: url}}
}

// The library of the scheme verifies what arrives, by the old secret and by the new one.
func TestWebhook(t *testing.T) {
	old, next, other := newSecret(), newSecret(), newSecret()
	type arrived struct {
		header http.Header
		body   []byte
	}
	got := make(chan arrived, 10)
	server, s := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- arrived{r.Header, body}
	})
	secrets := secretsOf(map[string]string{"hook/secret": next + " " + old, "hook/url": server.URL + "/x?y=z"})
	c := v1alpha1.NotifyChannel{Name: "hook", Webhook: &v1alpha1.WebhookChannel{
		URLSecretRef:     &v1alpha1.SecretKeyRef{Name: "hook", Key: "url"},
		SigningSecretRef: &v1alpha1.SecretKeyRef{Name: "hook", Key: "secret"},
	}}
	m := composed(told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing))
	for range 2 {
		if o := s.Send(t.Context(), c, secrets, m); !o.Delivered {
			t.Fatalf("%+v", o)
		}
		a := <-got
		for secret, want := range map[string]bool{old: true, next: true, other: false} {
			w, err := standardwebhooks.NewWebhook(secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Verify(a.body, a.header); (err == nil) != want {
				t.Errorf("verified: %v, want %v", err, want)
			}
		}
		if a.header.Get("Webhook-Id") != "0123abcd_team_chat" || !strings.HasPrefix(a.header.Get("Content-Type"), "application/cloudevents+json") {
			t.Errorf("%v", a.header)
		}
		e := cloudevents.NewEvent()
		if err := json.Unmarshal(a.body, &e); err != nil || e.Validate() != nil || e.ID() != a.header.Get("Webhook-Id") {
			t.Errorf("%v %v", err, e)
		}
	}
	unsigned := hook(server.URL)
	if o := s.Send(t.Context(), unsigned, secrets, m); !o.Delivered {
		t.Fatalf("%+v", o)
	}
	if a := <-got; a.header.Get("Webhook-Signature") != "" || a.header.Get("Webhook-Id") == "" {
		t.Errorf("%v", a.header)
	}
}

func TestSlack(t *testing.T) {
	got := make(chan []byte, 1)
	server, s := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- body
	})
	l := told(v1alpha1.NoticeBreach, v1alpha1.NoticeOpened, v1alpha1.BreachPlanMissing)
	l.About.DisplayName = "<!channel> & <https://evil.example|click>"
	c := v1alpha1.NotifyChannel{Name: "chat", Slack: &v1alpha1.SlackChannel{URLSecretRef: v1alpha1.SecretKeyRef{Name: "chat", Key: "url"}}}
	if o := s.Send(t.Context(), c, secretsOf(map[string]string{"chat/url": server.URL}), composed(l)); !o.Delivered {
		t.Fatalf("%+v", o)
	}
	var body struct {
		Text   string
		Mrkdwn bool
	}
	if err := json.Unmarshal(<-got, &body); err != nil || body.Mrkdwn || !strings.Contains(body.Text, "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;") {
		t.Errorf("%v %+v", err, body)
	}
}

func TestAnswers(t *testing.T) {
	tests := map[string]struct {
		code       int
		retryAfter string
		want       Outcome
	}{
		"200":                    {200, "", Outcome{Delivered: true}},
		"202":                    {202, "", Outcome{Delivered: true}},
		"301":                    {301, "", Outcome{Refused: true}},
		"400":                    {400, "", Outcome{Refused: true}},
		"404":                    {404, "", Outcome{Refused: true}},
		"408":                    {408, "", Outcome{}},
		"410":                    {410, "", Outcome{Gone: true}},
		"425":                    {425, "", Outcome{}},
		"429":                    {429, "", Outcome{}},
		"429 with seconds":       {429, "120", Outcome{RetryAfter: 2 * time.Minute}},
		"429 with a year":        {429, "31536000", Outcome{RetryAfter: 24 * time.Hour}},
		"429 with nonsense":      {429, "-5", Outcome{}},
		"429 with a time gone":   {429, "Wed, 11 Nov 2020 12:00:00 GMT", Outcome{}},
		"503 with a time ahead":  {503, "far", Outcome{RetryAfter: 24 * time.Hour}},
		"500":                    {500, "", Outcome{}},
		"404 with a Retry-After": {404, "60", Outcome{Refused: true}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.retryAfter == "far" {
				tt.retryAfter = time.Now().Add(1000 * time.Hour).UTC().Format(http.TimeFormat)
			}
			server, s := receiver(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", tt.retryAfter)
				w.WriteHeader(tt.code)
				_, _ = io.WriteString(w, "secret of the receiver")
			})
			o := s.Send(t.Context(), hook(server.URL), nil, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, "")))
			if !o.Delivered && (!strings.Contains(o.Problem, name[:3]) || strings.Contains(o.Problem, "secret")) {
				t.Errorf("problem %q", o.Problem)
			}
			o.Problem = ""
			if o != tt.want {
				t.Errorf("%+v, want %+v", o, tt.want)
			}
		})
	}
}

// A redirect leads nowhere: neither to the metadata of a cloud nor to another receiver.
func TestRedirect(t *testing.T) {
	var visits atomic.Int32
	second, _ := receiver(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", second.URL} {
		server, s := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
		o := s.Send(t.Context(), hook(server.URL), nil, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, "")))
		if o.Delivered || !o.Refused || visits.Load() > 0 || strings.Contains(o.Problem, "169.254") {
			t.Errorf("%+v, %d visits", o, visits.Load())
		}
	}
}

// A name that resolves to the machine itself is refused, and so is every internal address; the receiver sees nothing.
func TestInternalTargets(t *testing.T) {
	var visits atomic.Int32
	server, _ := receiver(t, func(http.ResponseWriter, *http.Request) { visits.Add(1) })
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	s := senderOf(t, server)
	for _, host := range []string{"localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0", "169.254.169.254"} {
		o := s.Send(t.Context(), hook("https://"+host+":"+port), nil, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, "")))
		if o.Delivered || strings.Contains(o.Problem, "127.") || strings.Contains(o.Problem, host+":") {
			t.Errorf("%s: %+v", host, o)
		}
	}
	if o := s.Send(t.Context(), hook("http://example.com"), nil, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, ""))); !o.Refused || !strings.Contains(o.Problem, "use https") {
		t.Errorf("http: %+v", o)
	}
	if visits.Load() > 0 {
		t.Errorf("%d visits", visits.Load())
	}
}

// A receiver that hangs, or answers without an end, holds nobody up.
func TestHangs(t *testing.T) {
	release := make(chan struct{})
	server, s := receiver(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	s.timeout = 200 * time.Millisecond
	begun := time.Now()
	if o := s.Send(t.Context(), hook(server.URL), nil, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, ""))); o.Delivered || o.Refused || !strings.Contains(o.Problem, "in time") {
		t.Errorf("%+v", o)
	}
	endless, s2 := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	if o := s2.Send(t.Context(), hook(endless.URL), nil, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, ""))); !o.Delivered {
		t.Errorf("an endless answer: %+v", o)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// What is wrong with a channel is told without what is in its Secrets; it can be mended, so the message waits.
func TestChannelProblems(t *testing.T) {
	server, s := receiver(t, func(http.ResponseWriter, *http.Request) {})
	ref := func(key string) *v1alpha1.SecretKeyRef { return &v1alpha1.SecretKeyRef{Name: "s", Key: key} }
	short := "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23))
	secrets := secretsOf(map[string]string{
		"s/notAURL": "hunter2", "s/noPrefix": strings.TrimPrefix(newSecret(), "whsec_"), "s/short": short,
		"s/many": strings.Repeat(newSecret()+" ", 6), "s/blank": " ", "s/notBase64": "whsec_hunter2!",
	})
	for name, tt := range map[string]struct {
		w       v1alpha1.WebhookChannel
		problem string
	}{
		"no Secret of the address": {v1alpha1.WebhookChannel{URLSecretRef: ref("none")}, "no Secret"},
		"no address":               {v1alpha1.WebhookChannel{URLSecretRef: ref("notAURL")}, "address of the channel"},
		"no Secret to sign by":     {v1alpha1.WebhookChannel{URL: server.URL, SigningSecretRef: ref("none")}, "no Secret"},
		"no prefix":                {v1alpha1.WebhookChannel{URL: server.URL, SigningSecretRef: ref("noPrefix")}, "whsec_"},
		"too short":                {v1alpha1.WebhookChannel{URL: server.URL, SigningSecretRef: ref("short")}, "24 to 64"},
		"too many":                 {v1alpha1.WebhookChannel{URL: server.URL, SigningSecretRef: ref("many")}, "1 to 5"},
		"blank":                    {v1alpha1.WebhookChannel{URL: server.URL, SigningSecretRef: ref("blank")}, "1 to 5"},
		"no base64":                {v1alpha1.WebhookChannel{URL: server.URL, SigningSecretRef: ref("notBase64")}, "base64"},
	} {
		c := v1alpha1.NotifyChannel{Name: "hook", Webhook: &tt.w}
		o := s.Send(t.Context(), c, secrets, composed(told(v1alpha1.NoticeReview, v1alpha1.NoticeOpened, "")))
		if o.Delivered || o.Refused || o.Gone || !strings.Contains(o.Problem, tt.problem) || strings.Contains(o.Problem, "hunter2") {
			t.Errorf("%s: %+v", name, o)
		}
	}
	if o := s.Send(t.Context(), v1alpha1.NotifyChannel{Name: "x"}, secrets, Message{}); !o.Refused {
		t.Errorf("%+v", o)
	}
	stranger := NewSender(Options{Guard: guardOf(t, "127.0.0.1"), Clock: time.Now, Roots: x509.NewCertPool()})
	if o := stranger.Send(t.Context(), hook(server.URL), nil, Message{}); o.Delivered || !strings.Contains(o.Problem, "certificate") {
		t.Errorf("%+v", o)
	}
}
