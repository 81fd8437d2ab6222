// What the samples of layer_norm do not say: rows far from zero and at the ends of float32's range, special
// values, what is kept, and independence of the number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <span>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random_tensors.h"

namespace xtgrad::inline v1::testing { namespace {

/// Of a row whose numbers are x: the normalised ones, in long double.
std::vector<long double> normalised(const Tensor& x, std::int64_t row, long double eps) {
  const std::int64_t n = x.size(1);
  long double mean = 0, variance = 0;
  for (std::int64_t j = 0; j < n; ++j) mean += static_cast<long double>(x.at({row, j}));
  mean /= static_cast<long double>(n);
  std::vector<long double> z;
  for (std::int64_t j = 0; j < n; ++j) z.push_back(static_cast<long double>(x.at({row, j})) - mean);
  for (const long double d : z) variance += d * d / static_cast<long double>(n);
  for (long double& d : z) d /= std::sqrt(variance + eps);
  return z;
}

TEST_CASE("layer_norm: a mean far from zero and numbers of any size cost no digits") {
  Random random(1);
  for (const std::int64_t n : {5, 64, 300}) {
    for (const double offset : {0.0, 1e2, 1e4}) {
      for (const double scale : {1.0, 1e-25, 1e25}) {
        CAPTURE(n);
        CAPTURE(offset);
        CAPTURE(scale);
        const double eps = 1e-5 * scale * scale;
        const Tensor x = (randn({6, n}, random) + offset) * scale;
        const Tensor y = layer_norm(x, ones({n}), zeros({n}), {.eps = eps});
        double worst = 0;
        for (std::int64_t i = 0; i < 6; ++i) {
          const std::vector<long double> want = normalised(x, i, static_cast<long double>(eps));
          for (std::int64_t j = 0; j < n; ++j) {
            const long double z = want[static_cast<std::size_t>(j)];
            worst = std::max(worst,
                             static_cast<double>(std::abs(y.at({i, j}) - z) / std::max(1e-3L, std::abs(z))));
          }
        }
        // Two differences, the root's rounding, the product's.
        CHECK(worst <= 4 * 0x1p-24);
      }
    }
  }
}

TEST_CASE(
    "layer_norm: gradients of rows whose deviation is out of float32's range are those of rows near 1") {
  Random random(2);
  const Tensor base = randn({5, 20}, random), g = randn({5, 20}, random),
               w = uniform({20}, {.low = 0.5, .high = 1.5}, random);
  const auto gradients = [&](double scale) {
    Tensor x = (base * scale).detach().set_requires_grad();
    Tensor weight = w.detach().set_requires_grad();
    Tensor bias = zeros({20}).set_requires_grad();
    const Tensor y = layer_norm(x, weight, bias, {.eps = 1e-3 * scale * scale});
    std::vector<Tensor> all = grad({y}, {x, weight, bias}, {.cotangents = {g}});
    all[0] = all[0].to(float64) * scale;
    return all;
  };
  const std::vector<Tensor> want = gradients(1);
  for (const double scale : {0x1p-70, 0x1p70}) {
    const std::vector<Tensor> got = gradients(scale);
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(i);
      CAPTURE(scale);
      CHECK(amax(abs(got[i] - want[i].to(got[i].dtype()))).item() <= 4e-6);
      CHECK(amax(abs(want[i])).item() > 0.1);
    }
  }
}

TEST_CASE("layer_norm: a constant row becomes the bias, and its gradient is finite") {
  for (const std::int64_t n : {1, 20}) {
    Tensor x = full({4, n}, 3).set_requires_grad();
    const Tensor y = layer_norm(x, full({n}, 5), full({n}, -1));
    CHECK(amax(abs(y + 1)).item() == 0);
    Random random(2);
    const Tensor dx = grad({y}, {x}, {.cotangents = {randn(y.shape(), random)}})[0];
    for (const float v : dx.data<float>()) CHECK(std::isfinite(v));
  }
}

TEST_CASE("layer_norm: an infinite element spoils its own row and no other") {
  for (const double bad : {HUGE_VAL, std::nan("")}) {
    Random random(3);
    std::vector<float> values(40, 1);
    for (float& v : values) v = static_cast<float>(random.next_normal());
    values[0] = static_cast<float>(bad);
    Tensor x = from_span(std::span<const float>(values), {2, 20}).set_requires_grad();
    const Tensor y = layer_norm(x, ones({20}), ones({20}));
    const Tensor dx = grad({y}, {x}, {.cotangents = {ones_like(y)}})[0];
    for (std::int64_t j = 0; j < 20; ++j) {
      CHECK(std::isnan(y.at({0, j})));
      CHECK(std::isfinite(y.at({1, j})));
      CHECK(std::isnan(dx.at({0, j})));
      CHECK(std::isfinite(dx.at({1, j})));
    }
  }
}

TEST_CASE("layer_norm: x's gradient is orthogonal to constants and to the normalised x") {
  Random random(4);
  Tensor x = randn({6, 60}, random, {.dtype = float64, .requires_grad = true});
  const Tensor one = ones({60}, {.dtype = float64});
  const Tensor z = layer_norm(x, one, zeros({60}, {.dtype = float64}), {.eps = 0});
  const Tensor g = randn(x.shape(), random, {.dtype = float64});
  const Tensor dx = grad({z}, {x}, {.cotangents = {g}, .keep_graph = true})[0];
  CHECK(amax(abs(sum(dx, {.axes = 1}))).item() < 1e-13);
  CHECK(amax(abs(sum(dx * z, {.axes = 1}))).item() < 1e-13);
  CHECK(amax(abs(dx)).item() > 0.1);
}

TEST_CASE("layer_norm: the bias alone keeps no value") {
  Tensor bias = zeros({64}, {.requires_grad = true});
  Random random(5);
  const Tensor values = randn({300, 64}, random);
  const std::int64_t before = detail::pool_stats().live_bytes;
  const Tensor y = layer_norm(values * 2, ones({64}), bias);
  CHECK(detail::pool_stats().live_bytes - before < 2 * y.numel() * 4);  // y, and not x
  CHECK(amax(abs(grad({y}, {bias}, {.cotangents = {ones_like(y)}})[0] - 300)).item() == 0);
}

TEST_CASE("layer_norm: the same bits for any number of threads") {
  Random random(6);
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = randn({700, 130}, random, {.dtype = dtype, .requires_grad = true});
    const Tensor w = randn({130}, random, {.dtype = dtype, .requires_grad = true});
    const Tensor b = randn({130}, random, {.dtype = dtype, .requires_grad = true});
    const Tensor g = randn({700, 130}, random, {.dtype = dtype});
    std::vector<std::vector<Tensor>> results;
    for (const int threads : {1, 3}) {
      const ThreadCount count(threads);
      const Tensor y = layer_norm(x, w, b);
      results.push_back(grad({y}, {x, w, b}, {.cotangents = {g}}));
      results.back().push_back(y.detach());
    }
    for (std::size_t i = 0; i < 4; ++i) CHECK(amax(abs(results[0][i] - results[1][i])).item() == 0);
  }
}

}}  // namespace xtgrad::v1::testing
