#!/usr/bin/env bash
# Checks the Prometheus rules and runs their unit tests with promtool. Under config/prometheus a file with a top-level
# "groups:" holds rules, one with a top-level "tests:" holds their tests; anything else there is neither.
set -euo pipefail
cd "$(dirname "$0")/.."
promtool=$(hack/prometheus.sh promtool)

mapfile -t rules < <(grep -rlE --include='*.y*ml' '^groups:' config/prometheus | sort)
mapfile -t tests < <(grep -rlE --include='*.y*ml' '^tests:' config/prometheus | sort)
if [ ${#rules[@]} -eq 0 ] || [ ${#tests[@]} -eq 0 ]; then
  echo "rules: ${#rules[@]} rule files and ${#tests[@]} test files under config/prometheus: there must be both" >&2
  exit 1
fi
echo "rules: checking ${rules[*]}"
"$promtool" check rules --lint=all --lint-fatal "${rules[@]}"
echo "rules: running ${tests[*]}"
"$promtool" test rules "${tests[@]}"
