#include "xtgrad/autograd/jacobian_pattern.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/transforms.h"
#include "xtgrad/optim/residual_map.h"

namespace xtgrad {
namespace {

using detail::JacobianPattern;

Tensor table(const std::vector<std::int64_t>& columns, std::int64_t width) {
  return from_span(std::span<const std::int64_t>(columns),
                   {static_cast<std::int64_t>(columns.size()) / width, width});
}

}  // namespace

TEST_CASE(
    "JacobianPattern: as many colours as a residual has parameters, where these are in blocks or a band") {
  // Each of 5 cameras of 6 numbers sees each of 7 points of 3: two residuals of 9 parameters.
  std::vector<std::int64_t> seen;
  for (std::int64_t camera = 0; camera < 5; ++camera) {
    for (std::int64_t point = 0; point < 7; ++point) {
      for (int axis = 0; axis < 2; ++axis) {
        for (std::int64_t i = 0; i < 6; ++i) seen.push_back(camera * 6 + i);
        for (std::int64_t i = 0; i < 3; ++i) seen.push_back(30 + point * 3 + i);
      }
    }
  }
  CHECK(JacobianPattern("test", table(seen, 9), 70, 51).colors() == 9);
  std::vector<std::int64_t> band;
  for (std::int64_t i = 0; i < 40; ++i) band.insert(band.end(), {i - 1, i, i + 1 < 40 ? i + 1 : -1});
  CHECK(JacobianPattern("test", table(band, 3), 40, 40).colors() == 3);
  CHECK(JacobianPattern("test", table({-1, -1}, 1), 2, 4).colors() == 0);
  CHECK(JacobianPattern("test", table({3, 3}, 1), 2, 4).colors() == 1);
}

TEST_CASE("JacobianPattern: elements are those of jacobian, and products those of its matrix") {
  Random random(4);
  constexpr std::int64_t n = 12;
  std::vector<std::int64_t> band;
  for (std::int64_t i = 0; i < n; ++i)
    band.insert(band.end(), {i, (i + 5) % n, i % 3 == 0 ? -1 : (i + 1) % n});
  const auto f = [](const Tensor& x) {
    std::vector<Tensor> rows;
    for (std::int64_t i = 0; i < n; ++i) {
      const Tensor some = i % 3 == 0 ? x[i] : x[i] * exp(x[(i + 1) % n]);
      rows.push_back(some + sin(x[(i + 5) % n]));
    }
    return stack(rows);
  };
  nn::Parameter p(randn({n}, random, {.dtype = float64}));
  const std::vector cells{p.cell()};
  const optim::detail::FlatParameters flat("test", cells);
  const Callable<Tensor()> residuals = [&] { return f(p.tensor()); };
  optim::detail::ResidualMap map("test", flat, residuals);
  const JacobianPattern pattern("test", table(band, 3), n, n);
  CHECK(pattern.colors() < 8);
  const Tensor values = pattern.values([&map](const Tensor& v) { return map.push(v); });
  const Tensor whole = jacobian(f, p.tensor().detach());
  const auto close = [](const Tensor& a, const Tensor& b) { return amax(abs(a - b)).item() < 1e-12; };
  CHECK(close(pattern.dense(values), whole));
  CHECK(close(pattern.normal_matrix(values), matmul(whole, whole, {.transpose_a = true})));
  const Tensor v = randn({n}, random, {.dtype = float64});
  CHECK(close(pattern.push(values, v), reshape(matmul(whole, reshape(v, {n, 1})), {n})));
  CHECK(close(map.push(v), pattern.push(values, v)));
  CHECK(
      close(pattern.pull(values, v), reshape(matmul(whole, reshape(v, {n, 1}), {.transpose_a = true}), {n})));
  CHECK(close(map.pull(v), pattern.pull(values, v)));
}

}  // namespace xtgrad
