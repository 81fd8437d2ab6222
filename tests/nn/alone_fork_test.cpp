// Alone, because it starts and ends threads all the time, and because a fork() that hangs takes its process
// along.
#include <doctest/doctest.h>

#include "tests/nn/fork_storm.h"
#include "xtgrad/autograd/sanitizers.h"

using namespace xtgrad;

// A child of a process with threads may not start any under the thread sanitizer.
#if !XTGRAD_THREAD_SANITIZER

// The address sanitizer's allocator leaves its own locks held in a child, if another thread had them.
#if !XTGRAD_ADDRESS_SANITIZER

TEST_CASE("children of fork() beside threads that start and end compute, and none hangs") {
  alarm(500);  // the parent's own fork() must not hang, either
  const nn_test::Ends ends = nn_test::fork_beside_threads(300);
  alarm(0);
  CHECK(ends.hung == 0);
  CHECK(ends.wrong == 0);
}

#endif

TEST_CASE("children of children compute, too, and the parent goes on with its threads") {
  const testing::ThreadCount two(2);
  const auto right = [] { return sum(exp(zeros({300'000}))).item() == 300'000 ? 0 : 1; };
  REQUIRE(right() == 0);
  const testing::ChildEnd end = testing::in_child([&] {
    const testing::ChildEnd grandchild = testing::in_child(right);
    return grandchild.code + right();
  });
  CHECK(end.code == 0);
  CHECK(right() == 0);
}

#endif
