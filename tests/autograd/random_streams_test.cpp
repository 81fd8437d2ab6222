// Which thread draws what, where no generator is given.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <latch>
#include <set>
#include <thread>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"

using namespace xtgrad;
using testing::ThreadCount;

namespace {

using Draw = std::vector<double>;

Draw drawn() { return testing::values(randn({4}, default_random(), {.dtype = float64})); }

/// Of a thread that does nothing else.
template <class Before>
Draw drawn_elsewhere(Before before) {
  Draw result;
  std::thread([&] {
    before();
    result = drawn();
  }).join();
  return result;
}

Draw drawn_elsewhere() {
  return drawn_elsewhere([] {});
}

Draw drawn_from(std::uint64_t seed) {
  Random random(seed);
  return testing::values(randn({4}, random, {.dtype = float64}));
}

}  // namespace

TEST_CASE("threads that draw at once draw other numbers each, and others than the thread that seeded") {
  manual_seed(0);
  constexpr std::size_t threads = 8;
  std::vector<Draw> draws(threads);
  std::vector<std::thread> running;
  for (Draw& mine : draws) running.emplace_back([&mine] { mine = drawn(); });
  for (std::thread& thread : running) thread.join();
  std::set<Draw> distinct(draws.begin(), draws.end());
  distinct.insert(drawn());
  CHECK(distinct.size() == threads + 1);
}

TEST_CASE("manual_seed reaches threads that draw for the first time later, in the order of their draws") {
  manual_seed(7);
  const std::vector<Draw> first{drawn_elsewhere(), drawn_elsewhere()};
  manual_seed(8);
  const std::vector<Draw> other{drawn_elsewhere(), drawn_elsewhere()};
  manual_seed(7);
  CHECK(first == std::vector<Draw>{drawn_elsewhere(), drawn_elsewhere()});
  const std::set<Draw> all{first[0], first[1], other[0], other[1], drawn_from(7), drawn_from(8)};
  CHECK(all.size() == 6);
  manual_seed(0);
}

TEST_CASE("the thread that seeds draws what Random(seed) does, whatever others draw") {
  manual_seed(9);
  static_cast<void>(drawn_elsewhere());
  CHECK(drawn() == drawn_from(9));
  CHECK(default_random().seed() == 9);
  CHECK(drawn_elsewhere([] { manual_seed(11); }) == drawn_from(11));
  // It has seeded the process, but not this thread, which had drawn before.
  CHECK(default_random().seed() == 9);
  manual_seed(11);
  const Draw seeded_here = drawn_elsewhere();
  Draw seeded_there;
  std::thread([&] {
    manual_seed(11);
    seeded_there = drawn_elsewhere();
  }).join();
  CHECK(seeded_here == seeded_there);
  manual_seed(0);
}

TEST_CASE("a thread that has drawn keeps its stream, and nobody else is given it while it lives") {
  manual_seed(5);
  Draw first;
  Draw second;
  std::latch has_drawn(1);
  std::latch may_go_on(1);
  std::thread other([&] {
    first = drawn();
    has_drawn.count_down();
    may_go_on.wait();
    second = drawn();
  });
  has_drawn.wait();
  manual_seed(5);
  const Draw latecomer = drawn_elsewhere();
  may_go_on.count_down();
  other.join();
  CHECK(latecomer != first);
  manual_seed(5);
  // Its stream is free again.
  Draw again_first;
  Draw again_second;
  std::thread([&] {
    again_first = drawn();
    again_second = drawn();
  }).join();
  CHECK(again_first == first);
  CHECK(again_second == second);
  manual_seed(0);
}

TEST_CASE("seed_this_thread names a stream of the process's seed, whatever other threads do") {
  manual_seed(3);
  const Draw named = drawn_elsewhere([] { seed_this_thread(4); });
  const Draw other_name = drawn_elsewhere([] { seed_this_thread(5); });
  const Draw given = drawn_elsewhere();
  manual_seed(3);
  for (int i = 0; i < 3; ++i) static_cast<void>(drawn_elsewhere());
  CHECK(drawn_elsewhere([] { seed_this_thread(4); }) == named);
  manual_seed(3);
  // Naming one takes none from those who name none.
  static_cast<void>(drawn_elsewhere([] { seed_this_thread(0); }));
  CHECK(drawn_elsewhere() == given);
  manual_seed(2);
  const Draw of_other_seed = drawn_elsewhere([] { seed_this_thread(4); });
  std::set<Draw> all{named, other_name, given, of_other_seed, drawn_from(3)};
  CHECK(all.size() == 5);
  manual_seed(0);
}

TEST_CASE("among a thousand streams, given and named, no two are the same") {
  manual_seed(6);
  std::set<std::uint64_t> seeds{6};
  for (std::int64_t i = 0; i < 500; ++i) {
    std::thread([&] {
      seeds.insert(default_random().seed());
      seed_this_thread(i);
      seeds.insert(default_random().seed());
    }).join();
  }
  CHECK(seeds.size() == 1001);
  manual_seed(0);
}

TEST_CASE("seed_this_thread needs a stream from 0 on, and changes nothing where it is refused") {
  manual_seed(1);
  CHECK_THROWS_WITH_AS(seed_this_thread(-1), "seed_this_thread: needs a stream from 0 on: got -1",
                       ValueError);
  CHECK(drawn() == drawn_from(1));
  manual_seed(0);
}

TEST_CASE("threads that work on one operation take no stream") {
  const ThreadCount four(4);
  manual_seed(12);
  const Draw first = drawn_elsewhere();
  manual_seed(12);
  static_cast<void>(randn({200'000}));
  static_cast<void>(bernoulli({200'000}, 0.5));
  static_cast<void>(exp(randn({200'000})));
  CHECK(drawn_elsewhere() == first);
  manual_seed(0);
}
