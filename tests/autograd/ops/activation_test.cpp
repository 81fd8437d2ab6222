// The digits of the activations over their whole range, where samples draw from a small one.
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <utility>

#include "tests/autograd/kernels/levels.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

Real normal_cdf_of(Real x) { return std::erfc(-x / std::numbers::sqrt2_v<Real>) / 2; }
Real density_of(Real x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi_v<Real>); }
Real sigmoid_of(Real x) { return 1 / (1 + std::exp(-x)); }

struct Range {
  double low;
  double high;
};

double worst_ulps(const std::function<Tensor(const Tensor&)>& f, const std::function<Real(Real)>& reference,
                  const Range& range, Dtype dtype, const UlpsOptions& options = {}) {
  const Values x = to_values(linspace(range.low, range.high, 20001, {.dtype = dtype}));
  const Values y = to_values(f(to_tensor(x, dtype)));
  double worst = 0;
  for (std::size_t i = 0; i < x.data.size(); ++i)
    worst = std::max(worst, ulps_between(y.data[i], reference(x.data[i]), dtype, options));
  return worst;
}

std::function<Tensor(const Tensor&)> derivative(const std::function<Tensor(const Tensor&)>& f) {
  return [f](const Tensor& at) {
    Tensor x = at;
    x.set_requires_grad();
    return grad({f(x)}, {x}, {.cotangents = {ones_like(at)}})[0];
  };
}

TEST_CASE("activations keep their digits far below zero, where the textbook's formulas cancel") {
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    // Past the first Phi(-x) is 0, past the second a subnormal number.
    const double end = dtype == float32 ? 14.5 : 38.7, normal_end = dtype == float32 ? 12.9 : 37.5;
    CHECK(worst_ulps([](const Tensor& x) { return normal_cdf(x); }, normal_cdf_of, {-end, end}, dtype) < 4.5);
    // A polynomial's product that is rounded before it is added to, 24 times.
    CHECK(worst_ulps([](const Tensor& x) { return gelu(x); }, [](Real x) { return x * normal_cdf_of(x); },
                     {-normal_end, end}, dtype) < (lanes_fuse() ? 3.5 : 4));
    CHECK(worst_ulps([](const Tensor& x) { return silu(x); }, [](Real x) { return x * sigmoid_of(x); },
                     {-80, 80}, dtype) < 3.5);
    CHECK(worst_ulps([](const Tensor& x) { return elu(x); }, [](Real x) { return x > 0 ? x : std::expm1(x); },
                     {-1e-3, 1e-3}, dtype) < 1.5);
    CHECK(worst_ulps([](const Tensor& x) { return elu(x); }, [](Real x) { return x > 0 ? x : std::expm1(x); },
                     {-50, 1}, dtype) < 1.5);
  }
}

TEST_CASE("derivatives of the activations keep their digits, at the scale of 1 where terms cancel") {
  const UlpsOptions unit{.scale = 1, .signed_zeros = false};
  for (const Dtype dtype : {float32, float64}) {
    CAPTURE(to_string(dtype));
    CHECK(worst_ulps(
              derivative([](const Tensor& x) { return gelu(x); }),
              [](Real x) { return normal_cdf_of(x) + x * density_of(x); }, {-45, 45}, dtype, unit) < 3);
    CHECK(worst_ulps(
              derivative([](const Tensor& x) { return silu(x); }),
              [](Real x) { return sigmoid_of(x) * (1 + x * sigmoid_of(-x)); }, {-900, 900}, dtype, unit) < 4);
    CHECK(worst_ulps(
              derivative([](const Tensor& x) { return gelu_tanh(x); }),
              [](Real x) {
                const Real slope = 2 * std::sqrt(2 / std::numbers::pi_v<Real>);
                const Real z = slope * (x + 0.044715L * x * x * x);
                const Real dz = slope * (1 + 3 * 0.044715L * x * x);
                return sigmoid_of(z) + x * sigmoid_of(z) * sigmoid_of(-z) * dz;
              },
              {-45, 45}, dtype, unit) < 6);
  }
}

TEST_CASE("a NaN stays NaN in all derivatives of the smooth activations") {
  const std::pair<const char*, std::function<Tensor(const Tensor&)>> activations[] = {
      {"sigmoid", [](const Tensor& x) { return sigmoid(x); }},
      {"tanh", [](const Tensor& x) { return tanh(x); }},
      {"softplus", [](const Tensor& x) { return softplus(x); }},
      {"elu", [](const Tensor& x) { return elu(x); }},
      {"elu, alpha 0.5", [](const Tensor& x) { return elu(x, 0.5); }},
      {"normal_cdf", [](const Tensor& x) { return normal_cdf(x); }},
      {"gelu", [](const Tensor& x) { return gelu(x); }},
      {"gelu_tanh", [](const Tensor& x) { return gelu_tanh(x); }},
      {"silu", [](const Tensor& x) { return silu(x); }}};
  for (const auto& [name, f] : activations) {
    for (const Dtype dtype : {float32, float64}) {
      const auto& shown_name = name;
      CAPTURE(shown_name);
      CAPTURE(to_string(dtype));
      const Tensor x = to_tensor(row({0.5, not_a_number, -0.5}), dtype, true);
      Tensor derivative = f(x);
      for (int order = 1; order <= 3; ++order) {
        CAPTURE(order);
        derivative = grad({sum(derivative)}, {x}, {.create_graph = true})[0];
        const Values values = to_values(derivative);
        CHECK(std::isfinite(values.data[0]));
        CHECK(std::isnan(values.data[1]));
        CHECK(std::isfinite(values.data[2]));
      }
    }
  }
}

}}  // namespace xtgrad::testing
