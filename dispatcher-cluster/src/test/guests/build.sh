#!/usr/bin/env bash
# Makes the modules that tests use out of guest.c. Needs clang and lld with the wasm32 target, as of
# Debian's clang-14 and lld-14; the results are committed, so that the build needs neither.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=../resources/dev/viesti/dispatcher/plugin
mkdir -p "$out"
build() {
  local name=$1
  shift
  "${CLANG:-clang-14}" --target=wasm32 -O2 -nostdlib -Wall -Wl,--no-entry -Wl,--strip-all \
    -Wl,-z,stack-size=8192 "$@" -o "$out/$name.wasm" guest.c
}
build guest-1 '-DVERSION="1"'
build guest-2 '-DVERSION="2"'
build guest-init-fails '-DVERSION="3"' -DINIT_FAILS
