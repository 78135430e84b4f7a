package intake

import (
	"crypto/sha256"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientKey stands for a client while the process lives: a keyed hash of its address, which is neither stored nor logged.
type clientKey [16]byte

// clients tells clients apart.
type clients struct {
	trusted []netip.Prefix
	secret  []byte
}

// key returns the key of the client that sent the request.
func (c clients) key(r *http.Request) clientKey {
	address := network(c.address(r)).As16()
	// The address has always 16 bytes, so that no key and address can stand for another pair.
	var space [64]byte
	sum := sha256.Sum256(append(append(space[:0], c.secret...), address[:]...))
	return clientKey(sum[:len(clientKey{})])
}

// address returns where the request came from: the peer of the connection or, if that is a trusted proxy, the nearest
// address in X-Forwarded-For that no trusted proxy has. Only what trusted proxies wrote is believed.
func (c clients) address(r *http.Request) netip.Addr {
	client := parseHost(r.RemoteAddr)
	if !c.trusts(client) {
		return client
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		addr := parseHost(strings.TrimSpace(hop))
		if !addr.IsValid() {
			return client
		}
		client = addr
		if !c.trusts(client) {
			return client
		}
	}
	return client
}

func (c clients) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(c.trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}

// parseHost reads an address with or without a port; the zero Addr if it is none.
func parseHost(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

// network widens an IPv6 address to its /64, which is what one subscriber gets.
func network(a netip.Addr) netip.Addr {
	if !a.Is6() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}
