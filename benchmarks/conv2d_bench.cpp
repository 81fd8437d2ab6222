// The kernels of convolution on one thread, in multiply-adds a second times two, beside one large matrix
// product by BLAS in the same run: how near they are to what the machine can do.

#include <benchmark/benchmark.h>

#include "xtgrad/xtgrad.h"

namespace {

using xtgrad::Tensor;

struct Layer {
  std::int64_t n, in, size, out, kernel, stride;
};

constexpr Layer layers[] = {{128, 1, 28, 16, 3, 1}, {128, 16, 14, 32, 3, 1}, {8, 64, 56, 64, 3, 1},
                            {8, 3, 64, 32, 7, 2},   {8, 32, 28, 64, 3, 2},   {8, 64, 28, 64, 1, 1},
                            {4, 256, 7, 256, 3, 1}};

void count_flops(benchmark::State& state, double multiply_adds) {
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * multiply_adds * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// which: 0 forward, 1 the gradient of the input, 2 that of the weight.
void convolution(benchmark::State& state) {
  xtgrad::set_num_threads(1);
  const Layer& l = layers[state.range(0)];
  const auto which = state.range(1);
  const xtgrad::Conv2dOptions options{.stride = l.stride, .padding = (l.kernel - 1) / 2};
  const Tensor x = xtgrad::randn({l.n, l.in, l.size, l.size});
  const Tensor weight = xtgrad::randn({l.out, l.in, l.kernel, l.kernel});
  const Tensor y = xtgrad::conv2d(x, weight, options);
  const std::int64_t rest = (l.size + 2 * options.padding.height - l.kernel) % l.stride;
  for (auto _ : state) {
    if (which == 0) benchmark::DoNotOptimize(xtgrad::conv2d(x, weight, options));
    if (which == 1) {
      benchmark::DoNotOptimize(xtgrad::conv_transpose2d(
          y, weight, {.stride = l.stride, .padding = options.padding, .output_padding = rest}));
    }
    if (which == 2) benchmark::DoNotOptimize(xtgrad::conv2d_weight_grad(x, y, l.kernel, options));
  }
  const char* names[] = {"forward", "input gradient", "weight gradient"};
  state.SetLabel(std::string(names[which]) + " " + to_string(x.shape()) + " by " + to_string(weight.shape()));
  count_flops(state, static_cast<double>(y.numel() * l.in * l.kernel * l.kernel));
}

void matrix_product(benchmark::State& state) {
  xtgrad::set_num_threads(1);
  const Tensor a = xtgrad::randn({512, 512});
  for (auto _ : state) benchmark::DoNotOptimize(xtgrad::matmul(a, a));
  count_flops(state, 512.0 * 512 * 512);
}

BENCHMARK(matrix_product);
BENCHMARK(convolution)->ArgsProduct({benchmark::CreateDenseRange(0, 6, 1), {0, 1, 2}});

}  // namespace

BENCHMARK_MAIN();
