package notify

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"testing"
	"time"
)

func guardOf(t testing.TB, allowed ...string) *Guard {
	t.Helper()
	g, err := NewGuard(allowed)
	if err != nil {
		t.Fatal(err)
	}
	g.timeout = time.Second
	return g
}

// internal are addresses that messages must never reach.
var internal = []string{
	"127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
	"100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.1", "255.255.255.255", "198.18.0.1",
	"::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
	"64:ff9b::7f00:1", "2002:7f00:1::", "2001::1",
}

func TestGuard(t *testing.T) {
	g := guardOf(t)
	for _, a := range internal {
		if err := g.control("tcp", net.JoinHostPort(a, "443"), nil); !errors.Is(err, errForbidden) {
			t.Errorf("%s passes: %v", a, err)
		}
		if _, err := g.DialContext(t.Context(), "tcp", net.JoinHostPort(a, "9")); err == nil {
			t.Errorf("%s was dialled", a)
		}
	}
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "172.32.0.1", "100.128.0.1"} {
		network := "tcp4"
		if netip.MustParseAddr(a).Is6() {
			network = "tcp6"
		}
		if err := g.control(network, net.JoinHostPort(a, "8443"), nil); err != nil {
			t.Errorf("%s does not pass: %v", a, err)
		}
	}
}

// A name is looked at by what it resolves to when it is dialled.
func TestGuardResolves(t *testing.T) {
	l := listen(t)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for target, allowed := range map[string][]string{
		"localhost": nil, "LOCALHOST": nil, "127.0.0.1": {"localhost"}, "127.1.0.1": {"127.0.0.0/16"},
	} {
		if c, err := guardOf(t, allowed...).DialContext(t.Context(), "tcp", net.JoinHostPort(target, port)); !errors.Is(err, errForbidden) {
			t.Errorf("%s, %v: %v %v", target, allowed, c, err)
		}
	}
	for target, allowed := range map[string][]string{
		"localhost": {"localhost"}, "LOCALHOST": {"localhost."}, "127.0.0.1": {"127.0.0.0/8"},
	} {
		c, err := guardOf(t, allowed...).DialContext(t.Context(), "tcp4", net.JoinHostPort(target, port))
		if err != nil {
			t.Errorf("%s, %v: %v", target, allowed, err)
			continue
		}
		_ = c.Close()
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestGuardTargets(t *testing.T) {
	for _, bad := range []string{"", " ", "10.0.0.0/33", "https://hooks.internal", "hooks.internal:8443", "*.internal", "a b", "fe80::1%eth0", "::ffff:10.0.0.0/104"} {
		if _, err := NewGuard([]string{bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	g := guardOf(t, "10.1.0.0/16", "fd00::/8", "192.168.7.7", "hooks.internal")
	for a, want := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "fd12::1": true, "fc12::1": false, "192.168.7.7": true, "192.168.7.8": false,
	} {
		network := "tcp4"
		if netip.MustParseAddr(a).Is6() {
			network = "tcp6"
		}
		if got := g.control(network, net.JoinHostPort(a, "80"), nil) == nil; got != want || g.Allows(a) != want {
			t.Errorf("%s passes: %v, want %v", a, got, want)
		}
	}
	for address, want := range map[string]bool{
		"https://anywhere.example": true, "http://anywhere.example": false, "http://hooks.internal:8080/x": true, "http://10.1.2.3": true,
		"http://10.2.2.3": false, "http://[fd00::1]/": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.Check(u) == nil; got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

// No address that is not public passes, however it is written.
func FuzzGuard(f *testing.F) {
	for _, a := range internal {
		b := netip.MustParseAddr(a).As16()
		f.Add(b[:])
	}
	g := guardOf(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		network := "tcp6"
		if addr.Is4() {
			network = "tcp4"
		}
		if g.control(network, netip.AddrPortFrom(addr, 443).String(), nil) != nil {
			return
		}
		for _, a := range []netip.Addr{addr, addr.Unmap()} {
			if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
				t.Fatalf("%v passes", addr)
			}
		}
		if addr.Is4In6() {
			t.Fatalf("%v passes", addr)
		}
	})
}

func FuzzParseURL(f *testing.F) {
	f.Add("https://hooks.example.com/a?b=c")
	f.Add("https://a:b@127.0.0.1\\@example.com")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURL(s)
		if err != nil {
			return
		}
		if again, err := url.Parse(u.String()); err != nil || again.Hostname() != u.Hostname() || again.User != nil {
			t.Fatalf("%q is read as %v and then as %v, %v", s, u, again, err)
		}
	})
}
