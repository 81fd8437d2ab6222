#!/usr/bin/env bash
# Tests what scripts/count_instructions.sh makes of counts, with a valgrind that knows them beforehand. Exit code 77: skipped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
script=$root/scripts/count_instructions.sh
if [[ $(uname -m) != x86_64 ]]; then
  echo "skipped: this processor is no x86-64"
  exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed() {
  echo "line ${BASH_LINENO[0]}: $*" >&2
  sed 's/^/  | /' "$work/output" >&2
  exit 1
}
# run EXPECTED_EXIT_CODE ARGUMENT...
run() {
  local expected=$1 code=0
  shift
  PATH=$work:$PATH XTGRAD_COUNTS_ENGINE=$work/engine XTGRAD_COUNTS_TABLE=$work/table \
    "$script" --no-build "$@" >"$work/output" 2>&1 || code=$?
  [[ $code == "$expected" ]] || failed "exit code $code, expected $expected"
}
says() { grep -qE -- "$1" "$work/output" || failed "does not say: $1"; }
table() {
  printf '# What it is.\n# toolchain: %s\n\n' "${toolchain:-none}"
  printf '%s\n' "$@"
}

# A process of a million instructions before the first step; one of "small" has 1,000, one of "large" 70,000.
cat >"$work/valgrind" <<'VALGRIND'
#!/usr/bin/env bash
read -r _ name
read -r _ steps
case $name in
  small) each=1000 ;;
  large) each=70000 ;;
  *) each= ;;
esac
if [[ -n $each ]]; then echo '{"first": [], "third": []}'; else echo '{"unknown": true}'; fi
echo '{"ns": 1}'
echo "==1== Collected : $((1000000 + ${each:-0} * steps))" >&2
VALGRIND
printf '#!/bin/sh\n' >"$work/engine"
chmod +x "$work/valgrind" "$work/engine"

# A table of another toolchain is none to compare with, and an update is for the one at hand.
table "small 10 1000" "large 3 70000" >"$work/table"
run 77
says "the table is of 'none'"
run 0 --update
toolchain=$(sed -n 's/^# toolchain: //p' "$work/table")
[[ $toolchain == *libc* && $toolchain != none ]] || failed "the toolchain is '$toolchain'"
grep -qE '^small +10 +1000$' "$work/table" || failed "small is not 1000 a step: $(cat "$work/table")"
grep -qE '^large +3 +70000$' "$work/table" || failed "large is not 70000 a step: $(cat "$work/table")"
grep -q '^# What it is\.$' "$work/table" || failed "the table's comment is gone"

# Three percent are the machine's, more are news in either direction.
run 0
says '^small +1000 instructions a step, +1000 in the table: \+0\.00 %$'
table "small 10 971" "large 3 72000" >"$work/table"
run 0
table "small 10 970" "large 3 70000" >"$work/table"
run 1
says 'more than 3 % from the table: small \(\+3\.09 %\)$'
table "small 10 1000" "large 3 73000" >"$work/table"
run 1
says 'more than 3 % from the table: large \(-4\.11 %\)$'
says -- '--update'

# What cannot be compared is no success.
table "small 10" >"$work/table"
run 1
says 'none in the table'
table "other 10 5" >"$work/table"
run 1
says "does not run 'other'"
table >"$work/table"
run 1
says 'names no workload'
printf '#!/bin/sh\nexit 3\n' >"$work/valgrind"
table "small 10 1000" >"$work/table"
run 1
says "ended with an error at 'small'"
rm "$work/engine"
run 1
says "no program '.*engine'"
run 1 --none
says "unknown argument '--none'"
echo "all passed"
