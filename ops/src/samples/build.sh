#!/usr/bin/env bash
# Builds the samples, and what a project is like that has just been made; the modules are committed,
# so that the build of Viesti needs neither clang nor npm. A test finds out when one is stale.
#   VIESTI  the command line (default: bin/viesti of this checkout)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
viesti=${VIESTI:-$(cd ../../.. && pwd)/bin/viesti}
resources=../test/resources/dev/viesti/ops/authoring
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for sample in */plugin.toml; do
  "$viesti" plugin build --install "${sample%/*}"
done
for language in c assemblyscript; do
  "$viesti" plugin new template --language "$language" --dir "$scratch/$language"
  "$viesti" plugin build --install "$scratch/$language"
  mkdir -p "$resources/$language"
  cp "$scratch/$language/build/"* "$resources/$language/"
done
