#!/usr/bin/env bash
# Writes the API reference, by Doxygen, from the comments of the public headers: out/reference/html/index.html,
# which can be searched and needs no network. A comment that Doxygen does not understand is an error.
#
# usage: scripts/reference.sh [--no-install] [--help]
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

for argument in "$@"; do
  case $argument in
    --no-install) install=no ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument '$argument'; see scripts/reference.sh --help" ;;
  esac
done

cd "$root"
ensure_packages -- doxygen
command -v doxygen >/dev/null || fail "the reference needs doxygen"

# Those that say so, as for the installation.
mapfile -t headers < <(grep -rlE 'inline namespace XTGRAD_PUBLIC ' --include='*.h' \
  autograd nn optim datasets training plot | sed 's,^,include/xtgrad/,' | sort)
out=out/reference
rm -rf "$out"
mkdir -p "$out"
{
  cat docs/Doxyfile
  printf 'OUTPUT_DIRECTORY = %s\n' "$out"
  printf 'INPUT = docs/reference.md\n'
  printf 'INPUT += %s\n' "${headers[@]}"
} >"$out/Doxyfile"
if ! doxygen "$out/Doxyfile" 2>"$out/warnings.txt" || [[ -s $out/warnings.txt ]]; then
  cat "$out/warnings.txt" >&2
  fail "Doxygen has warned: see above, or $out/warnings.txt"
fi
say "the reference of ${#headers[@]} headers is $out/html/index.html"
