#!/usr/bin/env bash
# Measures xtgrad against the same computations by hand, on a tape of sixty lines, and in libtorch, PyTorch and JAX
# where these are found: one process an engine, whose samples alternate, so that the machine's moods meet all alike.
# Engines whose results differ get no row. docs/benchmarks.md says how to read the table.
#
# usage: scripts/benchmark.sh [FILTER] [--json FILE] [--rounds N] [--engines LIST] [--quick] [--list] [--no-build]
#   FILTER          regular expression that a workload's name must match, such as '^mlp_sgdm'
#   --json FILE     a row a line: {"workload", "engine", "threads", "median_ns", "peak_rss_kb"}
#   --rounds N      interleaved samples of each engine (15)
#   --engines LIST  such as xtgrad,by_hand; all that are found otherwise
#   --quick         a smoke run: two rounds of a few small workloads
#   --list          the workloads' names
#   --no-build      the programs are there
# XTGRAD_PEERS_PYTHON names a Python that finds torch and jax (python3), Torch_DIR libtorch's CMake folder where it is not
# Debian's; XTGRAD_COMPARE_PROGRAMS a folder of engines built otherwise.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

python=${XTGRAD_PEERS_PYTHON:-python3}
programs=${XTGRAD_COMPARE_PROGRAMS:-$root/build/release/benchmarks/compare}
must_build=yes
arguments=()
for argument in "$@"; do
  case $argument in
    --no-build) must_build=no ;;
    --list) must_build=no arguments+=("$argument") ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) arguments+=("$argument") ;;
  esac
done
command -v "$python" >/dev/null || fail "the comparison's driver needs Python 3: no '$python' here"

if [[ $must_build == yes ]]; then
  log=$root/out/benchmark/build.log
  mkdir -p "$(dirname "$log")"
  : >"$log"
  torch=OFF
  if [[ -n ${Torch_DIR:-} ]] || compgen -G '/usr/lib/*/cmake/Torch/TorchConfig.cmake' >/dev/null; then torch=ON; fi
  say "building the engines; the log is $log"
  quietly "$log" configure release -DXTGRAD_BUILD_BENCHMARKS=ON "-DXTGRAD_BENCH_TORCH=$torch"
  quietly "$log" build release compare_engines
fi
export PYTHONDONTWRITEBYTECODE=1 # the sources' folder stays as it is
exec "$python" "$root/benchmarks/compare/driver/main.py" --programs "$programs" "${arguments[@]}"
