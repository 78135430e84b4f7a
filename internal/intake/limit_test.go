package intake

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"
)

func client(n int) clientKey { return clientKey{byte(n), byte(n >> 8), byte(n >> 16)} }

func TestLimiter(t *testing.T) {
	l := newLimiter(60, 3, 10)
	at := now
	allow := func(c int, want bool, wantWait time.Duration) {
		t.Helper()
		wait, ok := l.allow(client(c), at)
		if ok != want || wait != wantWait {
			t.Errorf("client %d at %s: %v, %v; want %v, %v", c, at.Sub(now), ok, wait, want, wantWait)
		}
	}
	for range 3 {
		allow(1, true, 0)
	}
	allow(1, false, time.Second)
	allow(1, false, time.Second) // a refusal costs nothing
	allow(2, true, 0)
	at = at.Add(500 * time.Millisecond)
	allow(1, false, 500*time.Millisecond)
	at = at.Add(500 * time.Millisecond)
	allow(1, true, 0)
	allow(1, false, time.Second)
	at = at.Add(3 * time.Second)
	allow(3, true, 0)
	if len(l.table) != 1 || l.order.Len() != 1 {
		t.Errorf("%d clients are kept whose bucket is full again", len(l.table)-1)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(1, 1, 100)
	for n := range 1000 {
		if _, ok := l.allow(client(n), now); !ok {
			t.Fatalf("client %d was refused", n)
		}
		if len(l.table) > 100 || l.order.Len() != len(l.table) {
			t.Fatalf("%d clients in the table, %d in the order", len(l.table), l.order.Len())
		}
	}
	if _, ok := l.allow(client(999), now); ok {
		t.Error("the last client was forgotten")
	}
	if _, ok := l.allow(client(0), now); !ok {
		t.Error("the first client is still known")
	}
}

func TestLimiterOff(t *testing.T) {
	l := newLimiter(-1, 1, 1)
	for range 1000 {
		if _, ok := l.allow(client(1), now); !ok {
			t.Fatal("refused")
		}
	}
}

func TestLimiterAtOnce(t *testing.T) {
	l := newLimiter(1, 50, 10)
	var mu sync.Mutex
	allowed := 0
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if _, ok := l.allow(client(1), now); ok {
				mu.Lock()
				allowed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if allowed != 50 {
		t.Errorf("%d allowed, want 50", allowed)
	}
}

func TestClientAddress(t *testing.T) {
	c := clients{trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
	for name, test := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"direct":                 {"192.0.2.1:1234", nil, "192.0.2.1"},
		"direct, forged":         {"192.0.2.1:1234", []string{"198.51.100.7"}, "192.0.2.1"},
		"proxy":                  {"10.1.2.3:80", []string{"198.51.100.7"}, "198.51.100.7"},
		"proxy, forged in front": {"10.1.2.3:80", []string{"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
		"two proxies":            {"10.1.2.3:80", []string{"203.0.113.9, 198.51.100.7, 10.9.9.9"}, "198.51.100.7"},
		"two headers":            {"10.1.2.3:80", []string{"203.0.113.9", "198.51.100.7,10.9.9.9"}, "198.51.100.7"},
		"proxies only":           {"10.1.2.3:80", []string{"10.0.0.9, 10.0.0.8"}, "10.0.0.9"},
		"proxy without header":   {"10.1.2.3:80", nil, "10.1.2.3"},
		"rubbish":                {"10.1.2.3:80", []string{"198.51.100.7, unknown"}, "10.1.2.3"},
		"rubbish behind":         {"10.1.2.3:80", []string{"unknown, 10.0.0.8"}, "10.0.0.8"},
		"with ports":             {"[fd00::1]:80", []string{"198.51.100.7:5555"}, "198.51.100.7"},
		"IPv6":                   {"[fd00::1]:80", []string{"[2001:db8::1]:99"}, "2001:db8::1"},
		"IPv6 without port":      {"[fd00::1]:80", []string{"[2001:db8::2]"}, "2001:db8::2"},
		"IPv4 in IPv6":           {"[::ffff:10.1.2.3]:80", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		"zone":                   {"[fe80::1%eth0]:80", nil, "fe80::1"},
		"no peer":                {"@", nil, "invalid IP"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = test.peer
			for _, f := range test.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := c.address(r).String(); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestClientKey(t *testing.T) {
	c := clients{secret: []byte("one")}
	key := func(c clients, peer string) clientKey {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = peer
		return c.key(r)
	}
	a := key(c, "[2001:db8:1:2:3:4:5:6]:1")
	if a != key(c, "[2001:db8:1:2:ffff::1]:2") {
		t.Error("one IPv6 /64 is two clients")
	}
	if a == key(c, "[2001:db8:1:3::1]:2") {
		t.Error("two IPv6 /64 are one client")
	}
	if key(c, "192.0.2.1:1") == key(c, "192.0.2.2:1") {
		t.Error("two IPv4 addresses are one client")
	}
	if key(c, "192.0.2.1:1") == key(clients{secret: []byte("two")}, "192.0.2.1:1") {
		t.Error("the key does not depend on the secret")
	}
}
