package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// errForbidden means that the guard lets nothing be sent to an address. The text names no address, so that a status never
// tells what a name resolves to.
var errForbidden = errors.New("the address is internal, or not public: --notify-allow-targets can allow it")

// wireServer is Azure's metadata address, the only one of its kind among public addresses.
var wireServer = netip.MustParsePrefix("168.63.129.16/32")

// Guard keeps messages from internal targets: loopback, link-local, private and shared addresses, cloud metadata, and what
// else is not public by IANA's registries. It looks at the address that is dialled, after the name was resolved, so that a
// name that resolves anew is looked at anew.
type Guard struct {
	hosts    map[string]bool
	prefixes []netip.Prefix
	public   *ssrf.Guardian
	timeout  time.Duration
}

// NewGuard returns a guard that lets pass what is allowed besides: CIDRs, addresses, or host names without a port.
func NewGuard(allowed []string) (*Guard, error) {
	g := &Guard{hosts: map[string]bool{}, timeout: 5 * time.Second}
	var v4, v6 []netip.Prefix
	for _, a := range allowed {
		prefix, host, err := parseTarget(a)
		switch {
		case err != nil:
			return nil, err
		case host != "":
			g.hosts[host] = true
			continue
		case prefix.Addr().Is4():
			v4 = append(v4, prefix)
		default:
			v6 = append(v6, prefix)
		}
		g.prefixes = append(g.prefixes, prefix)
	}
	g.public = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...),
		ssrf.WithDeniedV4Prefixes(wireServer))
	return g, nil
}

func parseTarget(s string) (netip.Prefix, string, error) {
	s = strings.TrimSpace(s)
	if prefix, err := netip.ParsePrefix(s); err == nil && !prefix.Addr().Is4In6() {
		return prefix.Masked(), "", nil
	}
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), "", nil
	}
	host := canonical(s)
	if host == "" || len(host) > 253 || strings.ContainsAny(host, "/:@*?#[]% \t\r\n") {
		return netip.Prefix{}, "", fmt.Errorf("%q is no CIDR, address or host name, such as 10.1.0.0/16 or hooks.example.internal", s)
	}
	return netip.Prefix{}, host, nil
}

// canonical is a host name as names are compared.
func canonical(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// Allows says whether a host, a name or an address, was allowed by its name.
func (g *Guard) Allows(host string) bool {
	if g.hosts[canonical(host)] {
		return true
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range g.prefixes {
		if p.Contains(addr.Unmap()) {
			return true
		}
	}
	return false
}

// Check says whether anything may be sent to an address: https to any host, http only to what was allowed by its name, since
// nobody else is to read along. Where the name leads, DialContext looks at.
func (g *Guard) Check(u *url.URL) error {
	if u.Scheme != "https" && !g.Allows(u.Hostname()) {
		return errors.New("http without TLS is for hosts that --notify-allow-targets names: use https")
	}
	return nil
}

// DialContext connects to an address unless it is internal. An error that is errForbidden says so.
func (g *Guard) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	d := net.Dialer{Timeout: g.timeout}
	if !g.hosts[canonical(host)] {
		d.Control = g.control
	}
	return d.DialContext(ctx, network, address) //nolint:wrapcheck // the transport wraps it
}

// control is called with each address that a name resolved to, before it is connected to.
func (g *Guard) control(network, address string, c syscall.RawConn) error {
	if err := g.public.Safe(network, address, c); err != nil {
		return errForbidden
	}
	return nil
}
