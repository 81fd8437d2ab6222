#!/usr/bin/env bash
# How long model files take to compile with -O2: the README's model, and benchmarks/compile_time/conv_net.cpp with
# two convolutional networks, an optimizer with a schedule and a loader of MNIST. Prints the seconds of processor
# time of each of five runs, and their median; with valgrind, also the compiler's instructions for the first file, which
# hardly differ from run to run.
#
# usage: benchmarks/compile_time.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
object=$(mktemp --suffix=.o)
trap 'rm -f "$object"' EXIT
TIMEFORMAT=%U+%S
for source in examples/readme_model.cpp benchmarks/compile_time/conv_net.cpp; do
  times=()
  for _ in 1 2 3 4 5; do
    seconds=$({ time "${CXX:-g++}" -std=c++20 -O2 -I include -c "$source" -o "$object"; } 2>&1)
    times+=("$(awk -F+ '{ printf "%.2f", $1 + $2 }' <<<"$seconds")")
  done
  echo "$source: median $(printf '%s\n' "${times[@]}" | sort -n | sed -n 3p) of ${times[*]} s"
done
if command -v valgrind >/dev/null; then
  # The driver's own count comes beside the compiler's, and is far smaller.
  valgrind --tool=callgrind --trace-children=yes --callgrind-out-file=/dev/null \
    "${CXX:-g++}" -std=c++20 -O2 -I include -c examples/readme_model.cpp -o "$object" 2>&1 |
    awk '/Collected/ && $NF > most { most = $NF }
         END { printf "examples/readme_model.cpp: %.2f billion instructions\n", most / 1e9 }'
fi
