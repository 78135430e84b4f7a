#!/usr/bin/env bash
# Prints the path of a program of Prometheus: prometheus, promtool, alertmanager or amtool. Where it is not on PATH, it comes
# out of Debian's package, unpacked into the user's cache: installing the package would also set up a server that starts with
# the machine.
#
#   hack/prometheus.sh promtool
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
name=${1:-}
say() { echo "$name: $*" >&2; }

# What Debian's package and its file are called.
case $name in
prometheus | promtool) package=prometheus file=$name ;;
alertmanager) package=prometheus-alertmanager file=prometheus-alertmanager ;;
amtool) package=prometheus-alertmanager file=$name ;;
*)
  echo "usage: hack/prometheus.sh prometheus|promtool|alertmanager|amtool" >&2
  exit 2
  ;;
esac

if command -v "$name" || command -v "$file"; then
  exit 0
fi
cache=${CX_TOOLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cx-operator/tools}/debian
if [ -x "$cache/$file" ]; then
  echo "$cache/$file"
  exit 0
fi
if ! command -v apt-get >/dev/null || ! command -v dpkg-deb >/dev/null; then
  say "not on PATH, and this is no Debian. Install Prometheus 2.42 or later and Alertmanager 0.25 or later."
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
say "not on PATH: taking it from Debian's package $package (10 to 20 MB, once per machine)"
if ! apt-get download -qq "$package" 2>"$work/log"; then
  "$here/apt.sh" update
  apt-get download -qq "$package" >&2
fi
dpkg-deb -x "$package"_*.deb unpacked
mkdir -p "$cache"
for program in unpacked/usr/bin/*; do
  mv "$program" "$cache/.$(basename "$program").$$"
  mv "$cache/.$(basename "$program").$$" "$cache/$(basename "$program")"
done
say "now in $cache"
echo "$cache/$file"
