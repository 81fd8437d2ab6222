// A whole training step (forward, loss, backward, Adam) of a small convolutional network on 1x28x28 images,
// against the same step with libtorch, in one run, on one thread. Ratios are libtorch's time over xtgrad's.

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t batch = 128;

double milliseconds(Clock::duration d) { return std::chrono::duration<double, std::milli>(d).count(); }

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

torch::nn::Sequential torch_model(bool pool_first) {
  namespace tn = torch::nn;
  tn::Sequential model;
  const auto stage = [&](std::int64_t in, std::int64_t out) {
    model->push_back(tn::Conv2d(tn::Conv2dOptions(in, out, 3).padding(1)));
    if (pool_first) model->push_back(tn::MaxPool2d(2));
    model->push_back(tn::ReLU());
    if (!pool_first) model->push_back(tn::MaxPool2d(2));
  };
  stage(1, 16);
  stage(16, 32);
  model->push_back(tn::Flatten());
  model->push_back(tn::Linear(32 * 7 * 7, 128));
  model->push_back(tn::ReLU());
  model->push_back(tn::Linear(128, 10));
  return model;
}

/// Gives both models the same weights, so that they compute the same thing.
void copy_weights(const xtgrad::nn::ConvNet& from, torch::nn::Sequential& to) {
  const torch::NoGradGuard no_grad;
  const auto ours = from.parameters();
  const auto theirs = to->parameters();
  if (ours.size() != theirs.size()) throw std::logic_error("the models differ");
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const xtgrad::Tensor ours_i = ours[i]->tensor();
    const auto values = ours_i.data<float>();
    if (static_cast<std::int64_t>(values.size()) != theirs[i].numel())
      throw std::logic_error("the models differ");
    std::memcpy(theirs[i].data_ptr<float>(), values.data(), values.size_bytes());
  }
}

void training_step(benchmark::State& state, bool pool_first) {
  xtgrad::set_num_threads(1);
  torch::set_num_threads(1);
  xtgrad::Random random(0);
  const xtgrad::Tensor x = xtgrad::uniform({batch, 1, 28, 28}, {}, random);
  const xtgrad::Tensor labels = xtgrad::uniform({batch}, {.high = 9.999}, random).to(xtgrad::int64);
  xtgrad::nn::ConvNet model;
  xtgrad::optim::Adam adam(model.parameters(), {.lr = 1e-3});

  torch::Tensor tx = torch::empty({batch, 1, 28, 28});
  torch::Tensor tlabels = torch::empty({batch}, torch::kInt64);
  std::memcpy(tx.data_ptr<float>(), x.data<float>().data(), x.data<float>().size_bytes());
  std::memcpy(tlabels.data_ptr<std::int64_t>(), labels.data<std::int64_t>().data(),
              labels.data<std::int64_t>().size_bytes());
  torch::nn::Sequential tmodel = torch_model(pool_first);
  copy_weights(model, tmodel);
  torch::optim::Adam tadam(tmodel->parameters(), torch::optim::AdamOptions(1e-3));

  const auto ours = [&] {
    const xtgrad::Tensor loss = xtgrad::nn::cross_entropy(model(x), labels);
    adam.zero_grad();
    loss.backward();
    adam.step();
    return loss.item();
  };
  const auto theirs = [&] {
    const torch::Tensor loss = torch::nn::functional::cross_entropy(tmodel->forward(tx), tlabels);
    tadam.zero_grad();
    loss.backward();
    tadam.step();
    return loss.item<double>();
  };
  for (int step = 0; step < 3; ++step) {
    const double a = ours();
    const double b = theirs();
    if (!(std::abs(a - b) < 1e-3)) throw std::logic_error("the losses differ");
  }
  std::vector<double> our_times;
  std::vector<double> their_times;
  std::vector<double> ratios;
  for (auto _ : state) {
    const auto t0 = Clock::now();
    benchmark::DoNotOptimize(ours());
    const auto t1 = Clock::now();
    benchmark::DoNotOptimize(theirs());
    const auto t2 = Clock::now();
    our_times.push_back(milliseconds(t1 - t0));
    their_times.push_back(milliseconds(t2 - t1));
    ratios.push_back(their_times.back() / our_times.back());
  }
  state.counters["xtgrad_ms"] = median(our_times);
  state.counters["libtorch_ms"] = median(their_times);
  state.counters["ratio_median"] = median(ratios);
}

void conv_net(benchmark::State& state) { training_step(state, false); }
/// libtorch with pooling before relu, as ConvNet orders them: the same function, with less work.
void conv_net_pool_first(benchmark::State& state) { training_step(state, true); }

BENCHMARK(conv_net)->Iterations(60)->Unit(benchmark::kMillisecond);
BENCHMARK(conv_net_pool_first)->Iterations(60)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
