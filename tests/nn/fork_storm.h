// fork() beside threads that do all that takes a lock.
#pragma once

#include <atomic>
#include <cmath>
#include <cstdint>
#include <thread>
#include <vector>

#include "tests/support/forks.h"
#include "tests/support/thread_count.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/random_tensors.h"
#include "xtgrad/nn/mlp.h"

namespace nn_test {

using namespace xtgrad;

/// Threads that start and end threads, and add to the gradient of a leaf, until it ends.
class ForkStorm {
 public:
  ForkStorm() {
    for (int i = 0; i < 3; ++i) threads_.emplace_back([this] { start_and_end_threads(); });
    threads_.emplace_back([this] { add_to_leaf(); });
    threads_.emplace_back([this] { spread_operations(); });
  }
  ~ForkStorm() {
    ends_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  ForkStorm(const ForkStorm&) = delete;
  ForkStorm& operator=(const ForkStorm&) = delete;

  /// What a child computes, with each of the locks: 0 if it is right.
  int compute() {
    if (sum(ones({3, 4})).item() != 12) return 1;
    if (matmul(ones({40, 30}), ones({30, 20})).at({39, 19}) != 30) return 2;
    if (sum(exp(zeros({300'000}))).item() != 300'000) return 3;
    if (!std::isfinite(sum(randn({5})).item())) return 4;
    sum(leaf_ * 2.0).backward();
    if (!leaf_.grad().defined()) return 5;
    nn::MLP model({.sizes = {4, 3, 2}});
    sum(model(ones({1, 4}))).backward();
    if (model.parameters().size() != 4) return 6;
    int in_thread = 7;
    std::thread([&] {
      in_thread = sum(ones({5})).item() == 5 && default_random().next_uniform() < 1 ? 0 : 7;
    }).join();
    return in_thread;
  }

 private:
  void start_and_end_threads() {
    while (!ends_) {
      std::thread([] {
        const Tensor mine = randn({5});
        const nn::Parameter parameter(mine);
      }).join();
    }
  }
  void add_to_leaf() {
    while (!ends_) sum(leaf_ * 3.0).backward();
  }
  void spread_operations() {
    for (int round = 0; !ends_; ++round) {
      const testing::ThreadCount count(2 + round % 2);
      static_cast<void>(matmul(exp(zeros({300, 200})), ones({200, 10})));
      nn::MLP model({.sizes = {4, 3, 2}});
      static_cast<void>(model.parameters());
    }
  }

  Tensor leaf_ = full({4}, 0.5, {.dtype = float64, .requires_grad = true});
  std::atomic<bool> ends_{false};
  std::vector<std::thread> threads_;
};

/// The number of children, of as many, that hung, and of those that ended with another code than 0.
struct Ends {
  int hung = 0;
  int wrong = 0;
};

inline Ends fork_beside_threads(int forks) {
  ForkStorm storm;
  Ends ends;
  for (int i = 0; i < forks; ++i) {
    const testing::ChildEnd end = testing::in_child([&] { return storm.compute(); });
    ends.hung += end.hung ? 1 : 0;
    ends.wrong += !end.hung && end.code != 0 ? 1 : 0;
  }
  return ends;
}

}  // namespace nn_test
