#!/usr/bin/env bash
# Tests how the second tier of continuous integration spends its time, with stages that do nothing but wait or fail.
set -euo pipefail
unset CI_TIER CI_TIER_SECONDS CI_TIER_BASE # of the run that this test is part of
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

failed() {
  echo "tier_test: $*" >&2
  sed 's/^/  /' "$work/output" >&2
  exit 1
}
# tier TURN SECONDS: with one stage a turn, on stdin what stages there are. Puts output and exit code away.
tier() {
  code=0
  {
    echo "source '$root/scripts/common.sh'; source '$root/.ci/tier.sh'; tier_begin $1 $2"
    cat
    echo "tier_end"
  } >"$work/script"
  bash -euo pipefail "$work/script" >"$work/output" 2>&1 || code=$?
}
says() { grep -qF -- "$1" "$work/output" || failed "does not say: $1"; }
says_not() { ! grep -qF -- "$1" "$work/output" || failed "says: $1"; }
ends_with() { [[ $code == "$1" ]] || failed "exit code $code, expected $1"; }

three='tier_stage first 0 1 echo "0 ran"
tier_stage second 1 1 echo "1 ran"
tier_stage third 2 1 echo "2 ran"'
# Each has its turn, and its alone; "all" is everybody's, whatever is left.
for turn in 0 1 2; do
  tier "$turn" 60 <<<"$three"
  ends_with 0
  for other in 0 1 2; do
    if [[ $other == "$turn" ]]; then says "$other ran"; else says_not "$other ran"; fi
  done
  says "left out: "
  says "(its turn comes with other commits)"
done
tier all 0 <<<"$three"
ends_with 0
for turn in 0 1 2; do says "$turn ran"; done
says_not "left out"

# A stage for which too little is left is not begun; a shorter one behind it is.
tier 0 10 <<<'tier_stage long 0 600 echo "long ran"
tier_stage short 0 5 echo "short ran"'
ends_with 0
says "left out: long (needs some 600 s, "
says_not "long ran"
says "short ran"
tier 0 -5 <<<'tier_stage late 0 5 true'
ends_with 0
says "left out: late (needs some 5 s, 0 s are left)"

# One that takes longer than was thought is stopped: no failure. One that has failed before has.
tier 0 1 <<<'tier_stage slow 0 1 sleep 60'
ends_with 0
says "left out: slow (stopped after "
says "with nothing found)"
tier 0 30 <<<'tier_stage broken 0 1 false
tier_stage next 0 1 echo "next ran"'
ends_with 1
says "== broken: FAILED"
says "next ran"
says 'second tier: failed: "broken"'
tier all 0 <<<'tier_stage broken 2 1 false'
ends_with 1

# What a machine lacks is left out, and said.
tier 0 30 <<<'tier_stage lacking 0 1 bash -c "exit 77"'
ends_with 0
says "left out: lacking (something is lacking here, see above)"

# The arguments of the tier itself.
code=0
"$root/.ci/second_tier" --stage none >"$work/output" 2>&1 || code=$?
ends_with 1
says "no stage 'none'"
code=0
CI_TIER=3 "$root/.ci/second_tier" >"$work/output" 2>&1 || code=$?
ends_with 1
says "CI_TIER must be all, 0, 1 or 2: got '3'"
# With no time at all it says what it would have done.
for turn in 0 1 2; do
  code=0
  CI_TIER=$turn CI_TIER_SECONDS=0 "$root/.ci/second_tier" >"$work/output" 2>&1 || code=$?
  ends_with 0
  [[ $(grep -c 'left out: ' "$work/output") == 6 ]] || failed "does not name all six stages in turn $turn"
  [[ $(grep -c 'its turn' "$work/output") == $((turn == 1 ? 2 : 4)) ]] || failed "turn $turn has other stages"
done

# The turn of a commit: by its number, and by its hash in a shallow clone, where each commit is the first.
mkdir -p "$work/repository"
cp -r "$root/.ci" "$work/repository/.ci"
mkdir "$work/repository/scripts"
cp "$root/scripts/common.sh" "$work/repository/scripts/common.sh"
in_repository() { git -C "$work/repository" -c user.name=test -c user.email=test@example.org "$@"; }
in_repository init --quiet
in_repository add .
# turn_in FOLDER: prints the turn that a run there takes, of the stage for which only the time is lacking.
turn_in() {
  CI_TIER_SECONDS=0 "$1/.ci/second_tier" >"$work/output" 2>&1
  case $(grep 'needs some' "$work/output") in
    *"thread sanitizer (needs"*) echo 0 ;;
    *"sanitizer tests, the rest (needs"*) echo 1 ;;
    *"the fuzz targets (needs"*) echo 2 ;;
    *) echo none ;;
  esac
}
seen=
for number in 1 2 3 4 5 6 7 8 9 10 11 12; do
  in_repository commit --quiet --allow-empty -m "$number"
  [[ $(turn_in "$work/repository") == $((number % 3)) ]] || failed "commit $number has another turn than its number's"
  if grep -q 'shallow' "$work/output"; then failed "takes a whole repository for a shallow clone"; fi
  rm -rf "$work/shallow"
  git clone --quiet --depth 1 "file://$work/repository" "$work/shallow"
  seen+=$(turn_in "$work/shallow")
  says "a shallow clone: the turn is that of the commit's hash"
done
[[ $seen =~ ^[012]+$ ]] || failed "the turns in shallow clones are $seen"
[[ $seen != 000000000000 && $seen != 111111111111 && $seen != 222222222222 ]] ||
  failed "twelve commits have one turn in shallow clones: $seen"
echo "all passed"
