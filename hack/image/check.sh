#!/usr/bin/env bash
# Builds the image a second time, from a new clone in another folder with an empty build cache, and compares it byte for
# byte with the first.
#
#   hack/image/check.sh DIST IMAGE VERSION PLATFORMS
set -euo pipefail
cd "$(dirname "$0")/../.."
dist=$1 image=$2 version=$3 platforms=$4

if [ -n "$(git status --porcelain)" ]; then
  echo "image-check: the tree has changes that a clone would lack: commit them first" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q . "$work/clone"
(
  cd "$work/clone/hack/image"
  GOCACHE=$work/cache go run . -root ../.. -out "$work/dist" -image "$image" -version "$version" -platforms "$platforms"
)
for file in "$work"/dist/*; do
  cmp "$file" "$dist/$(basename "$file")"
  echo "the same: $(basename "$file") $(sha256sum <"$file" | cut -c1-64)"
done
