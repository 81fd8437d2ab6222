#include "xtgrad/autograd/number.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/transforms.h"
#include "xtgrad/nn/capture.h"

namespace xtgrad { namespace {

using testing::message_of;
using testing::same_bits;

/// Code for any type of number, as it is found in a library of formulas.
template <class T>
T call_price(T spot, T strike, T volatility, T years, double rate = 0.03) {
  using std::erf, std::exp, std::log, std::sqrt;
  const T spread = volatility * sqrt(years);
  const T d1 = (log(spot / strike) + (rate + 0.5 * volatility * volatility) * years) / spread;
  const auto cdf = [](const T& x) { return 0.5 * (1 + erf(x / std::sqrt(2.0))); };
  return spot * cdf(d1) - strike * exp(-rate * years) * cdf(d1 - spread);
}

/// Runge and Kutta's steps of an oscillator that is damped where it moves fast.
template <class T>
T swing(T angle, T speed, int steps) {
  using std::abs, std::sin, std::tanh;
  const auto acceleration = [](const T& a, const T& v) { return -sin(a) - 0.1 * v * abs(v); };
  for (int i = 0; i < steps; ++i) {
    const double h = 0.05;
    T a2 = angle + h / 2 * speed, v2 = speed + h / 2 * acceleration(angle, speed);
    T change = v2;
    if (speed > 0.5) change *= 0.99;
    angle += h * change;
    speed += h * acceleration(a2, v2);
  }
  T result = 0;
  result += tanh(angle);
  result -= 2 * speed;
  return result / 3;
}

Tensor number(double value) { return full({}, value, {.dtype = float64, .requires_grad = true}); }

TEST_CASE("a template of numbers has a double's values") {
  const Number price = call_price<Number>(Number(number(100)), 95, Number(number(0.2)), 1);
  CHECK(price.value() == doctest::Approx(call_price<double>(100, 95, 0.2, 1)).epsilon(1e-14));
  CHECK(price.tensor().requires_grad());
  const Number end = swing<Number>(Number(number(1)), Number(number(0.3)), 40);
  CHECK(end.value() == doctest::Approx(swing<double>(1, 0.3, 40)).epsilon(1e-13));
}

TEST_CASE("and derivatives: of a call's price delta and vega") {
  const Tensor spot = number(100), volatility = number(0.2);
  const Number price = call_price<Number>(Number(spot), 95, Number(volatility), 1);
  const std::vector<Tensor> slopes = grad({price.tensor()}, {spot, volatility});
  const double h = 1e-5;
  CHECK(slopes[0].item() ==
        doctest::Approx((call_price<double>(100 + h, 95, 0.2, 1) - call_price<double>(100 - h, 95, 0.2, 1)) /
                        (2 * h))
            .epsilon(1e-8));
  CHECK(slopes[1].item() ==
        doctest::Approx((call_price<double>(100, 95, 0.2 + h, 1) - call_price<double>(100, 95, 0.2 - h, 1)) /
                        (2 * h))
            .epsilon(1e-8));
}

TEST_CASE("constants stay doubles and record nothing") {
  const Number constant = call_price<Number>(100, 95, 0.2, 1);
  CHECK(constant.is_constant());
  CHECK(constant.value() == call_price<double>(100, 95, 0.2, 1));
  CHECK(same_bits(Number(2.5).tensor(), tensor(2.5)));
  Number x = 0;
  x += 3;
  CHECK((x.is_constant() && x.value() == 3 && -x == -3 && +x == 3 && 2 * x - 1 == 5));
  CHECK(fmax(Number(1), 2).value() == 2);
  CHECK(std::max(Number(1), Number(2)).value() == 2);
  CHECK(std::isnan(fmax(1, Number(testing::not_a_number)).value()));
  CHECK(std::isnan(fmin(Number(testing::not_a_number), 1).value()));
}

TEST_CASE("a constant takes the dtype of what it meets") {
  for (const Dtype dtype : {float32, float64}) {
    const Tensor leaf = full({}, 0.5, {.dtype = dtype, .requires_grad = true});
    const Number x(leaf);
    for (const Number& y : {x + 1.5, 1.5 - x, x * 2, 1 / x, pow(x, 2), pow(2, x), fmax(x, 0.1), fmin(x, 7),
                            tan(x), expm1(x) + log1p(x) + cos(x), fabs(x)}) {
      CHECK(y.tensor().dtype() == dtype);
      CHECK(y.tensor().requires_grad());
    }
    CHECK(tan(x).value() == doctest::Approx(std::tan(0.5)).epsilon(1e-6));
    CHECK(pow(2, x).value() == doctest::Approx(std::sqrt(2.0)).epsilon(1e-6));
  }
}

TEST_CASE("branches are taken as for a double, and refused where a program is captured") {
  const auto magnitude = [](const Tensor& x) {
    Number n(x);
    if (n < 0) n = -n;
    return n.tensor();
  };
  CHECK(magnitude(tensor(-2.0)).item() == 2);
  CHECK_FALSE(Number(testing::not_a_number) < 0);
  CHECK_FALSE(Number(testing::not_a_number) == Number(testing::not_a_number));
  CHECK(message_of<GraphError>([&] {
          return capture(magnitude, tensor(1.0));
        }).starts_with("capture: item() reads"));
  auto price = capture(
      [](const Tensor& spot, const Tensor& volatility) {
        return call_price<Number>(Number(spot), 95, Number(volatility), 1).tensor();
      },
      {tensor(1.0), tensor(1.0)});
  const Tensor spot = tensor(100.0), volatility = tensor(0.2);
  CHECK(same_bits(price(spot, volatility),
                  call_price<Number>(Number(spot), 95, Number(volatility), 1).tensor()));
}

TEST_CASE("what is no number is refused") {
  CHECK(message_of<ShapeError>([] {
          return Number(tensor({1, 2}));
        }) == "Number: must be 0-d: got a tensor of shape [2]");
  CHECK(message_of<DtypeError>([] { return Number(tensor(1, {.dtype = int64})); }) ==
        "Number: must be float32 or float64: got int64");
  CHECK_THROWS_AS(Number(tensor(1.0)) + Number(full({}, 1, {.dtype = float64})), DtypeError);
}

}}  // namespace xtgrad
