#!/usr/bin/env bash
# Builds the gallery and draws it: everything that deep-learning tutorials teach, each in a program of 100 to 150
# lines, beside the pieces that they share, with its pictures, and an index.html of them.
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
# scripts/download_data.sh): those of the run before stay, if there are any. Installs missing Debian or Ubuntu
# packages with apt-get, as root or through sudo.
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
if [[ ${#pages[@]} -eq 0 ]]; then sources=(examples/gallery/[0-9][0-9]_*.cpp); fi
for page in "${pages[@]}"; do
  known=no
  for source in "examples/gallery/$page"_*.cpp "examples/gallery/$page.cpp"; do
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

# draw PAGE: with its output at its end, as others may be drawn at the same time.
draw() {
  local page=$1 began=$SECONDS text result=0
  text=$("build/release/examples/gallery/$page" "${arguments[@]}" "$out" 2>&1) || result=1
  printf '%s\n' "$text"
  if [[ $result -ne 0 ]]; then
    printf '%s\n' "$page" >>"$failed"
    say "$page: FAILED"
  else
    say "$page: $((SECONDS - began)) s"
  fi
}

# Pages that train for minutes use all cores by themselves, and measured times want a quiet machine.
at_once=1
if [[ " ${arguments[*]-} " == *" --quick "* && " ${arguments[*]-} " != *" --measure "* ]]; then at_once=$jobs; fi
began=$SECONDS
failed=$(mktemp)
trap 'rm -f "$failed"' EXIT
for source in "${sources[@]}"; do
  while [[ $(jobs -rp | wc -l) -ge $at_once ]]; do wait -n; done
  draw "$(basename "$source" .cpp)" &
done
wait
build/release/examples/gallery/gallery_index "$out"
if [[ -s $failed ]]; then fail "failed: $(sort "$failed" | tr '\n' ' ')"; fi
say "the gallery is $out/index.html; drawn in $((SECONDS - began)) s"
