// Run under the thread sanitizer too (preset tsan).
#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <thread>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

TEST_CASE("two threads sweep graphs that share leaves") {
  constexpr int rounds = 200;
  Tensor w = full({8}, 0.5, {.dtype = float64, .requires_grad = true});
  const auto work = [&w](double factor) {
    for (int i = 0; i < rounds; ++i) sum(w * factor + w * w * 0.0).backward();
  };
  std::thread other(work, 3.0);
  work(2.0);
  other.join();
  // Sums of small integers are exact in whatever order the two threads added.
  CHECK(w.grad().at({0}) == rounds * 5);
  CHECK(w.grad().at({7}) == rounds * 5);
}

TEST_CASE("a graph built on one thread is swept and dropped on another") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  {
    Tensor x = full({16}, 0.5, {.dtype = float64, .requires_grad = true});
    Tensor y;
    std::thread builder([&] { y = sum(tanh(x * 2.0)); });
    builder.join();
    std::thread sweeper([&] {
      y.backward();
      y = Tensor();
    });
    sweeper.join();
    CHECK(x.grad().at({3}) == doctest::Approx(2 * (1 - std::tanh(1.0) * std::tanh(1.0))));
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("ids stay ordered when a graph crosses threads") {
  Tensor x = full({}, 2, {.dtype = float64, .requires_grad = true});
  Tensor y = x;
  for (int i = 0; i < 100; ++i) y = y * 1.0;
  Tensor z;
  // A fresh thread's counter starts at 0, far below the ids of its inputs.
  std::thread other([&] { z = y * y + x; });
  other.join();
  z.backward();
  CHECK(x.grad().item() == 5);
}

TEST_CASE("handles of one tensor are copied and dropped on many threads") {
  const std::int64_t at_start = detail::pool_stats().live_blocks;
  {
    Tensor x = full({4}, 1, {.requires_grad = true});
    const Tensor shared = exp(x);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&shared] {
        for (int i = 0; i < 1000; ++i) {
          const Tensor copy = shared;
          const Tensor computed = copy * 2.0;
          if (computed.at({0}) < 0) std::abort();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  CHECK(detail::pool_stats().live_blocks == at_start);
}

TEST_CASE("one thread drops the last handle while another frees the graph behind it") {
  for (int round = 0; round < 300; ++round) {
    Tensor x = full({4}, 0.5, {.dtype = float64, .requires_grad = true});
    Tensor inner = tanh(x);  // its rule reads its own output: graph and handle both keep it
    Tensor y = sum(inner * 2.0);
    std::thread dropper([handle = std::move(inner)]() mutable { handle = Tensor(); });
    y.backward();
    dropper.join();
    CHECK(x.grad().at({0}) > 0);
  }
}

TEST_CASE("NoGrad and the default dtype are each thread's own") {
  const NoGrad no_grad;
  const DefaultDtype in_double(float64);
  bool recording = false;
  Dtype dtype = float64;
  std::thread other([&] {
    recording = is_recording();
    dtype = default_dtype();
  });
  other.join();
  CHECK(recording);
  CHECK(dtype == float32);
}
