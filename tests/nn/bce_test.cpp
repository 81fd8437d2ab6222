// bce_with_logits: values against long double, both ends of the range, reductions, weights, errors.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/losses.h"

using namespace xtgrad;
using nn::Reduction;
using nn_test::close;
using nn_test::elements;

namespace {

using Real = long double;

/// log(1 + e^x)
Real softplus_of(Real x) { return std::fmax(x, 0.0L) + std::log1p(std::exp(-std::fabs(x))); }

Real item(Real x, Real y, Real p = 1, Real w = 1) {
  return w * ((1 - y) * softplus_of(x) + p * y * softplus_of(-x));
}

Tensor filled(const std::vector<double>& values, Dtype dtype) { return from_vector(values).to(dtype); }

}  // namespace

TEST_CASE("each element is the textbook's value, to the last digits, however confident the logit") {
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-15 : 5e-7;
    for (const double y : {0.0, 0.25, 0.5, 1.0}) {
      const std::vector<double> at{-1e3, -88, -41, -40, -30, -10, -1, 0, 0.5, 10, 30, 39, 40, 41, 88, 1e3};
      const Tensor x = filled(at, dtype);
      const std::vector<double> got = elements(
          nn::bce_with_logits(x, full(x.shape(), y, {.dtype = dtype}), {.reduction = Reduction::none}));
      for (std::size_t i = 0; i < at.size(); ++i) {
        CAPTURE(at[i]);
        CAPTURE(y);
        const auto want = static_cast<double>(item(at[i], y));
        // What float32 cannot hold is 0 there, as e^-1000 is in both.
        CHECK((close(got[i], want, tolerance) || (want < 1e-37 && got[i] == 0)));
      }
    }
  }
}

TEST_CASE("first and second derivatives are right at |x| = 1e3 and at 0") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double y : {0.0, 0.25, 1.0}) {
      const std::vector<double> at{-1e3, -10, 0, 10, 1e3};
      const Tensor x = filled(at, dtype).set_requires_grad();
      const Tensor target = full(x.shape(), y, {.dtype = dtype});
      const Tensor loss =
          nn::bce_with_logits(x, target, {.pos_weight = filled({3}, dtype), .reduction = Reduction::sum});
      const Tensor first = grad({loss}, {x}, {.create_graph = true})[0];
      const std::vector<double> second = elements(grad({sum(first)}, {x})[0]);
      const std::vector<double> slope = elements(first);
      for (std::size_t i = 0; i < at.size(); ++i) {
        CAPTURE(at[i]);
        CAPTURE(y);
        const Real s = 1 / (1 + std::exp(-static_cast<Real>(at[i])));
        const Real t = 1 / (1 + std::exp(static_cast<Real>(at[i])));
        const auto d1 = static_cast<double>((1 - static_cast<Real>(y)) * s - 3 * static_cast<Real>(y) * t);
        const auto d2 = static_cast<double>((1 - static_cast<Real>(y) + 3 * static_cast<Real>(y)) * s * t);
        const double tolerance = dtype == float64 ? 1e-15 : 3e-7;
        CHECK(std::abs(slope[i] - d1) <= tolerance * std::max(1.0, std::abs(d1)));
        CHECK(std::abs(second[i] - d2) <= tolerance * std::max(1.0, std::abs(d2)));
      }
    }
  }
}

TEST_CASE("the derivative in a target is that of a linear function") {
  const Tensor x = tensor({-2, 0.5}, {.dtype = float64});
  const Tensor y = tensor({0.25, 1}, {.dtype = float64, .requires_grad = true});
  nn::bce_with_logits(x, y, {.reduction = Reduction::sum}).backward();
  // s(-x) - s(x) = -x
  const std::vector<double> g = elements(y.grad());
  CHECK(close(g[0], 2, 1e-15));
  CHECK(close(g[1], -0.5, 1e-15));
}

TEST_CASE("reductions and weights") {
  const std::vector<double> x{-1.5, 0.25, 2, -0.5, 1, 3};
  const std::vector<double> y{0, 1, 0.75, 1, 0, 1};
  const std::vector<double> p{2, 0.5, 3};
  const std::vector<double> w{0.5, 4};
  for (const Dtype dtype : {float32, float64}) {
    const double tolerance = dtype == float64 ? 1e-15 : 5e-7;
    const auto matrix = [&](const std::vector<double>& v) { return reshape(filled(v, dtype), Shape{2, 3}); };
    const auto check = [&](nn::BceWithLogitsOptions options, const auto& want) {
      options.reduction = Reduction::none;
      const Tensor each = nn::bce_with_logits(matrix(x), matrix(y), options);
      CHECK(each.shape() == Shape{2, 3});
      CHECK(each.dtype() == dtype);
      const std::vector<double> got = elements(each);
      Real total = 0;
      for (std::size_t i = 0; i < 6; ++i) {
        CHECK(close(got[i], static_cast<double>(want(i)), tolerance));
        total += want(i);
      }
      options.reduction = Reduction::sum;
      CHECK(close(nn::bce_with_logits(matrix(x), matrix(y), options).item(), static_cast<double>(total),
                  tolerance));
      options.reduction = Reduction::mean;
      const Tensor average = nn::bce_with_logits(matrix(x), matrix(y), options);
      CHECK(average.shape() == Shape{});
      // By the number of elements, also with weights.
      CHECK(close(average.item(), static_cast<double>(total / 6), tolerance));
    };
    check({}, [&](std::size_t i) { return item(x[i], y[i]); });
    check({.pos_weight = filled(p, dtype)}, [&](std::size_t i) { return item(x[i], y[i], p[i % 3]); });
    check({.weight = reshape(filled(w, dtype), Shape{2, 1})},
          [&](std::size_t i) { return item(x[i], y[i], 1, w[i / 3]); });
    check({.pos_weight = filled(p, dtype), .weight = matrix(x)},
          [&](std::size_t i) { return item(x[i], y[i], p[i % 3], x[i]); });
    check({.pos_weight = full({}, 2, {.dtype = dtype})}, [&](std::size_t i) { return item(x[i], y[i], 2); });
  }
}

TEST_CASE("the values of PyTorch 1.13") {
  // torch.nn.functional.binary_cross_entropy_with_logits(x, y, weight=w, pos_weight=p), in float64
  const Tensor x = tensor({{-1.5, 0.25}, {2.0, -0.5}}, {.dtype = float64});
  const Tensor y = tensor({{0.0, 1.0}, {0.75, 1.0}}, {.dtype = float64});
  const Tensor p = tensor({2.0, 0.5}, {.dtype = float64});
  const Tensor w = tensor({{1.0}, {3.0}}, {.dtype = float64});
  CHECK(close(nn::bce_with_logits(x, y).item(), 0.5945894232711688, 1e-15));
  CHECK(close(nn::bce_with_logits(x, y, {.pos_weight = p, .weight = w}).item(), 1.0292176305419853, 1e-15));
}

TEST_CASE("0-d and empty logits") {
  CHECK(close(nn::bce_with_logits(tensor(0), tensor(1)).item(), std::log(2.0), 1e-7));
  const Tensor none = zeros({0, 3});
  CHECK(std::isnan(nn::bce_with_logits(none, none).item()));
  CHECK(nn::bce_with_logits(none, none, {.reduction = Reduction::sum}).item() == 0);
  CHECK(nn::bce_with_logits(none, none, {.reduction = Reduction::none}).shape() == Shape{0, 3});
}

TEST_CASE("bce_with_logits says what does not fit") {
  const Tensor x = zeros({2, 3});
  const auto loss = [](const Tensor& logits, const Tensor& target,
                       const nn::BceWithLogitsOptions& options = {}) {
    static_cast<void>(nn::bce_with_logits(logits, target, options));
  };
  CHECK_THROWS_WITH_AS(
      loss(x, zeros({2})),
      "bce_with_logits: shapes differ: logits are [2, 3], target is [2]; reshape one of them", ShapeError);
  CHECK_THROWS_WITH_AS(
      loss(x, zeros({2, 3}, {.dtype = int64})),
      "bce_with_logits: dtypes differ: logits are float32, target is int64; convert with to()", DtypeError);
  CHECK_THROWS_WITH_AS(loss(zeros({2}, {.dtype = int64}), zeros({2}, {.dtype = int64})),
                       "bce_with_logits: logits must be float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(loss(x, x, {.pos_weight = ones({2})}),
                       "bce_with_logits: pos_weight must broadcast to the logits [2, 3]: got [2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(loss(x, x, {.weight = ones({1, 2, 3})}),
                       "bce_with_logits: weight must broadcast to the logits [2, 3]: got [1, 2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(loss(x, x, {.weight = ones({3}, {.dtype = float64})}),
                       "bce_with_logits: weight is float64, the logits are float32", DtypeError);
}
