#!/usr/bin/env bash
# Makes dashboard.schema.json out of dashboard.ts and Grafana's published types (@grafana/schema, Apache-2.0). Needs npm.
# Run it after a change of dashboard.ts or of a version in package.json.
set -euo pipefail
cd "$(dirname "$0")"
npm ci --no-audit --no-fund --ignore-scripts
npx ts-json-schema-generator --tsconfig tsconfig.json --path dashboard.ts --type ShippedDashboard --no-type-check --jsDoc none --expose none --minify \
  --id https://cx-operator.io/schemas/dashboard --out dashboard.schema.json
