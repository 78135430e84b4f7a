//go:build linux && e2e

package accountability

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cx-operator/cx-operator/hack/node"
)

// receiver is a team's own server for messages, outside of the cluster.
type receiver struct {
	url, secret string

	mu       sync.Mutex
	messages []message
	faults   []string
	held     chan message // not nil: what gets the next message about a case, which is then left without an answer
}

// message is what the receiver looks at.
type message struct {
	id    string // the header webhook-id
	event struct {
		ID   string `json:"id"`
		Data struct {
			item
			Notices []item `json:"notices"` // of a digest
		} `json:"data"`
	}
}

// item is one thing that a message tells.
type item struct {
	Class      string `json:"class"`
	Transition string `json:"transition"`
	Breach     string `json:"breach"`
	Namespace  string `json:"namespace"`
	Touchpoint string `json:"touchpoint"`
	Case       string `json:"case"`
}

// items are what a message tells: one thing, or those of a digest.
func (m message) items() []item {
	if len(m.event.Data.Notices) > 0 {
		return m.event.Data.Notices
	}
	return []item{m.event.Data.item}
}

// tells says whether a message tells a thing.
func (m message) tells(of func(item) bool) bool { return slices.ContainsFunc(m.items(), of) }

func ofCases(i item) bool { return i.Class == "Case" }

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", net.JoinHostPort(node.HostAddress, "0"))
	if err != nil {
		t.Fatal(err)
	}
	r := &receiver{url: "http://" + listener.Addr().String() + "/hook", secret: "whsec_" + base64.StdEncoding.EncodeToString(key)}
	server := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with the test
	t.Cleanup(func() { _ = server.Close() })
	return r
}

// ServeHTTP takes a message, as anybody would who has read how to verify one.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(io.LimitReader(request.Body, 1<<20))
	m := message{id: request.Header.Get("webhook-id")}
	if err == nil {
		err = r.verify(request.Header, body)
	}
	if err == nil {
		err = json.Unmarshal(body, &m.event)
	}
	if err == nil && m.event.ID != m.id {
		err = fmt.Errorf("the event is %s, the message %s", m.event.ID, m.id)
	}
	if strings.Contains(string(body), "example.org") {
		err = fmt.Errorf("a message has a guest's address: %s", body)
	}
	held := r.take(m, err)
	switch {
	case err != nil:
		w.WriteHeader(http.StatusBadRequest)
	case held != nil:
		held <- m
		<-request.Context().Done() // the sender is gone
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// take notes a message, and returns who waits for it.
func (r *receiver) take(m message, err error) (held chan message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.faults = append(r.faults, err.Error())
		return nil
	}
	r.messages = append(r.messages, m)
	if m.tells(ofCases) {
		held, r.held = r.held, nil
	}
	return held
}

// verify is the scheme of Standard Webhooks by hand, as docs/notifications.md tells it.
func (r *receiver) verify(h http.Header, body []byte) error {
	at, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return fmt.Errorf("webhook-timestamp: %w", err)
	}
	if age := time.Since(time.Unix(at, 0)); age.Abs() > 5*time.Minute {
		return fmt.Errorf("the message is %s old", age)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(r.secret, "whsec_"))
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", h.Get("webhook-id"), at, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if !slices.ContainsFunc(strings.Fields(h.Get("webhook-signature")), func(s string) bool { return hmac.Equal([]byte(s), []byte(want)) }) {
		return fmt.Errorf("none of the signatures %q is that of the message", h.Get("webhook-signature"))
	}
	return nil
}

// hold leaves the next message about a case without an answer, and returns what gets it.
func (r *receiver) hold() <-chan message {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = make(chan message, 1)
	return r.held
}

// ids returns those of all messages that tell a thing, as often as they arrived.
func (r *receiver) ids(of func(item) bool) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var ids []string
	for _, m := range r.messages {
		if m.tells(of) {
			ids = append(ids, m.id)
		}
	}
	return ids
}

// arrivals counts how often each message arrived, by its id, and lists what was wrong with any.
func (r *receiver) arrivals() (counts map[string]int, faults []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts = map[string]int{}
	for _, m := range r.messages {
		counts[m.id]++
	}
	return counts, slices.Clone(r.faults)
}
