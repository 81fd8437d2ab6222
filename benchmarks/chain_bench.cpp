// What one small operation costs, forward and backward together: a 0-d chain of scale and tanh, against the
// least that any engine pays for a node, one malloc/free pair of 128 bytes and one virtual call.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int operations = 1000;

struct Shape {
  virtual ~Shape() = default;
  virtual int sides(int x) const = 0;
};
struct Square final : Shape {
  int sides(int x) const override { return x + 4; }
};
struct Triangle final : Shape {
  int sides(int x) const override { return x + 3; }
};

/// One malloc/free pair and one virtual call for each operation of the chain.
void baseline_pass() {
  static const Square square;
  static const Triangle triangle;
  const Shape* shapes[] = {&square, &triangle};
  benchmark::DoNotOptimize(shapes);
  int sum = 0;
  for (int i = 0; i < operations; ++i) {
    void* block = std::malloc(128);
    benchmark::DoNotOptimize(block);
    sum = shapes[i & 1]->sides(sum);
    std::free(block);
  }
  benchmark::DoNotOptimize(sum);
}

void chain_pass(const xtgrad::Tensor& start) {
  xtgrad::Tensor y = start;
  for (int i = 0; i < operations / 2; ++i) y = xtgrad::tanh(y * 1.01);
  y.backward();
  start.clear_grad();
}

/// Keeps a second thread alive, so that reference counts have to be atomic.
class Companion {
 public:
  Companion() : thread_([this] { wait(); }) {}
  ~Companion() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return done_; });
  }
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  std::thread thread_;
};

double nanoseconds(Clock::duration d) { return std::chrono::duration<double, std::nano>(d).count(); }

/// Alternates the two, so that a change of the machine's speed meets both, and reports the median of the
/// ratios.
void paired(benchmark::State& state, xtgrad::Dtype dtype) {
  const xtgrad::Tensor start = xtgrad::full({}, 0.5, {.dtype = dtype, .requires_grad = true});
  std::vector<double> ratios;
  double chain_time = 0;
  double baseline_time = 0;
  chain_pass(start);
  for (auto _ : state) {
    const auto t0 = Clock::now();
    chain_pass(start);
    const auto t1 = Clock::now();
    for (int i = 0; i < 8; ++i) baseline_pass();
    const auto t2 = Clock::now();
    const double chain = nanoseconds(t1 - t0);
    const double baseline = nanoseconds(t2 - t1) / 8;
    chain_time += chain;
    baseline_time += baseline;
    ratios.push_back(chain / baseline);
  }
  std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2),
                   ratios.end());
  const auto passes = static_cast<double>(ratios.size()) * operations;
  state.counters["op_ns"] = chain_time / passes;
  state.counters["malloc_virtual_ns"] = baseline_time / passes;
  state.counters["ratio_median"] = ratios[ratios.size() / 2];
}

void scale_tanh_chain(benchmark::State& state) { paired(state, xtgrad::float32); }
void scale_tanh_chain_float64(benchmark::State& state) { paired(state, xtgrad::float64); }
void scale_tanh_chain_two_threads(benchmark::State& state) {
  const Companion companion;
  paired(state, xtgrad::float32);
}

// The single-threaded ones come first: once a process has had a second thread, counts stay atomic.
BENCHMARK(scale_tanh_chain);
BENCHMARK(scale_tanh_chain_float64);
BENCHMARK(scale_tanh_chain_two_threads);

}  // namespace

BENCHMARK_MAIN();
