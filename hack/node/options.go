//go:build linux

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Where things are. There is one node per machine at a time, so that it can have addresses of its own.
const (
	// Name is the name of the Node.
	Name = "cx-node"
	// HostAddress is the machine's end of the cable to the node: the API server and the name server listen there.
	HostAddress = "10.243.0.1"
	// Address is the node's end, where ports of Services of type NodePort are.
	Address = "10.243.0.2"
	// StorageClass is the default class. It has a few volumes, made in advance.
	StorageClass = "local"

	cableRange   = "10.243.0.0/30"
	podRange     = "10.244.0.0/24"
	serviceRange = "10.96.0.0/16"
	hostDevice   = "cx-node0"
	apiPort      = "6443"
)

// Options are what Start needs to know.
type Options struct {
	// Dir is the folder for everything that the node writes. What it held is removed.
	Dir string
	// Assets is the folder of the programs, see pinned.NodeAssets.
	Assets string
	// Pause is the folder of the pause program's source, hack/node/pause.
	Pause string
	// Say tells a person what is being done. nil tells nobody.
	Say func(format string, args ...any)
}

// programs come from Debian's packages.
var programs = []string{"containerd", "containerd-shim-runc-v2", "runc", "ctr", "ip", "iptables", "conntrack", "nsenter", "mount", "go"}

// pluginDirs are where distributions put the CNI plugins: Debian, others.
var pluginDirs = []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"}

// check says what this machine lacks, and returns the folder of the CNI plugins.
func check() (plugins string, err error) {
	if os.Geteuid() != 0 {
		return "", errors.New("a node needs root: it makes namespaces, mounts and control groups")
	}
	var missing []string
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	for _, dir := range pluginDirs {
		if isFile(filepath.Join(dir, "ptp")) && isFile(filepath.Join(dir, "host-local")) {
			plugins = dir
			break
		}
	}
	if plugins == "" {
		missing = append(missing, "the CNI plugins ptp and host-local")
	}
	if len(missing) > 0 {
		return "", fmt.Errorf("this machine lacks %s: hack/node/packages.sh installs them on Debian", strings.Join(missing, ", "))
	}
	return plugins, checkAddresses()
}

// checkAddresses refuses to cut the machine off from a network that has the node's addresses.
func checkAddresses() error {
	taken, err := net.InterfaceAddrs()
	if err != nil {
		return fmt.Errorf("reading the machine's addresses: %w", err)
	}
	for _, address := range taken {
		prefix, err := netip.ParsePrefix(address.String())
		if err != nil {
			continue // not an IP address
		}
		for _, own := range []string{cableRange, podRange, serviceRange} {
			if netip.MustParsePrefix(own).Overlaps(prefix) {
				return fmt.Errorf("this machine has the address %s, and the node needs %s for itself", prefix, own)
			}
		}
	}
	return nil
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// command runs a program to its end. The error carries what it said.
func command(ctx context.Context, name string, args ...string) error {
	said, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, strings.TrimSpace(string(said)))
	}
	return nil
}
