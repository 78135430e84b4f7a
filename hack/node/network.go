//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Cut has every packet between two addresses vanish, in both directions, until mend is called: those of pods, or of a pod and
// the machine (HostAddress). Connections stay open and hear nothing, as when a cable is pulled somewhere on the way. It cuts
// behind kube-proxy: a connection to a Service is cut at the pod that it leads to.
func (n *Node) Cut(ctx context.Context, a, b string) (mend func(context.Context) error, err error) {
	rules := make([][]string, 0, 2)
	for _, way := range [][2]string{{a, b}, {b, a}} {
		rules = append(rules, []string{"FORWARD", "--source", way[0], "--destination", way[1], "--jump", "DROP"})
	}
	for _, address := range []string{a, b} {
		if parsed, err := netip.ParseAddr(address); err != nil || !parsed.Is4() {
			return nil, fmt.Errorf("cutting the network: %q is no IPv4 address", address)
		}
	}
	change := func(ctx context.Context, action string) error {
		var errs []error
		for _, rule := range rules {
			// kube-proxy has no rules in this table, which comes before its own.
			args := append([]string{"iptables", "--wait", "--table", "mangle", action}, rule...)
			errs = append(errs, command(ctx, "nsenter", n.inside(args...)...))
		}
		return errors.Join(errs...)
	}
	if err := change(ctx, "--insert"); err != nil {
		return nil, fmt.Errorf("cutting the network between %s and %s: %w", a, b, err)
	}
	return func(ctx context.Context) error {
		if err := change(ctx, "--delete"); err != nil {
			return fmt.Errorf("mending the network between %s and %s: %w", a, b, err)
		}
		return nil
	}, nil
}
