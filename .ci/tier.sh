# How the second tier of continuous integration spends its time: .ci/second_tier sources it.
# shellcheck shell=bash
#
# A stage has a turn, 0, 1 or 2: that of a commit is its number modulo 3, so that in three commits in a row each stage
# has its turn. It is begun if what is left of the budget suffices for it, as far as can be told beforehand, and
# stopped where it does not: neither is a failure. What a stage finds before it is stopped is one, for a stage ends
# at the first fault.

tier_failed=()
tier_left_out=()

# The turn of the commit that is checked out. In a shallow clone the commits that there are count to 1, every time.
tier_turn_of_commit() {
  if [[ $(git rev-parse --is-shallow-repository 2>/dev/null) == true ]]; then
    local hash
    hash=$(git rev-parse HEAD)
    say "a shallow clone: the turn is that of the commit's hash, ${hash:0:7}"
    echo $((16#${hash:0:7} % 3))
  else
    echo $(($(git rev-list --count HEAD 2>/dev/null || echo 0) % 3))
  fi
}

# What CI_TIER says, else the commit's turn.
tier_turn_here() {
  local turn=${CI_TIER:-$(tier_turn_of_commit)}
  case $turn in all | 0 | 1 | 2) echo "$turn" ;; *) fail "CI_TIER must be all, 0, 1 or 2: got '$turn'" ;; esac
}

# tier_begin TURN SECONDS: of this run. The turn "all" is everybody's, and has no budget.
tier_begin() {
  tier_turn=$1
  tier_deadline=$((SECONDS + $2))
}

# tier_stage NAME TURN ESTIMATE COMMAND...: runs the command, a program, if it is its turn and time. Its exit code 77
# means that something is lacking here, of which it has told.
tier_stage() {
  local name=$1 turn=$2 estimate=$3 left=$((tier_deadline - SECONDS)) began=$SECONDS code=0
  shift 3
  if [[ $tier_turn != all && $turn != "$tier_turn" ]]; then
    tier_left_out+=("$name (its turn comes with other commits)")
    return 0
  fi
  if [[ $tier_turn != all ]] && ((left < estimate)); then
    tier_left_out+=("$name (needs some $estimate s, $((left > 0 ? left : 0)) s are left)")
    return 0
  fi
  say "== $name"
  if [[ $tier_turn == all ]]; then
    "$@" || code=$?
  else
    timeout --kill-after=20 "$left" "$@" || code=$?
  fi
  case $code in
    0) say "== $name: passed after $((SECONDS - began)) s" ;;
    77) tier_left_out+=("$name (something is lacking here, see above)") ;;
    # 137: it did not end when it was told to, and was killed.
    124 | 137)
      tier_left_out+=("$name (stopped after $((SECONDS - began)) s, at the end of the budget, with nothing found)")
      ;;
    *)
      say "== $name: FAILED after $((SECONDS - began)) s"
      tier_failed+=("$name")
      ;;
  esac
}

# tier_end: says what was left out. Fails if a stage did.
tier_end() {
  local name
  for name in "${tier_left_out[@]}"; do say "left out: $name"; done
  if [[ ${#tier_left_out[@]} -gt 0 ]]; then say "CI_TIER=all .ci/second_tier runs everything"; fi
  if [[ ${#tier_failed[@]} -gt 0 ]]; then
    say "second tier: failed:$(printf ' "%s"' "${tier_failed[@]}")"
    return 1
  fi
}
