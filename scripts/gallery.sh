#!/usr/bin/env bash
# Builds the gallery and draws it: everything that deep-learning tutorials teach, each in a program of about a
# hundred lines with its pictures, and an index.html of them.
#
# usage: scripts/gallery.sh [--no-install] [--help] [--quick] [--measure] [--out FOLDER] [PAGE...]
#
#   --quick        in under three minutes: less training, and only data that comes with the source
#   --measure      measures times anew and keeps them in docs/gallery/measured.json; else they are drawn from it,
#                  so that two runs give the same files
#   --out FOLDER   docs/gallery, or out/gallery with --quick
#   PAGE           only these, by name or number, e.g. 01_plane or 01; all of them if none is named
#   --no-install   install nothing; name the packages that are missing
#
# Pictures that need MNIST or CIFAR-10 are left out, with a message, where they are not found (see
# scripts/download_data.sh). Installs missing Debian or Ubuntu packages with apt-get, as root or through sudo.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

out=
arguments=()
pages=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-install) install=no ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --quick)
      arguments+=(--quick)
      out=${out:-out/gallery}
      ;;
    --measure) arguments+=(--measure) ;;
    --out)
      [[ $# -ge 2 ]] || fail "--out needs a folder; see scripts/gallery.sh --help"
      out=$2
      shift
      ;;
    --out=*) out=${1#--out=} ;;
    -*) fail "unknown argument '$1'; see scripts/gallery.sh --help" ;;
    *) pages+=("$1") ;;
  esac
  shift
done
out=${out:-docs/gallery}

cd "$root"
ensure_packages "${build_packages[@]}" "${picture_packages[@]}"

sources=()
for page in "${pages[@]-}"; do
  found=(examples/gallery/"${page:-[0-9][0-9]}"_*.cpp examples/gallery/"${page:-none}".cpp)
  known=no
  for source in "${found[@]}"; do
    if [[ -f $source ]]; then
      sources+=("$source")
      known=yes
    fi
  done
  [[ $known == yes ]] || fail "no page '$page' in examples/gallery"
done

mkdir -p build
log=build/gallery.log
: >"$log"
say "building (the first time takes some minutes; log: $log)"
quietly "$log" configure release -DCMAKE_REQUIRE_FIND_PACKAGE_doctest=OFF -DCMAKE_REQUIRE_FIND_PACKAGE_Cairo=ON
quietly "$log" build release gallery

# What a run has left out stays from the run before; a quick one says nothing of full ones.
failed=()
for source in "${sources[@]}"; do
  page=$(basename "$source" .cpp)
  began=$SECONDS
  "build/release/examples/gallery/$page" "${arguments[@]}" "$out" || failed+=("$page")
  say "$page: $((SECONDS - began)) s"
done
build/release/examples/gallery/gallery_index "$out"
if [[ ${#failed[@]} -gt 0 ]]; then fail "failed:$(printf ' %s' "${failed[@]}")"; fi
say "the gallery is $out/index.html; drawn in $SECONDS s"
