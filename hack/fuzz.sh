#!/usr/bin/env bash
# Runs every fuzz test of the module for a short while, one after the other.
#
#   hack/fuzz.sh [TIME]     TIME per fuzz test, as go test takes it: 3000x, 2m (default 3000x)
#
# A number of inputs is the default, since go test on a busy machine now and then takes the end of a time for a failure
# ("context deadline exceeded", with no input that fails).
#
# An input that fails is written to the package's testdata/fuzz: commit it with the mend, and every
# later "go test" runs it.
set -euo pipefail
cd "$(dirname "$0")/.."
fuzztime=${1:-3000x}

mapfile -t targets < <(grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . | sed -E 's/:func / /' | sort)
if [ ${#targets[@]} -eq 0 ]; then
  echo "fuzz: no fuzz test found, which cannot be right" >&2
  exit 1
fi
echo "fuzz: ${#targets[@]} fuzz tests, $fuzztime each"

done=0
for target in "${targets[@]}"; do
  package=$(dirname "${target% *}")
  name=${target##* }
  done=$((done + 1))
  echo "fuzz: $done of ${#targets[@]}: $package $name"
  go test -run '^$' -fuzz "^$name\$" -fuzztime "$fuzztime" -fuzzminimizetime 100x "$package"
done
