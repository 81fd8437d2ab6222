#include "xtgrad/autograd/core/sweep_log.h"

#include <doctest/doctest.h>

#include <initializer_list>

using xtgrad::detail::SweepLog;

namespace {

SweepLog log_of(std::initializer_list<std::uint64_t> sweeps) {
  SweepLog log;
  for (const std::uint64_t sweep : sweeps) log.add(sweep);
  return log;
}

/// Whether they meet, which is the same both ways.
bool meet(const SweepLog& a, const SweepLog& b) {
  CHECK(a.meets(b) == b.meets(a));
  return a.meets(b);
}

}  // namespace

TEST_CASE("two logs meet where one sweep is in both, and only there") {
  CHECK(meet(log_of({1, 2, 3}), log_of({2})));
  CHECK(meet(log_of({1, 3, 5}), log_of({2, 3})));
  CHECK_FALSE(meet(log_of({1, 3, 5}), log_of({2, 4})));
  CHECK_FALSE(meet(log_of({1, 2}), log_of({3, 4})));
  CHECK_FALSE(meet(log_of({}), log_of({1})));
  CHECK_FALSE(meet(log_of({}), log_of({})));
}

TEST_CASE("a cleared log meets none, and then what comes") {
  SweepLog log = log_of({1, 2, 4});
  log.clear();
  CHECK_FALSE(meet(log, log_of({1, 2, 4})));
  log.add(7);
  CHECK(meet(log, log_of({7})));
  CHECK_FALSE(meet(log, log_of({4})));
}

TEST_CASE("sweeps in a row take one place, torn ones are forgotten from the oldest") {
  SweepLog long_run;
  for (std::uint64_t sweep = 1; sweep <= 1000; ++sweep) long_run.add(sweep);
  CHECK(meet(long_run, log_of({1})));
  CHECK(meet(long_run, log_of({1000})));
  SweepLog torn;
  for (std::uint64_t sweep = 1; sweep <= 1000; sweep += 2) torn.add(sweep);
  CHECK(meet(torn, log_of({999})));
  CHECK(meet(torn, log_of({969})));
  CHECK_FALSE(meet(torn, log_of({998})));
  CHECK_FALSE(meet(torn, log_of({1})));
  CHECK(meet(torn, long_run));
}
