#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "xtgrad/xtgrad.h"

// Orders 1 and 2 of activations in units in the last place, near 0 and at saturation, against long double.

using namespace xtgrad;

namespace {

using Real = long double;

constexpr double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

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

namespace {

struct Faint {
  const char* name;
  Tensor (*f)(const Tensor&);
  Real (*formulas[3])(Real);  // value, first and second derivative
  std::vector<double> singles, doubles;
};

Real faint_exp(Real x) { return std::exp(x) / (1 + std::exp(x)); }
Real faint_bend(Real x) { return std::exp(x) / (1 + std::exp(x)) / (1 + std::exp(x)); }
Real normal_tail(Real x) { return std::erfc(-x / std::sqrt(Real{2})) / 2; }
Real normal_curve(Real x) { return std::exp(-x * x / 2) / std::sqrt(8 * std::atan(Real{1})); }
Real erf_slope(Real x) { return std::exp(-x * x) / std::sqrt(std::atan(Real{1})); }

const Faint faint[] = {
    {"silu",
     [](const Tensor& x) { return silu(x); },
     {[](Real x) { return x * faint_exp(x); }, [](Real x) { return faint_exp(x) + x * faint_bend(x); },
      [](Real x) { return faint_bend(x) * (2 - x * std::tanh(x / 2)); }},
     {-86.9, -87.1, -91.1, -91.8, -98.1, -104, -107.5, -120},
     {-707, -709.5, -720, -735, -745, -750, -800}},
    {"gelu",
     [](const Tensor& x) { return gelu(x); },
     {[](Real x) { return x * normal_tail(x); }, [](Real x) { return normal_tail(x) + x * normal_curve(x); },
      [](Real x) { return normal_curve(x) * (2 - x * x); }},
     {-12.8, -13.3, -13.9, -14.2, -15},
     {-37.3, -37.7, -38.2, -38.6, -39}},
    {"erf",
     [](const Tensor& x) { return erf(x); },
     {[](Real x) { return std::erf(x); }, erf_slope, [](Real x) { return -2 * x * erf_slope(x); }},
     {9.3, -9.6, 9.9, 10.1, 10.3},
     {26.6, -26.9, 27.2, 27.3, 27.5}},
    {"normal_cdf",
     [](const Tensor& x) { return normal_cdf(x); },
     {normal_tail, normal_curve, [](Real x) { return -x * normal_curve(x); }},
     {-13.2, -13.9, -14.1},
     {-37.9, -38.2, -38.4}},
    {"pow(x, 1000)",
     [](const Tensor& x) { return pow(x, 1000); },
     {[](Real x) { return std::pow(x, Real{1000}); }, [](Real x) { return 1000 * std::pow(x, Real{999}); },
      [](Real x) { return 999000 * std::pow(x, Real{998}); }},
     {0.916, 0.91, 0.905, -0.904, 0.903, 0.9, 0.8},
     {0.49, 0.485, -0.48, 0.476, 0.475, 0.4}},
    {"pow(x, 17.3)",
     [](const Tensor& x) { return pow(x, 17.3); },
     {[](Real x) { return std::pow(x, Real{17.3}); },
      [](Real x) { return 17.3 * std::pow(x, Real{17.3} - 1); },
      [](Real x) { return 17.3 * (Real{17.3} - 1) * std::pow(x, Real{17.3} - 2); }},
     {0.005, 0.0034, 0.003, 0.0021, 0.0015},
     {1e-18, 2e-19, 5e-20, 1e-21}},
};

}  // namespace

TEST_CASE("slopes: a factor does not magnify what a subnormal number has lost") {
  for (const Faint& row : faint) {
    CAPTURE(row.name);
    for (const Dtype dtype : {float32, float64}) {
      for (const double at : dtype == float32 ? row.singles : row.doubles) {
        CAPTURE(at);
        const Real x = as_held(at, dtype);
        const Derivatives d = derivatives(row.f, at, dtype);
        CHECK(ulps(row.f(full({}, at, {.dtype = dtype})).item(), row.formulas[0](x), dtype) <= 4);
        CHECK(ulps(d.first, row.formulas[1](x), dtype) <= 3);
        CHECK(ulps(d.second, row.formulas[2](x), dtype) <= 3);
        const Tensor plain = full({}, at, {.dtype = dtype, .requires_grad = true});
        CHECK(grad(row.f(plain), plain).item() == d.first);
      }
    }
  }
}

TEST_CASE("slopes: powers of many factors at 0, at infinities and at negative numbers") {
  for (const double c : {5.0, 6.0, -5.0, -6.0, 17.3, 30.0}) {
    for (const double at : {0.0, -0.0, inf, -inf, -2.0, -1.5, not_a_number}) {
      CAPTURE(c);
      CAPTURE(at);
      const auto is = [](double got, double want) {
        CHECK((got == want || (std::isnan(got) && std::isnan(want)) ||
               std::abs(got - want) <= 1e-15 * std::abs(want)));
      };
      const Derivatives d = derivatives([c](const Tensor& x) { return pow(x, c); }, at, float64);
      is(d.first, c * std::pow(at, c - 1));
      is(d.second, c * (c - 1) * std::pow(at, c - 2));
    }
  }
}
