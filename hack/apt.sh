#!/usr/bin/env bash
# Runs apt-get as root, or through sudo, and says what it does. Its output goes to standard error.
#
#   hack/apt.sh update               brings the package lists up to date
#   hack/apt.sh install PACKAGE...   the same, then installs
set -euo pipefail

say() { echo "apt: $*" >&2; }

if ! command -v apt-get >/dev/null; then
  say "no apt-get here, so you need to do this yourself: $*"
  exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    say "this needs root and there is no sudo. As root: apt-get update && apt-get $*"
    exit 1
  fi
  root=(sudo)
  [ -t 0 ] || root=(sudo -n) # nobody there to type a password
fi

export DEBIAN_FRONTEND=noninteractive
say "apt-get update"
"${root[@]}" apt-get -qq update >&2
if [ "$1" = install ]; then
  say "apt-get $*"
  "${root[@]}" apt-get -qq --no-install-recommends -y "$@" >&2
fi
