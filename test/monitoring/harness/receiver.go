package harness

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Alert is one alert as Alertmanager delivered it.
type Alert struct {
	// Receiver is the name of the receiver of the route that it came by.
	Receiver string `json:"-"`
	// Status is firing or resolved.
	Status              string
	Labels, Annotations map[string]string
	StartsAt, EndsAt    time.Time
}

// Name is the name of its rule.
func (a Alert) Name() string { return a.Labels["alertname"] }

// String tells the alert in one line.
func (a Alert) String() string {
	return fmt.Sprintf("%s %s to %s: %v", a.Status, a.Name(), a.Receiver, a.Labels)
}

// Receiver keeps what Alertmanager tells it, by webhooks to URL/RECEIVER.
type Receiver struct {
	// URL of the receiver.
	URL string

	mu  sync.Mutex
	got []Alert
}

// StartReceiver starts a receiver that ends with the test.
func StartReceiver(t testing.TB) *Receiver {
	t.Helper()
	r := &Receiver{}
	server := httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

func (r *Receiver) take(w http.ResponseWriter, request *http.Request) {
	const most = 1 << 20
	var told struct{ Alerts []Alert }
	if err := json.NewDecoder(http.MaxBytesReader(w, request.Body, most)).Decode(&told); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range told.Alerts {
		a.Receiver = strings.TrimPrefix(request.URL.Path, "/")
		r.got = append(r.got, a)
	}
}

// All returns what was delivered so far, in order.
func (r *Receiver) All() []Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Alert(nil), r.got...)
}

// Await waits for an alert among those that are delivered from the given count on: the first with the status and labels of
// the wanted one and, where it names one, at its receiver.
func (r *Receiver) Await(t testing.TB, from int, limit time.Duration, want Alert) Alert {
	t.Helper()
	var found Alert
	Eventually(t, limit, fmt.Sprintf("delivered: %s", want), func() error {
		all := r.All()
		for _, a := range all[from:] {
			if a.Status == want.Status && (want.Receiver == "" || a.Receiver == want.Receiver) && holds(a.Labels, want.Labels) {
				found = a
				return nil
			}
		}
		return fmt.Errorf("delivered since: %v", all[from:])
	})
	return found
}

func holds(all, some map[string]string) bool {
	for name, value := range some {
		if all[name] != value {
			return false
		}
	}
	return true
}
