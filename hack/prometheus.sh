#!/usr/bin/env bash
# Prints the path of a program that rules, routes and dashboards are tested with: prometheus, promtool, alertmanager, amtool or
# scrapeconfig.
#
# Prometheus and amtool are those on PATH; where there is none, they come out of Debian's packages, unpacked into the user's
# cache, since installing the packages would also set up servers that start with the machine. The others are built, once per
# machine, from what hack/monitoring pins: Debian's Alertmanager does not start unless it is installed.
#
#   hack/prometheus.sh promtool
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
name=${1:-}
caches=${CX_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cx-operator/tools}
say() { echo "$name: $*" >&2; }

# build PACKAGE FILE... builds a program of hack/monitoring, if it was not built of these files.
build() {
  local pins cache package=$1
  cd "$here/monitoring"
  pins=$(cat go.mod go.sum "${@:2}" | sha256sum | cut -c1-12)
  cache=$caches/$pins
  if [ ! -x "$cache/$name" ]; then
    say "building it (up to three minutes, once per machine)"
    mkdir -p "$cache"
    CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags '-s -w' -o "$cache/.$name.$$" "$package" >&2
    mv "$cache/.$name.$$" "$cache/$name"
  fi
  echo "$cache/$name"
}

# unpack PACKAGE takes it out of a package of Debian's.
unpack() {
  local cache=$caches/debian work
  if [ -x "$cache/$name" ]; then
    echo "$cache/$name"
    return
  fi
  if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
    say "not on PATH, and this is no Debian. Install Prometheus 2.42 or later and Alertmanager 0.25 or later."
    exit 1
  fi
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the name is known now and will not be later
  trap "rm -rf '$work'" EXIT
  cd "$work"
  say "not on PATH: taking it from Debian's package $1 (10 to 20 MB, once per machine)"
  if ! apt-get download -qq "$1" 2>"$work/log"; then
    "$here/apt.sh" update
    apt-get download -qq "$1" >&2
  fi
  dpkg-deb -x "$1"_*.deb unpacked
  mkdir -p "$cache"
  mv "unpacked/usr/bin/$name" "$cache/.$name.$$"
  mv "$cache/.$name.$$" "$cache/$name"
  say "now in $cache"
  echo "$cache/$name"
}

case $name in
prometheus | promtool) command -v "$name" || unpack prometheus ;;
amtool) command -v "$name" || unpack prometheus-alertmanager ;;
alertmanager) build github.com/prometheus/alertmanager/cmd/alertmanager ;;
scrapeconfig) cd "$here/monitoring" && build ./scrapeconfig scrapeconfig/*.go ;;
*)
  echo "usage: hack/prometheus.sh prometheus|promtool|alertmanager|amtool|scrapeconfig" >&2
  exit 2
  ;;
esac
