// Alone, because each case is a process that has not computed yet: a child of one that has has no helpers.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <vector>

#include "tests/support/forks.h"
#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/sanitizers.h"

using namespace xtgrad;

// A child may not start threads under the thread sanitizer.
#if defined(__linux__) && !XTGRAD_THREAD_SANITIZER

namespace {

std::vector<double> computed() { return testing::values(exp(full({1024, 1024}, 0.25))); }

auto threads_here() {
  std::filesystem::directory_iterator tasks("/proc/self/task");
  return std::distance(begin(tasks), end(tasks));
}

/// From now on the system starts no thread for this process. False where it cannot be told.
bool forbid_threads() {
  // root is under no such limit.
  if (geteuid() == 0 && setresuid(61'234, 61'234, 61'234) != 0) return false;
  const rlimit none{.rlim_cur = 1, .rlim_max = 1};
  return setrlimit(RLIMIT_NPROC, &none) == 0;
}

int compute_as_the_limit_strikes(int threads) {
  set_num_threads(1);
  const std::vector<double> right = computed();
  set_num_threads(threads);
  static_cast<void>(exp(full({std::int64_t{1} << 16}, 0.25)));  // of a few tiles: not all threads are needed
  const auto before = threads_here();
  if (before < 2) return 2;
  if (!forbid_threads()) return 3;
  if (threads == 2) set_num_threads(64);
  for (int i = 0; i < 20; ++i) {
    if (computed() != right) return 4;
  }
  return threads_here() == before ? 0 : 5;  // else the limit is none
}

}  // namespace

TEST_CASE(
    "an operation goes on with the threads that there are when the system gives no more of them later") {
  for (const int threads : {2, 32}) {
    CAPTURE(threads);
    const testing::ChildEnd end = testing::in_child([&] { return compute_as_the_limit_strikes(threads); });
    CHECK(!end.hung);
    CHECK(end.code == 0);
  }
}

TEST_CASE("objects with static lifetime compute on several threads when the program ends") {
  const testing::ChildEnd end = testing::in_child([] {
    set_num_threads(4);
    static std::vector<double> right;
    right = computed();
    static const struct AtTheEnd {
      ~AtTheEnd() { _exit(computed() == right ? 0 : 6); }
    } at_the_end;
    std::exit(7);
    return 8;
  });
  CHECK(!end.hung);
  CHECK(end.code == 0);
}

#endif
