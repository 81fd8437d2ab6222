// Who takes the tiles of operations. Run under the thread sanitizer too (preset tsan).
#include "xtgrad/autograd/kernels/worker_threads.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using detail::for_each_tile;

namespace {

/// How often each tile was run.
std::vector<int> runs_of(std::int64_t tiles) {
  std::vector<int> runs(static_cast<std::size_t>(tiles));
  for_each_tile(tiles, [&](std::int64_t tile) { ++runs[static_cast<std::size_t>(tile)]; });
  return runs;
}

bool is_once(const std::vector<int>& runs) {
  return std::all_of(runs.begin(), runs.end(), [](int n) { return n == 1; });
}

/// Which threads run the tiles of an operation that is repeated until there are `wanted` of them.
std::set<std::thread::id> threads_that_work(std::size_t wanted) {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  for (int round = 0; round < 2000 && threads.size() < wanted; ++round) {
    for_each_tile(64, [&](std::int64_t) {
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
    });
  }
  return threads;
}

}  // namespace

TEST_CASE("each tile is run once, whatever the numbers of tiles and of threads") {
  for (const int threads : {1, 2, 3, 7, 64, 100}) {
    const testing::ThreadCount scope(threads);
    for (const std::int64_t tiles : {0, 1, 2, 3, 63, 64, 65, 127, 1000}) {
      CAPTURE(threads);
      CAPTURE(tiles);
      for (int i = 0; i < 20; ++i) REQUIRE(is_once(runs_of(tiles)));
    }
  }
}

TEST_CASE("as many threads work as were asked for, and no more") {
  const testing::ThreadCount three(3);
  CHECK(threads_that_work(3).size() == 3);
  // Others are there, from now on; they have nothing to do with an operation on two threads.
  const testing::ThreadCount two(2);
  for (int i = 0; i < 50; ++i) {
    std::atomic<int> at_once = 0;
    std::atomic<int> most = 0;
    for_each_tile(16, [&](std::int64_t) {
      const int now = ++at_once;
      int before = most;
      while (before < now && !most.compare_exchange_weak(before, now)) {
      }
      std::this_thread::sleep_for(std::chrono::microseconds(20));
      --at_once;
    });
    REQUIRE(most <= 2);
  }
}

TEST_CASE("what a tile throws reaches the caller: of several, what one thread would have met first") {
  for (const int threads : {1, 2, 5}) {
    CAPTURE(threads);
    const testing::ThreadCount scope(threads);
    for (int round = 0; round < 200; ++round) {
      std::string message;
      std::atomic<int> below = 0;
      try {
        for_each_tile(40, [&](std::int64_t tile) {
          if (tile >= 17 && tile % 2 == 1) throw std::runtime_error("tile " + std::to_string(tile));
          if (tile < 17) ++below;
        });
      } catch (const std::runtime_error& error) {
        message = error.what();
      }
      REQUIRE(message == "tile 17");
      REQUIRE(below == 17);
    }
    CHECK(is_once(runs_of(100)));
  }
}

TEST_CASE("operations within tiles, and on several threads at once, wait for none of the others") {
  const testing::ThreadCount scope(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        std::vector<std::vector<int>> inner(5);
        for_each_tile(
            5, [&](std::int64_t tile) { inner[static_cast<std::size_t>(tile)] = runs_of(1 + tile * 7); });
        wrong += std::all_of(inner.begin(), inner.end(), is_once) ? 0 : 1;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("an operation ends while a helper is busy with another's long tile") {
  const testing::ThreadCount two(2);
  std::atomic<bool> may_end = false;
  std::atomic<int> in_long = 0;
  std::thread other([&] {
    for_each_tile(2, [&](std::int64_t) {
      ++in_long;
      while (!may_end) std::this_thread::yield();
    });
  });
  while (in_long < 2) std::this_thread::yield();  // the one helper is taken
  for (int i = 0; i < 100; ++i) CHECK(is_once(runs_of(10)));
  may_end = true;
  other.join();
}

TEST_CASE("helpers round as the thread that calls") {
  const auto third = [] { return testing::values(full({1 << 20}, 1.0) / 3.0); };
  const testing::ThreadCount one(1);
  REQUIRE(std::fesetround(FE_DOWNWARD) == 0);
  const std::vector<double> down = third();
  const testing::ThreadCount two(2);
  std::vector<std::vector<double>> spread;
  for (int i = 0; i < 20; ++i) spread.push_back(third());
  REQUIRE(std::fesetround(FE_TONEAREST) == 0);
  CHECK(down[0] < 1.0 / 3.0);  // the nearest float is above
  for (const std::vector<double>& values : spread) CHECK((values == down));
  for (int i = 0; i < 20; ++i) CHECK((third() != down));
}
