// What one small operation costs, forward and backward together: a 0-d chain of scale and tanh, against the
// least that any engine pays for a node, one malloc/free pair of 128 bytes and one virtual call; and the same
// by grad(), to the leaf and to a tensor within the chain, against backward().

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

/// The chain from the leaf, and the gradient by grad().
void grad_pass(const xtgrad::Tensor& start) {
  xtgrad::Tensor y = start;
  for (int i = 0; i < operations / 2; ++i) y = xtgrad::tanh(y * 1.01);
  benchmark::DoNotOptimize(xtgrad::grad({y}, {start}));
}

/// The same, to the chain's first tensor: what is computed has to be looked for.
void inner_grad_pass(const xtgrad::Tensor& start) {
  const xtgrad::Tensor first = start * 1.01;
  xtgrad::Tensor y = xtgrad::tanh(first);
  for (int i = 1; i < operations / 2; ++i) y = xtgrad::tanh(y * 1.01);
  benchmark::DoNotOptimize(xtgrad::grad({y}, {first}));
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

xtgrad::Tensor leaf(xtgrad::Dtype dtype) {
  return xtgrad::full({}, 0.5, {.dtype = dtype, .requires_grad = true});
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Alternates the two, so that a change of the machine's speed meets both, and reports the median of the
/// ratios.
void paired(benchmark::State& state, xtgrad::Dtype dtype) {
  const xtgrad::Tensor start = leaf(dtype);
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
  const auto passes = static_cast<double>(ratios.size()) * operations;
  state.counters["op_ns"] = chain_time / passes;
  state.counters["malloc_virtual_ns"] = baseline_time / passes;
  state.counters["ratio_median"] = median(ratios);
}

/// The same of grad() and backward(), each with its forward.
void grad_paired(benchmark::State& state, void (*pass)(const xtgrad::Tensor&)) {
  const xtgrad::Tensor start = leaf(xtgrad::float32);
  std::vector<double> ratios;
  double grad_time = 0;
  double backward_time = 0;
  chain_pass(start);
  pass(start);
  for (auto _ : state) {
    const auto t0 = Clock::now();
    chain_pass(start);
    const auto t1 = Clock::now();
    pass(start);
    const auto t2 = Clock::now();
    backward_time += nanoseconds(t1 - t0);
    grad_time += nanoseconds(t2 - t1);
    ratios.push_back(nanoseconds(t2 - t1) / nanoseconds(t1 - t0));
  }
  const auto passes = static_cast<double>(ratios.size()) * operations;
  state.counters["grad_op_ns"] = grad_time / passes;
  state.counters["backward_op_ns"] = backward_time / passes;
  state.counters["ratio_median"] = median(ratios);
}

void scale_tanh_chain(benchmark::State& state) { paired(state, xtgrad::float32); }
void scale_tanh_chain_float64(benchmark::State& state) { paired(state, xtgrad::float64); }
void scale_tanh_chain_two_threads(benchmark::State& state) {
  const Companion companion;
  paired(state, xtgrad::float32);
}

void scale_tanh_chain_grad(benchmark::State& state) { grad_paired(state, grad_pass); }
void scale_tanh_chain_inner_grad(benchmark::State& state) { grad_paired(state, inner_grad_pass); }
void scale_tanh_chain_grad_two_threads(benchmark::State& state) {
  const Companion companion;
  grad_paired(state, grad_pass);
}

// The single-threaded ones come first: once a process has had a second thread, counts stay atomic.
BENCHMARK(scale_tanh_chain);
BENCHMARK(scale_tanh_chain_float64);
BENCHMARK(scale_tanh_chain_grad);
BENCHMARK(scale_tanh_chain_inner_grad);
BENCHMARK(scale_tanh_chain_two_threads);
BENCHMARK(scale_tanh_chain_grad_two_threads);

}  // namespace

BENCHMARK_MAIN();
