#include <doctest/doctest.h>

#include "tests/nn/fork_storm.h"

TEST_CASE("of 10,000 children of fork() beside threads that start and end none hangs") {
  const nn_test::Ends ends = nn_test::fork_beside_threads(10'000);
  CHECK(ends.hung == 0);
  CHECK(ends.wrong == 0);
}
