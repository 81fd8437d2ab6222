// The activation kinds and modules that have an option, or a formula of some length; the others are in
// layers_test.cpp.

#include "xtgrad/nn/activations.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

#include "tests/nn/support.h"
#include "xtgrad/autograd/creation.h"

using namespace xtgrad;
using nn::ActivationKind;
using nn_test::close;
using nn_test::elements;

namespace {

using Real = long double;

struct Case {
  ActivationKind kind;
  std::string_view name;
  std::function<Real(Real)> reference;
};

Real gelu_of(Real x) { return x * std::erfc(-x / std::sqrt(2.0L)) / 2; }
Real gelu_tanh_of(Real x) {
  return x / 2 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0L)) * (x + 0.044715L * x * x * x)));
}
Real silu_of(Real x) { return x / (1 + std::exp(-x)); }
Real log_sigmoid_of(Real x) { return -std::log1p(std::exp(-x)); }
Real elu_of(Real x, Real alpha) { return x > 0 ? x : alpha * std::expm1(x); }
Real leaky_of(Real x, Real slope) { return x >= 0 ? x : slope * x; }

void check_is(const Tensor& y, const std::vector<double>& at, Dtype dtype,
              const std::function<Real(Real)>& f) {
  CHECK(y.dtype() == dtype);
  const std::vector<double> got = elements(y);
  REQUIRE(got.size() == at.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    CAPTURE(at[i]);
    CHECK(close(got[i], static_cast<double>(f(at[i])), dtype == float64 ? 1e-13 : 5e-6));
  }
}

/// Both signs of 0 aside, numbers that both dtypes hold.
const std::vector<double> points{-3, -1.25, -0.5, 0, 0.125, 1, 2.5};

Tensor input(Dtype dtype) { return from_vector(points).to(dtype); }

}  // namespace

TEST_CASE("kinds with the default options of their functions") {
  const std::vector<Case> cases{
      {ActivationKind::leaky_relu, "leaky_relu", [](Real x) { return leaky_of(x, 0.01L); }},
      {ActivationKind::elu, "elu", [](Real x) { return elu_of(x, 1); }},
      {ActivationKind::gelu, "gelu", gelu_of},
      {ActivationKind::gelu_tanh, "gelu_tanh", gelu_tanh_of},
      {ActivationKind::silu, "silu", silu_of},
      {ActivationKind::log_sigmoid, "log_sigmoid", log_sigmoid_of},
  };
  for (const Dtype dtype : {float32, float64}) {
    for (const Case& c : cases) {
      CAPTURE(c.name);
      CHECK(to_string(c.kind) == c.name);
      check_is(nn::activate(input(dtype), c.kind), points, dtype, c.reference);
      check_is(nn::Activation(c.kind)(input(dtype)), points, dtype, c.reference);
    }
  }
}

TEST_CASE("modules are named after the function, and take its option") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = input(dtype);
    check_is(nn::GELU()(x), points, dtype, gelu_of);
    check_is(nn::GELUTanh()(x), points, dtype, gelu_tanh_of);
    check_is(nn::SiLU()(x), points, dtype, silu_of);
    check_is(nn::LogSigmoid()(x), points, dtype, log_sigmoid_of);
    check_is(nn::LeakyReLU()(x), points, dtype, [](Real v) { return leaky_of(v, 0.01L); });
    check_is(nn::LeakyReLU(0.125)(x), points, dtype, [](Real v) { return leaky_of(v, 0.125L); });
    check_is(nn::ELU()(x), points, dtype, [](Real v) { return elu_of(v, 1); });
    check_is(nn::ELU(0.5)(x), points, dtype, [](Real v) { return elu_of(v, 0.5L); });
  }
  const nn::ActivationOptions shape{.slope = 0.125, .alpha = 0.5};
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = input(dtype);
    nn::Activation leaky(ActivationKind::leaky_relu, shape), elu(ActivationKind::elu, shape);
    check_is(leaky(x), points, dtype, [](Real v) { return leaky_of(v, 0.125L); });
    check_is(elu(x), points, dtype, [](Real v) { return elu_of(v, 0.5L); });
  }
  CHECK(nn::LeakyReLU(0.1).slope() == 0.1);
  CHECK(nn::ELU(2).alpha() == 2);
  CHECK(nn::GELU().kind() == ActivationKind::gelu);
  CHECK(nn::SiLU().type_name() == "SiLU");
}

TEST_CASE("at a kink the derivative is the one that is written down") {
  const auto slope_at_0 = [](nn::Module& module) {
    const Tensor x = tensor(0, {.dtype = float64, .requires_grad = true});
    module(x).backward();
    return x.grad().item();
  };
  nn::LeakyReLU leaky(0.1);
  CHECK(slope_at_0(leaky) == 0.1);
  nn::ELU elu(0.25);
  CHECK(slope_at_0(elu) == 0.25);
}

TEST_CASE("empty and 0-d inputs") {
  nn::GELU gelu;
  CHECK(gelu(zeros({0, 3})).shape() == Shape{0, 3});
  CHECK(gelu(tensor(0)).shape() == Shape{});
}
