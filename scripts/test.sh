#!/usr/bin/env bash
# Sets up, builds everything and runs the tests through ctest.
#
# usage: scripts/test.sh [--no-install] [--help] [--preset NAME] [ctest arguments]
#
#   --no-install    install nothing; name the packages that are missing
#   --help          show this text
#   --preset NAME   release (the default), dev, asan, tsan or coverage
#   others          go to ctest, e.g. -R '^autograd/' or -L slow; all presets but release leave out the
#                   tests labelled slow
#
# Installs missing Debian or Ubuntu packages with apt-get, as root or through sudo, and says so first.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=release
arguments=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --no-install) install=no ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    --preset)
      [[ $# -ge 2 ]] || fail "--preset needs a name; see scripts/test.sh --help"
      preset=$2
      shift
      ;;
    --preset=*) preset=${1#--preset=} ;;
    *) arguments+=("$1") ;;
  esac
  shift
done

cd "$root"
ensure_packages "${build_packages[@]}" doctest-dev -- pkg-config "${picture_packages[@]}"
# Without doctest the build would go on and find nothing to test.
configure "$preset" -DXTGRAD_BUILD_TESTS=ON -DCMAKE_REQUIRE_FIND_PACKAGE_doctest=ON
build "$preset"
ctest --preset "$preset" --parallel "$jobs" "${arguments[@]}"
