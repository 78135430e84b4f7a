#!/usr/bin/env bash
# Installs the Debian packages that a node needs and this machine lacks, and says so.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

missing=()
need() { # PACKAGE COMMAND: the package, where there is no such command
  PATH=$PATH:/usr/sbin:/sbin command -v "$2" >/dev/null || missing+=("$1")
}
need containerd containerd
need containerd ctr
need runc runc
need iptables iptables
need iproute2 ip
need conntrack conntrack
need util-linux nsenter
need mount mount
[ -x /usr/lib/cni/ptp ] || [ -x /opt/cni/bin/ptp ] || [ -x /usr/libexec/cni/ptp ] || missing+=(containernetworking-plugins)

[ ${#missing[@]} -eq 0 ] || "$here/../apt.sh" install "${missing[@]}"
