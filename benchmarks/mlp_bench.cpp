// A whole training step (forward, loss, backward, Adam) of a multi-layer perceptron, against the same step
// written by hand on BLAS, in one run, on one thread. The ratio is xtgrad's time over the hand-written
// code's.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include "benchmarks/hand_written_mlp.h"
#include "xtgrad/xtgrad.h"

namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration d) { return std::chrono::duration<double, std::micro>(d).count(); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void training_step(benchmark::State& state, const std::vector<int>& sizes, int batch) {
  xtgrad::set_num_threads(1);
  xtgrad::Random random(0);
  const xtgrad::Tensor x = xtgrad::uniform({batch, sizes.front()}, {}, random);
  const xtgrad::Tensor labels = (xtgrad::uniform({batch}, {.high = 9.999}, random)).to(xtgrad::int64);
  xtgrad::nn::MLP model({.sizes = std::vector<std::int64_t>(sizes.begin(), sizes.end())});
  xtgrad::optim::Adam adam(model.parameters(), {.lr = 1e-3});
  HandWrittenMlp by_hand(sizes, batch);
  const auto ours = [&] {
    const xtgrad::Tensor loss = xtgrad::nn::cross_entropy(model(x), labels);
    adam.zero_grad();
    loss.backward();
    adam.step();
  };
  const auto theirs = [&] {
    benchmark::DoNotOptimize(by_hand.step(x.data<float>().data(), labels.data<std::int64_t>().data()));
  };
  ours();
  theirs();
  std::vector<double> our_times;
  std::vector<double> their_times;
  std::vector<double> ratios;
  for (auto _ : state) {
    const auto t0 = Clock::now();
    ours();
    const auto t1 = Clock::now();
    theirs();
    const auto t2 = Clock::now();
    our_times.push_back(microseconds(t1 - t0));
    their_times.push_back(microseconds(t2 - t1));
    ratios.push_back(our_times.back() / their_times.back());
  }
  state.counters["xtgrad_us"] = median(our_times);
  state.counters["by_hand_us"] = median(their_times);
  state.counters["ratio_median"] = median(ratios);
}

void digits_mlp(benchmark::State& state) { training_step(state, {64, 128, 10}, 32); }
void mnist_mlp(benchmark::State& state) { training_step(state, {784, 256, 128, 10}, 128); }

BENCHMARK(digits_mlp);
BENCHMARK(mnist_mlp);

}  // namespace

BENCHMARK_MAIN();
