#!/usr/bin/env bash
# Makes sure that the programs of a PostgreSQL server are installed, 13 or later: the tests start servers of their own with
# them. Where there are none, they come with Debian's package "postgresql", without the server that it would set up to start
# with the machine. Prints the folder of the programs.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
say() { echo "postgres: $*" >&2; }

# The same places, in the same order, as test/pgtest.
find_programs() {
  local folder
  # Without pg_config, which comes with headers, only the folders are looked into.
  for folder in "$(pg_config --bindir 2>/dev/null || true)" $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
    if [ -n "$folder" ] && [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ]; then
      echo "$folder"
      return 0
    fi
  done
  return 1
}

if find_programs; then
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  say "no server found, neither by pg_config nor in /usr/lib/postgresql, and this is no Debian. Install PostgreSQL 13 or later."
  exit 1
fi
root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)
say "installing Debian's package postgresql (60 MB, once per machine), without a cluster"
# Read when the package is set up; a cluster that somebody makes later does not care.
"${root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
echo 'create_main_cluster = false' | "${root[@]}" tee /etc/postgresql-common/createcluster.d/no-main-cluster.conf >/dev/null
"$here/apt.sh" install postgresql
if ! find_programs; then
  say "the package is installed, but its programs are not where they are looked for"
  exit 1
fi
