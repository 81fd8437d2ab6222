#!/usr/bin/env bash
# A smoke run of scripts/benchmark.sh with the engines in the folder XTGRAD_COMPARE_PROGRAMS, and of what it does where
# one computes something else. Times are not looked at. Exit code 77: skipped.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=$repository/scripts/benchmark.sh

if ! command -v python3 >/dev/null; then
  echo "skipped: no python3 here"
  exit 77
fi
unset XTGRAD_PEERS_PYTHON
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "line ${BASH_LINENO[0]}: $*" >&2
  if [[ -f $work/output ]]; then sed 's/^/  | /' "$work/output" >&2; fi
  exit 1
}
# run EXPECTED_EXIT_CODE ARGUMENT...
run() {
  local expected=$1 code=0
  shift
  "$script" --no-build "$@" >"$work/output" 2>&1 || code=$?
  [[ $code == "$expected" ]] || fail "exit code $code, expected $expected: $*"
}
says() { grep -qE -- "$1" "$work/output" || fail "the output lacks '$1'"; }

# --- Every quick workload gets a row, in all engines that have it ------------------------------------
engines=xtgrad,by_hand,tape
run 0 --quick --engines $engines --json "$work/rows"
mapfile -t names < <("$script" --list --quick)
[[ ${#names[@]} -ge 3 ]] || fail "only ${#names[@]} quick workloads"
for name in "${names[@]}"; do
  says "^\| $name +\| [0-9.]+ (ns|us|ms|s) +\| [0-9.]+ (ns|us|ms|s) +\| [0-9.]+ "
done
python3 - "$work/rows" "${names[@]}" <<'PYTHON' || fail "the rows are wrong"
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
for row in rows:
    assert sorted(row) == ["engine", "median_ns", "peak_rss_kb", "threads", "workload"], row
    assert row["median_ns"] > 0 and row["peak_rss_kb"] > 1000 and row["threads"] == 1, row
for engine in ("xtgrad", "by_hand"):
    assert [row["workload"] for row in rows if row["engine"] == engine] == sys.argv[2:], rows
assert any(row["engine"] == "tape" for row in rows), rows
PYTHON

# --- Engines that are not there are left out, with a word --------------------------------------------
programs=$XTGRAD_COMPARE_PROGRAMS
mkdir "$work/programs"
ln -s "$programs/compare_xtgrad" "$work/programs/"
export XTGRAD_COMPARE_PROGRAMS=$work/programs
run 0 --quick '^chain_0d$' --engines xtgrad,tape
says "without tape: .*/compare_tape is not built"
says "^\| chain_0d "
run 1 '^no such workload$'
says "no workload matches"

# --- An engine that computes something else gets no row ----------------------------------------------
cat >"$work/programs/compare_tape" <<'PYTHON'
#!/usr/bin/env python3
# The real engine, but that its second output is a hundredth larger.
import json, os, subprocess, sys
engine = subprocess.Popen([os.environ["REAL"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
for line in sys.stdin:
    engine.stdin.write(line)
    engine.stdin.flush()
    answer = json.loads(engine.stdout.readline())
    if "first" in answer:
        answer["first"][1] = [1.01 * x for x in answer["first"][1]]
    print(json.dumps(answer), flush=True)
PYTHON
chmod +x "$work/programs/compare_tape"
export REAL=$programs/compare_tape
run 1 --quick '^chain_0d$' --engines xtgrad,tape --json "$work/rows"
says "no row: chain_0d: output 1 of the first step of tape differs from xtgrad's"
[[ ! -s $work/rows ]] || fail "a row was written"

# --- Intervals ---------------------------------------------------------------------------------------
cd "$repository/benchmarks/compare/driver"
python3 -B - <<'PYTHON' || fail "the intervals are wrong"
import random
from intervals import interval
# The sign test's tables: of 15 values the 4th and the 12th, of 25 the 8th and the 18th; 6 are the fewest.
assert interval(range(1, 16)) == (4, 12), interval(range(1, 16))
assert interval(range(25, 0, -1)) == (8, 18)
assert interval(range(1, 7)) == (1, 6) and interval(range(5)) is None
draw = random.Random(1)
held = 0
for _ in range(2000):
    low, high = interval([draw.expovariate(1) for _ in range(15)])
    held += low <= 0.693147 <= high
assert held >= 1900, held  # of 2000; 96.5 % are expected
PYTHON
