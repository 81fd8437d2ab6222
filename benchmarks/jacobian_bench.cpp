// What a Jacobian of 26 rows costs against 26 sweeps: of a chain of 100 elementwise operations, a small MLP
// and a kinematic chain of some hundred small operations; and so where the result can be differentiated
// again.

#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "xtgrad/xtgrad.h"

namespace {

using xtgrad::Tensor;

constexpr std::int64_t rows = 26;

Tensor chain(const Tensor& x) {
  Tensor y = x;
  for (int i = 0; i < 50; ++i) y = sin(y) * 0.9;
  return y;
}

struct Layers {
  explicit Layers(xtgrad::Random& random)
      : first(randn({64, rows}, random)), second(randn({64, 64}, random)), third(randn({rows, 64}, random)) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor hidden = tanh(matmul(second, tanh(matmul(first, reshape(x, {rows, 1})))));
    return reshape(matmul(third, hidden), {rows});
  }
  Tensor first, second, third;
};

/// 13 joints, each with an angle and a length, to where they are in a plane.
struct Joints {
  explicit Joints(xtgrad::Random& random) : points(randn({3, rows / 2}, random)) {}
  Tensor operator()(const Tensor& x) const {
    Tensor rotation = xtgrad::eye(3);
    const Tensor zero = xtgrad::zeros({1}), one = xtgrad::ones({1});
    std::vector<Tensor> places;
    for (std::int64_t k = 0; k < rows / 2; ++k) {
      const Tensor angle = slice(x, {.start = 2 * k, .stop = 2 * k + 1});
      const Tensor c = cos(angle), s = sin(angle);
      rotation =
          matmul(rotation, reshape(xtgrad::concat({c, -s, zero, s, c, zero, zero, zero, one}), {3, 3}));
      const Tensor place = matmul(rotation, slice(points, {.axis = 1, .start = k, .stop = k + 1}));
      const Tensor length = slice(x, {.start = 2 * k + 1, .stop = 2 * k + 2});
      places.push_back(reshape(slice(place * reshape(length, {1, 1}), {.stop = 2}), {2}));
    }
    return xtgrad::concat(places);
  }
  Tensor points;
};

using Function = std::function<Tensor(const Tensor&)>;

Function function(int which) {
  xtgrad::Random random(1);
  if (which == 0) return chain;
  if (which == 1) return Layers(random);
  return Joints(random);
}

Tensor point(bool records) {
  xtgrad::Random random(2);
  return randn({rows}, random).set_requires_grad(records);
}

/// One row, of a function that has been called.
void BM_Sweep(benchmark::State& state) {
  const Function f = function(static_cast<int>(state.range(0)));
  const bool records = state.range(1) != 0;
  const xtgrad::Pullback pullback = xtgrad::vjp(f, point(records));
  const Tensor row = xtgrad::eye(rows)[0];
  std::optional<xtgrad::NoGrad> no_history;
  if (!records) no_history.emplace();
  for (auto _ : state) benchmark::DoNotOptimize(pullback(row));
}

/// The function itself, and all rows.
void BM_Jacobian(benchmark::State& state) {
  const Function f = function(static_cast<int>(state.range(0)));
  const bool records = state.range(1) != 0;
  const Tensor x = point(records);
  std::optional<xtgrad::NoGrad> no_history;
  if (!records) no_history.emplace();
  for (auto _ : state) benchmark::DoNotOptimize(xtgrad::jacobian(f, x));
}

void BM_Function(benchmark::State& state) {
  const Function f = function(static_cast<int>(state.range(0)));
  const Tensor x = point(state.range(1) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(xtgrad::vjp(f, x).outputs());
}

void functions(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"function", "recorded"})->ArgsProduct({{0, 1, 2}, {0, 1}});
}

BENCHMARK(BM_Function)->Apply(functions);
BENCHMARK(BM_Sweep)->Apply(functions);
BENCHMARK(BM_Jacobian)->Apply(functions);

}  // namespace
