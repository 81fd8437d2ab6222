#!/usr/bin/env bash
# Sets up, builds and runs the demonstration: trains a convolutional network on handwritten digits, in a few
# seconds, and draws pictures of what it has learnt.
#
# usage: scripts/demo.sh [--no-install] [--help] [-- arguments for the program]
#
#   --no-install   install nothing; name the packages that are missing
#   --help         show this text
#   -- ...         further arguments for examples/train, e.g. -- --epochs 3; paths are relative to the
#                  repository's top folder
#
# Installs missing Debian or Ubuntu packages with apt-get, as root or through sudo, and says so first.
# Results go to out/demo.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-install) install=no ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --)
      shift
      arguments=("$@")
      break
      ;;
    *) fail "unknown argument '$1'; see scripts/demo.sh --help" ;;
  esac
  shift
done

cd "$root"
ensure_packages "${build_packages[@]}" -- graphviz "${picture_packages[@]}"

mkdir -p build
log=build/demo.log
: >"$log"
say "building (the first time takes some minutes; log: $log)"
# The demonstration needs no doctest, even if an earlier run of the tests did.
quietly "$log" configure release -DCMAKE_REQUIRE_FIND_PACKAGE_doctest=OFF
quietly "$log" build release xtgrad train

program=(build/release/examples/train --data digits --model convnet --out out/demo "${arguments[@]}")
say "running ${program[*]}"
mkdir -p out
exec "${program[@]}"
