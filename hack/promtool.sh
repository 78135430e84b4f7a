#!/usr/bin/env bash
# Prints the path of promtool. Where none is on PATH, it comes out of Debian's package "prometheus", unpacked into the
# user's cache: installing the package would also set up a server that starts with the machine.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "promtool: $*" >&2; }

if command -v promtool; then
  exit 0
fi
cache=${CX_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cx-operator/tools}/debian
if [ -x "$cache/promtool" ]; then
  echo "$cache/promtool"
  exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  say "promtool is not on PATH and this is no Debian. Install Prometheus 2.42 or later, which brings it."
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
say "not on PATH: taking it from Debian's package prometheus (19 MB, once per machine)"
if ! apt-get download -qq prometheus 2>"$work/log"; then
  "$here/apt.sh" update
  apt-get download -qq prometheus >&2
fi
dpkg-deb -x prometheus_*.deb unpacked
mkdir -p "$cache"
mv unpacked/usr/bin/promtool "$cache/.promtool.$$"
mv "$cache/.promtool.$$" "$cache/promtool"
say "now in $cache"
echo "$cache/promtool"
