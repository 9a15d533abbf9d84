#!/usr/bin/env bash
# Builds the samples, and for the tests what a project is like that has just been made, and one that
# calls every function of the host. The modules are committed, so that the build of Viesti needs
# neither clang nor npm; a test finds out when one is stale.
#   VIESTI  the command line (default: bin/viesti of this checkout)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
viesti=${VIESTI:-$(cd ../../.. && pwd)/bin/viesti}
tests=../test
resources=$tests/resources/dev/viesti/ops/authoring
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for sample in */plugin.toml; do
  "$viesti" plugin build --install "${sample%/*}"
done
for language in c assemblyscript; do
  for name in template everything; do
    folder=$scratch/$language
    [[ -e $folder ]] || "$viesti" plugin new template --language "$language" --dir "$folder"
    if [[ $name == everything ]]; then
      cp -r "$tests/plugins/$language/." "$tests/plugins/plugin.toml" "$folder/"
      rm -r "$folder/build"
    fi
    "$viesti" plugin build --install "$folder"
    mkdir -p "$resources/$language"
    cp "$folder/build/$name.wasm" "$resources/$language/"
    cp "$folder/build/sources.sha256" "$resources/$language/$name.sha256"
  done
done
