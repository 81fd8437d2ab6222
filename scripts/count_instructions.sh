#!/usr/bin/env bash
# Counts the instructions of a step of small workloads, whose time is the engine's own bookkeeping, and compares them with
# benchmarks/instruction_counts.txt: a slowdown that no clock on a busy machine would show.
#
# usage: scripts/count_instructions.sh [--update] [--no-build] [--help]
#   --update      writes what is counted into the table
#   --no-build    the program is there
# XTGRAD_COUNTS_ENGINE names the program, XTGRAD_COUNTS_TABLE the table. Exit code 77: skipped, for valgrind is not here, or
# compiler or C library are not those of the table, whose code has other counts.
#
# The build is for any x86-64 processor, and neither kernels nor BLAS nor the C library choose by the processor at hand: so
# counts are the same on every machine.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

engine=${XTGRAD_COUNTS_ENGINE:-$root/build/counts/benchmarks/compare/compare_xtgrad}
table=${XTGRAD_COUNTS_TABLE:-$root/benchmarks/instruction_counts.txt}
tolerance=3 # percent
must_build=yes
update=no
for argument in "$@"; do
  case $argument in
    --update) update=yes ;;
    --no-build) must_build=no ;;
    --help | -h)
      print_help "${BASH_SOURCE[0]}"
      exit 0
      ;;
    *) fail "unknown argument '$argument'; see scripts/count_instructions.sh --help" ;;
  esac
done
skip() {
  say "instructions are not counted: $*"
  exit 77
}

command -v valgrind >/dev/null || skip "no valgrind here"
[[ $(uname -m) == x86_64 ]] || skip "this processor is no x86-64"
[[ -r $table ]] || fail "cannot read the table '$table'"

# toolchain: whose code is counted beside ours.
toolchain() {
  local compiler
  compiler=$("${CXX:-c++}" --version | head -n 1)
  printf '%s; %s\n' "${compiler##*) }" "$(getconf GNU_LIBC_VERSION 2>/dev/null || echo "another C library")"
}
written_for=$(sed -n 's/^# toolchain: //p' "$table")
if [[ $update == no && $written_for != "$(toolchain)" ]]; then
  skip "the table is of '$written_for', here is '$(toolchain)'"
fi

if [[ $must_build == yes ]]; then
  configure counts && build counts compare_xtgrad
fi
[[ -x $engine ]] || fail "no program '$engine'"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# total WORKLOAD STEPS: the instructions of a process that prepares a workload and takes so many steps of it.
total() {
  local log=$work/log answers=$work/answers
  printf 'prepare %s\nrun %s\n' "$1" "$2" |
    env -i PATH="$PATH" XTGRAD_ISA=baseline OPENBLAS_CORETYPE=Nehalem OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \
      GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX_Usable,-AVX2_Usable,-FMA_Usable,-FMA4_Usable,-AVX,-AVX2,-FMA,-FMA4,-ERMS,-FSRM \
      valgrind --tool=callgrind --callgrind-out-file=/dev/null "$engine" >"$answers" 2>"$log" ||
    fail "$engine ended with an error at '$1': $(tail -n 3 "$log")"
  if grep -qE '"(error|unknown)"' "$answers" || [[ $(wc -l <"$answers") -ne 2 ]]; then
    fail "$engine does not run '$1': $(tail -n 1 "$answers")"
  fi
  sed -n 's/^==[0-9]*== Collected : //p' "$log"
}

# count WORKLOAD STEPS: the instructions of one step: what that many more of them add to a process, divided.
count() {
  local few many
  few=$(total "$1" 1)
  many=$(total "$1" $((1 + $2)))
  [[ $few =~ ^[0-9]+$ && $many =~ ^[0-9]+$ ]] || fail "callgrind gives no count of '$1'"
  echo $(((many - few) / $2))
}

lines=()
off=()
while read -r name steps expected; do
  counted=$(count "$name" "$steps")
  lines+=("$(printf '%-16s %6d %12d' "$name" "$steps" "$counted")")
  change=$(awk -v now="$counted" -v then="${expected:-0}" 'BEGIN { printf "%+.2f", then ? 100 * (now / then - 1) : 0 }')
  printf '%-16s %12d instructions a step, %12s in the table: %s %%\n' "$name" "$counted" "${expected:-none}" "$change"
  if [[ -z ${expected:-} ]] || ! awk -v change="$change" -v most=$tolerance \
    'BEGIN { exit !(change <= most && change >= -most) }'; then
    off+=("$name ($change %)")
  fi
done < <(grep -vE '^(#|$)' "$table")
[[ ${#lines[@]} -gt 0 ]] || fail "the table '$table' names no workload"

if [[ $update == yes ]]; then
  {
    grep -E '^#' "$table" | sed "s/^# toolchain: .*/# toolchain: $(toolchain)/"
    echo
    printf '%s\n' "${lines[@]}"
  } >"$work/table"
  mv "$work/table" "$table"
  say "$table is written"
elif [[ ${#off[@]} -gt 0 ]]; then
  say "more than $tolerance % from the table:$(printf ' %s' "${off[@]}")"
  fail "a slowdown is to be found; a gain, or a price that is meant, goes into the table: scripts/count_instructions.sh --update"
fi
