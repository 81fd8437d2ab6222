#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/xtgrad.h"

// Orders 1 and 2 of activations in units in the last place, near 0 and at saturation, against long double.

using namespace xtgrad;

namespace {

using Real = long double;

struct Derivatives {
  double first, second;
};

template <class F>
Derivatives derivatives(const F& f, double at, Dtype dtype) {
  const Tensor x = full({}, at, {.dtype = dtype, .requires_grad = true});
  const Tensor first = grad({f(x)}, {x}, {.create_graph = true})[0];
  return {first.item(), grad({first}, {x})[0].item()};
}

/// Distance in ulps of the dtype at `want`.
double ulps(double got, Real want, Dtype dtype) {
  const int digits = dtype == float32 ? 24 : 53;
  const int least = dtype == float32 ? -149 : -1074;
  if (want == 0) return got == 0 ? 0 : std::numeric_limits<double>::infinity();
  const Real unit = std::ldexp(Real{1}, std::max(std::ilogb(want) - digits + 1, least));
  return static_cast<double>(std::abs(got - want) / unit);
}

Real as_held(double x, Dtype dtype) {
  return dtype == float32 ? static_cast<Real>(static_cast<float>(x)) : x;
}

}  // namespace

TEST_CASE("slopes: tanh'' near 0 keeps its digits") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double at : {1e-17, -1e-17, 1.65e-24, 1e-9, -3e-5, 1e-3, 0.1, -0.5}) {
      CAPTURE(at);
      const Real x = as_held(at, dtype), t = std::tanh(x);
      const Derivatives d = derivatives([](const Tensor& v) { return tanh(v); }, at, dtype);
      CHECK(ulps(d.first, 1 - t * t, dtype) <= 4);
      CHECK(ulps(d.second, -2 * t * (1 - t * t), dtype) <= 8);
    }
    CHECK(derivatives([](const Tensor& v) { return tanh(v); }, 1000, dtype).second == 0);
  }
}

TEST_CASE("slopes: orders 1 and 2 of sigmoid keep their digits near 0 and at saturation") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double at : {1e-17, -1e-17, 1.65e-24, 1e-9, -3e-5, 1e-3, 0.1, -0.5, 2.0, -2.0, 10.0, -10.0,
                            20.0, 40.0, 80.0, -80.0}) {
      CAPTURE(at);
      const Real x = as_held(at, dtype), e = std::exp(-std::abs(x));
      const Real slope = e / ((1 + e) * (1 + e));
      const Derivatives d = derivatives([](const Tensor& v) { return sigmoid(v); }, at, dtype);
      CHECK(ulps(d.first, slope, dtype) <= 6);
      CHECK(ulps(d.second, -slope * std::tanh(x / 2), dtype) <= 10);
    }
    for (const double at : {1000.0, -1000.0}) {
      const Derivatives d = derivatives([](const Tensor& v) { return sigmoid(v); }, at, dtype);
      CHECK(d.first == 0);
      CHECK(d.second == 0);
    }
  }
}

TEST_CASE("slopes: softplus neither overflows nor rounds below a high threshold") {
  const double inf = std::numeric_limits<double>::infinity();
  for (const double threshold : {1e9, inf}) {
    const auto f = [&](const Tensor& v) { return softplus(v, {.threshold = threshold}); };
    for (const double at : {-700.0, -30.0, -1.0, 0.0, 0.5, 20.5, 30.0, 710.0, 1e4}) {
      CAPTURE(at);
      const Real x = at, e = std::exp(-std::abs(x));
      const Real slope = (x < 0 ? e : 1) / (1 + e);
      CHECK(ulps(f(full({}, at, {.dtype = float64})).item(), std::max(x, Real{0}) + std::log1p(e), float64) <=
            3);
      const Derivatives d = derivatives(f, at, float64);
      CHECK(ulps(d.first, slope, float64) <= 4);
      if (at < 700) CHECK(ulps(d.second, e / ((1 + e) * (1 + e)), float64) <= 8);
    }
    CHECK(f(full({}, inf)).item() == inf);
    CHECK(f(full({}, -inf)).item() == 0);
  }
}

TEST_CASE("slopes: of a log-probability near 0, log_softmax has both derivatives to the last digits") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double d : {0.5, 5.0, 12.0, 20.0, 30.0, 60.0}) {
      for (const bool in_columns : {false, true}) {
        CAPTURE(d);
        CAPTURE(in_columns);
        // [d, 0, -1] along either axis: q = 1 - p of the first one
        const Tensor line = tensor({{d, 0, -1}}, {.dtype = dtype});
        const Tensor x = reshape(line, in_columns ? Shape{3, 1} : Shape{1, 3}).set_requires_grad();
        const std::int64_t axis = in_columns ? 0 : 1;
        const auto first_of = [&](const Tensor& v) { return sum(slice(v, {.axis = axis, .stop = 1})); };
        const Real others = std::exp(-Real{d}) * (1 + std::exp(Real{-1}));
        const Real q = others / (1 + others), p = 1 / (1 + others);
        const Tensor y = first_of(log_softmax(x, axis));
        CHECK(ulps(first_of(grad({y}, {x}, {.keep_graph = true})[0]).item(), q, dtype) <= 8);
        const Tensor first = first_of(grad({y}, {x}, {.create_graph = true})[0]);
        CHECK(ulps(first.item(), q, dtype) <= 8);
        const Tensor second = first_of(grad({first}, {x})[0]);
        CHECK(ulps(second.item(), -p * q, dtype) <= 10);
      }
    }
  }
}

TEST_CASE("slopes: softplus is x above a threshold that is given, and all digits of that count") {
  const auto f = [](const Tensor& v) { return softplus(v, {.threshold = 0.1}); };
  const float above = 0.1F, below = std::nextafter(0.1F, 0.F);  // 0.1F is a little more than 0.1
  for (const Dtype dtype : {float32, float64}) {
    CHECK(f(full({}, above, {.dtype = dtype})).item() == static_cast<double>(above));
    CHECK(f(full({}, below, {.dtype = dtype})).item() == doctest::Approx(std::log1p(std::exp(0.1))));
    const Derivatives linear = derivatives(f, above, dtype);
    CHECK(linear.first == 1);
    CHECK(linear.second == 0);
    CHECK(derivatives(f, below, dtype).first == doctest::Approx(1 / (1 + std::exp(-0.1))));
  }
  // At its own threshold a double is not above it.
  CHECK(f(full({}, 0.1, {.dtype = float64})).item() == doctest::Approx(std::log1p(std::exp(0.1))));
}

TEST_CASE("slopes: softplus of a beta that float32 cannot hold is relu, and never NaN") {
  const auto f = [](const Tensor& v) { return softplus(v, {.beta = 1e39}); };
  for (const double at : {-1.0, 0.0, 1.0}) {
    CAPTURE(at);
    CHECK(f(full({}, at)).item() == std::max(at, 0.0));
    const Derivatives d = derivatives(f, at, float32);
    CHECK(d.first == (at > 0 ? 1 : at < 0 ? 0 : 0.5));
    CHECK((at == 0 ? d.second > 1e37 : d.second == 0));
  }
}

TEST_CASE("slopes: softplus has third and fourth derivatives of every beta, held by float32 or not") {
  const auto of_order = [](int order, double beta, double at, Dtype dtype) {
    const Tensor x = full({}, at, {.dtype = dtype, .requires_grad = true});
    Tensor y = softplus(x, {.beta = beta});
    for (int i = 0; i < order; ++i) y = grad({y}, {x}, {.create_graph = true})[0];
    return y.item();
  };
  for (const double beta : {1e39, 1e300}) {
    for (const double at : {-2.0, -1.0, 1.0, 2.0}) {
      CHECK(of_order(3, beta, at, float32) == 0);
      CHECK(of_order(4, beta, at, float32) == 0);
    }
    CHECK(of_order(3, beta, 0, float32) == 0);
    CHECK(of_order(4, beta, 0, float32) == -std::numeric_limits<double>::infinity());
  }
  for (const Dtype dtype : {float32, float64}) {
    for (const double beta : {0.5, 1.0, 3.0}) {
      for (const double at : {-2.0, 0.25, 1.5}) {
        const Real u = static_cast<Real>(beta) * at, t = std::tanh(u / 2);
        const Real want = -static_cast<Real>(beta) * beta / 4 * t * (1 - t * t);
        CHECK(ulps(of_order(3, beta, at, dtype), want, dtype) <= 10);
      }
    }
  }
}
