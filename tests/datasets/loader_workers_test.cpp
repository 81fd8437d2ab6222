// What workers may change: nothing but the time.
#include <doctest/doctest.h>

#include <atomic>
#include <barrier>
#include <cstddef>
#include <cstdint>
#include <latch>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/datasets/noise_batches.h"
#include "tests/support/thread_count.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/parallel.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;
using namespace xtgrad::testing;
using datasets::Batch;
using datasets::Dataset;
using datasets::Loader;
using datasets::LoaderOptions;
using datasets::SampleTarget;
using datasets::SampleTransform;
using datasets::SampleView;

namespace {

static_assert(std::movable<Loader::Iterator> && !std::copyable<Loader::Iterator>);

/// A sample becomes its first random number, wherever it is.
SampleTransform first_draw() {
  return {[](const SampleView&, const SampleTarget& to, Random& random) {
            to.data<float>()[0] = static_cast<float>(random.next_uniform());
            // How much one sample draws is nothing to the others.
            if (to.data<float>()[0] < 0.5F) random.next_uniform();
          },
          [](const Shape&) { return Shape{1}; }};
}

/// The draw of each sample in the loader's next epoch.
std::map<std::int64_t, double> draws(Loader& loader) {
  std::map<std::int64_t, double> numbers;
  for (auto& [x, y] : loader) {
    for (std::int64_t i = 0; i < y.shape()[0]; ++i) {
      numbers[static_cast<std::int64_t>(y.at({i}))] = x.at({i, 0});
    }
  }
  return numbers;
}

}  // namespace

TEST_CASE("loader workers: the same bits for any number of workers") {
  for (const Dtype dtype : {float32, float64}) {
    for (const bool shuffle : {false, true}) {
      for (const bool drop_last : {false, true}) {
        CAPTURE(shuffle);
        CAPTURE(drop_last);
        const auto loader_with = [&](std::int64_t workers) {
          LoaderOptions options = busy(workers);
          options.shuffle = shuffle;
          options.drop_last = drop_last;
          return Loader(images(26, dtype), options);
        };
        Loader alone = loader_with(0);
        std::vector<std::vector<Bits>> expected;
        for (int i = 0; i < 3; ++i) expected.push_back(epoch(alone));
        REQUIRE(expected[0].size() == (drop_last ? 6 : 7));
        CHECK(expected[0][0].shape == Shape{4, 1, 4, 4});
        CHECK(expected[0] != expected[1]);
        for (const std::int64_t workers : {1, 2, 5}) {
          CAPTURE(workers);
          Loader loader = loader_with(workers);
          for (int i = 0; i < 3; ++i) CHECK(epoch(loader) == expected[static_cast<std::size_t>(i)]);
          CHECK(loader.epoch() == 3);
        }
      }
    }
  }
}

TEST_CASE("loader workers: without transforms, for batches of one and more workers than batches") {
  for (const std::int64_t batch_size : {1, 3, 100}) {
    Loader alone(images(7), {.batch_size = batch_size, .shuffle = true});
    const std::vector<Bits> expected = epoch(alone);
    for (const std::int64_t workers : {1, 2, 50}) {
      Loader loader(images(7), {.batch_size = batch_size, .shuffle = true, .workers = workers});
      CHECK(epoch(loader) == expected);
    }
  }
  Loader empty(Dataset({.inputs = zeros({0, 3}), .labels = zeros({0})}), {.workers = 3});
  CHECK(empty.begin() == empty.end());
  Loader none(images(3), {.batch_size = 4, .drop_last = true, .workers = 3});
  CHECK(epoch(none).empty());
}

TEST_CASE("loader workers: a sample's random numbers depend on seed, epoch and index alone") {
  const auto loader_with = [](LoaderOptions options) {
    options.sample_transform = first_draw();
    return Loader(images(30), options);
  };
  Loader plain = loader_with({.batch_size = 7, .seed = 3});
  const std::map<std::int64_t, double> first = draws(plain);
  const std::map<std::int64_t, double> second = draws(plain);
  REQUIRE(first.size() == 30);
  std::set<double> distinct;
  for (const auto& numbers : {first, second}) {
    for (const auto& [index, number] : numbers) distinct.insert(number);
  }
  CHECK(distinct.size() == 60);

  for (const LoaderOptions& options :
       {LoaderOptions{.batch_size = 1, .seed = 3},
        LoaderOptions{.batch_size = 11, .shuffle = true, .seed = 3},
        LoaderOptions{.batch_size = 4, .shuffle = true, .seed = 3, .workers = 2},
        LoaderOptions{.batch_size = 30, .seed = 3, .workers = 5}}) {
    Loader loader = loader_with(options);
    CHECK(draws(loader) == first);
    CHECK(draws(loader) == second);
    loader.set_epoch(0);
    CHECK(draws(loader) == first);
  }
  Loader other = loader_with({.batch_size = 7, .seed = 4});
  CHECK(draws(other) != first);
}

TEST_CASE("loader workers: several loops at once over one loader") {
  Loader alone(images(26), busy(0));
  std::vector<std::vector<Bits>> expected;
  for (int i = 0; i < 9; ++i) expected.push_back(epoch(alone));
  Loader loader(images(26), busy(2));
  std::vector<Bits> outer;
  std::size_t inner_epoch = 1;
  for (auto& batch : loader) {
    outer.emplace_back(batch);
    CHECK(epoch(loader) == expected[inner_epoch++]);
  }
  CHECK(outer == expected[0]);
  CHECK(inner_epoch == 8);
  // Side by side, and one of them left unfinished.
  loader.set_epoch(0);
  auto a = loader.begin();
  auto b = loader.begin();
  for (std::size_t i = 0; i < 5; ++i, ++a, ++b) {
    CHECK(Bits(*a) == expected[0][i]);
    CHECK(Bits(*b) == expected[1][i]);
  }
  b = loader.begin();
  CHECK(Bits(*b) == expected[2][0]);
  CHECK(Bits(*a) == expected[0][5]);
}

TEST_CASE("loader workers: loops that are left early") {
  Loader alone(images(40), busy(0));
  Loader loader(images(40), busy(3));
  for (std::size_t stop = 0; stop < 10; ++stop) {
    std::size_t seen = 0;
    for (auto& batch : loader) {
      static_cast<void>(batch);
      if (seen++ == stop) break;
    }
    CHECK(seen == stop + 1);
  }
  alone.set_epoch(loader.epoch());
  CHECK(epoch(loader) == epoch(alone));
  try {
    for (auto& batch : loader) {
      static_cast<void>(batch);
      throw std::runtime_error("of the loop");
    }
  } catch (const std::runtime_error& error) {
    CHECK(std::string(error.what()) == "of the loop");
  }
  alone.set_epoch(loader.epoch());
  CHECK(epoch(loader) == epoch(alone));
}

TEST_CASE("loader workers: a loop outlives its loader, and moves with it or without") {
  for (const std::int64_t workers : {0, 2}) {
    Loader alone(images(26), busy(0));
    const std::vector<Bits> expected = epoch(alone);
    std::optional<Loader> loader(std::in_place, images(26), busy(workers));
    Loader::Iterator first = loader->begin();
    Loader elsewhere = std::move(*loader);
    loader.reset();
    Loader::Iterator it = std::move(first);
    std::vector<Bits> seen;
    for (; it != std::default_sentinel; ++it) seen.emplace_back(*it);
    CHECK(seen == expected);
    CHECK(elsewhere.epoch() == 1);
    CHECK(epoch(elsewhere) == epoch(alone));
    // A copy counts for itself.
    Loader copy = elsewhere;
    loop(copy);
    CHECK(copy.epoch() == 3);
    CHECK(elsewhere.epoch() == 2);
  }
  // Destroyed with the first batch hardly taken.
  for (int i = 0; i < 20; ++i) static_cast<void>(Loader(images(26), busy(2)).begin());
}

TEST_CASE("loader workers: an exception arrives at the batch where it belongs") {
  for (const std::int64_t workers : {0, 1, 2, 5}) {
    CAPTURE(workers);
    const auto failing = std::make_shared<std::atomic<std::int64_t>>(13);
    const auto transform = [failing](Batch& batch, Random&) {
      for (const std::int64_t label : batch.labels.data<std::int64_t>()) {
        if (label == *failing) throw std::out_of_range("sample " + std::to_string(label));
      }
    };
    Loader loader(images(26), {.batch_size = 4, .transform = transform, .workers = workers});
    std::size_t seen = 0;
    CHECK_THROWS_WITH_AS(
        for (auto& batch
             : loader) {
          CHECK(batch.labels.at({0}) == static_cast<double>(4 * seen));
          ++seen;
        },
        "sample 13", std::out_of_range);
    CHECK(seen == 3);
    // By hand, the batch after it can be had.
    Loader::Iterator it = loader.begin();
    for (int i = 0; i < 2; ++i) ++it;
    CHECK_THROWS_WITH_AS(++it, "sample 13", std::out_of_range);
    ++it;
    CHECK(it->labels.at({0}) == 16);
    // At the first batch, begin throws, and the epoch that has not begun does not count.
    *failing = 0;
    CHECK_THROWS_WITH_AS(static_cast<void>(loader.begin()), "sample 0", std::out_of_range);
    *failing = -1;
    CHECK(loader.epoch() == 2);
    CHECK(epoch(loader).size() == 7);
    CHECK(loader.epoch() == 3);
  }
}

TEST_CASE("loader workers: a sample's exception, and a batch that is broken") {
  for (const std::int64_t workers : {0, 2}) {
    const SampleTransform failing = {[](const SampleView& from, const SampleTarget& to, Random&) {
      std::copy(from.data<float>().begin(), from.data<float>().end(), to.data<float>().begin());
      static_cast<void>(from.data<double>());
    }};
    Loader samples(images(9), {.batch_size = 4, .sample_transform = failing, .workers = workers});
    CHECK_THROWS_WITH_AS(loop(samples), "SampleView: dtypes differ: T is float64, the sample is float32",
                         DtypeError);
    Loader broken(images(9), {.batch_size = 4,
                              .transform = [](Batch& batch, Random&) { batch.labels = zeros({3}); },
                              .workers = workers});
    CHECK_THROWS_WITH_AS(
        loop(broken),
        "Loader: transform must keep inputs and labels of equal number: inputs are [4, 1, 4, 5], "
        "labels are [3]",
        ShapeError);
  }
}

TEST_CASE("loader workers: no graph, and the loop's default dtype") {
  const DefaultDtype as_double(float64);
  for (const std::int64_t workers : {0, 2}) {
    CAPTURE(workers);
    Tensor weight = full({1, 4, 5}, 2.0, {.dtype = float32});
    weight.set_requires_grad();
    Loader loader(images(9), {.batch_size = 4,
                              .transform =
                                  [&weight](Batch& batch, Random&) {
                                    batch.inputs = batch.inputs * weight;
                                    batch.labels = zeros({batch.labels.shape()[0]});
                                  },
                              .workers = workers});
    for (auto& [x, y] : loader) {
      CHECK_FALSE(x.requires_grad());
      CHECK(x.is_leaf());
      CHECK(y.dtype() == float64);
      x.set_requires_grad();
      sum(square(x)).backward();
      CHECK(x.grad().defined());
    }
    CHECK(is_recording());
  }
}

TEST_CASE("loader workers: batches are made on other threads, each with operations of one thread") {
  const testing::ThreadCount four(4);
  std::mutex mutex;
  std::set<std::thread::id> makers;
  bool alone = true;
  std::barrier both(2);
  Loader loader(images(8), {.batch_size = 4,
                            .transform =
                                [&](Batch&, Random&) {
                                  both.arrive_and_wait();  // one worker cannot make both
                                  const std::thread::id maker = std::this_thread::get_id();
                                  xtgrad::detail::for_each_tile(64, [&](std::int64_t) {
                                    const std::lock_guard lock(mutex);
                                    alone = alone && std::this_thread::get_id() == maker;
                                  });
                                  const std::lock_guard lock(mutex);
                                  makers.insert(maker);
                                },
                            .workers = 2});
  loop(loader);
  CHECK(makers.size() == 2);
  CHECK(makers.count(std::this_thread::get_id()) == 0);
  CHECK(alone);
}

TEST_CASE("loader workers: they go two batches each ahead of the loop, and no further") {
  std::atomic<int> made = 0;
  std::latch ahead(5);
  Loader loader(images(80), {.batch_size = 4,
                             .transform =
                                 [&](Batch&, Random&) {
                                   if (++made <= 5) ahead.count_down();
                                 },
                             .workers = 2});
  int taken = 0;
  for (auto& batch : loader) {
    static_cast<void>(batch);
    // The first batch, and two for each worker, are made without the loop's asking for them.
    if (++taken == 1) ahead.wait();
    CHECK(made <= taken + 4);
  }
  CHECK(made == 20);
}

namespace {

std::atomic<int> started = 0;
std::atomic<int> ended = 0;

struct LifeOfThread {
  LifeOfThread() { ++started; }
  ~LifeOfThread() { ++ended; }
};

}  // namespace

TEST_CASE("loader workers: threads end with the loop") {
  Loader loader(images(40), {.batch_size = 4,
                             .transform =
                                 [](Batch&, Random&) {
                                   thread_local const LifeOfThread life;
                                   static_cast<void>(life);
                                 },
                             .workers = 3});
  // After its last step, though the iterator lives.
  Loader::Iterator it = loader.begin();
  while (it != loader.end()) ++it;
  CHECK(started >= 1);
  CHECK(started <= 3);
  CHECK(ended == started);
  // In the middle of an epoch.
  { const Loader::Iterator unfinished = loader.begin(); }
  CHECK(started >= 2);
  CHECK(ended == started);
}

TEST_CASE("loader workers: memory stays bounded, and comes back") {
  Loader loader(images(120), busy(2));
  loop(loader);
  const xtgrad::detail::PoolStats before = xtgrad::detail::pool_stats();
  for (int i = 0; i < 30; ++i) {
    std::size_t seen = 0;
    for (auto& batch : loader) {
      static_cast<void>(batch);
      if (++seen == 25) break;
    }
  }
  const xtgrad::detail::PoolStats after = xtgrad::detail::pool_stats();
  CHECK(after.live_blocks == before.live_blocks);
  CHECK(after.live_bytes == before.live_bytes);
  // In the first epoch one of the workers may have come too late to make a batch and get a pool.
  CHECK(after.growths <= before.growths + 1);
}

TEST_CASE("loader workers: the option's range") {
  const auto make = [](std::int64_t workers) { Loader loader(images(3), {.workers = workers}); };
  CHECK_THROWS_WITH_AS(make(-1), "Loader: workers must be at least 0: got -1", ValueError);
  CHECK(Loader(images(3)).options().workers == 0);
}
