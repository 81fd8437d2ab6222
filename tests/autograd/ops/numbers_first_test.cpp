// Operations of a C++ number and a tensor, the number first.

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

struct NumberFirst {
  const char* name;
  std::function<Tensor(const Tensor&)> f;
  std::function<double(double)> reference;
};

const std::vector<NumberFirst> cases{
    {"add", [](const Tensor& x) { return add(1, x); }, [](double x) { return 1 + x; }},
    {"sub", [](const Tensor& x) { return sub(1, x); }, [](double x) { return 1 - x; }},
    {"mul", [](const Tensor& x) { return mul(2, x); }, [](double x) { return 2 * x; }},
    {"div", [](const Tensor& x) { return div(1, x); }, [](double x) { return 1 / x; }},
    {"pow", [](const Tensor& x) { return pow(2, x); }, [](double x) { return std::pow(2, x); }},
    {"maximum", [](const Tensor& x) { return maximum(0, x); }, [](double x) { return std::fmax(0, x); }},
    {"minimum", [](const Tensor& x) { return minimum(0.5F, x); }, [](double x) { return std::fmin(0.5, x); }},
};

}  // namespace

TEST_CASE("numbers first: values, derivatives and shapes") {
  for (const NumberFirst& each : cases) {
    CAPTURE(each.name);
    for (const Dtype dtype : {float32, float64}) {
      const Tensor x = tensor({-1.5, 0.25, 2}, {.dtype = dtype});
      const Tensor y = each.f(x);
      CHECK(y.dtype() == dtype);
      for (const std::int64_t i : {0, 1, 2}) {
        CHECK(y.at({i}) ==
              doctest::Approx(each.reference(x.at({i}))).epsilon(dtype == float32 ? 1e-6 : 1e-14));
      }
      CHECK(each.f(zeros({0, 3}, {.dtype = dtype})).shape() == Shape{0, 3});
      CHECK(each.f(full({}, 0.25, {.dtype = dtype})).shape() == Shape{});
    }
    CHECK_NOTHROW(require_grads([&](const Tensor& v) { return each.f(v); },
                                tensor({-1.5, 0.25, 2}, {.dtype = float64}), {.order = 2}));
  }
}

TEST_CASE("numbers first: powers of 0 and of 1, and of negative numbers") {
  const Tensor x = tensor({0, 2}, {.requires_grad = true});
  const Tensor y = pow(0, x);
  CHECK(y.at({0}) == 1);
  CHECK(y.at({1}) == 0);
  sum(y).backward();
  CHECK(x.grad().at({0}) == 0);
  CHECK(x.grad().at({1}) == 0);
  CHECK(pow(1, x).at({1}) == 1);
  CHECK(pow(-2, x).at({1}) == 4);
  CHECK(std::isnan(pow(-2, tensor({0.5})).at({0})));
}

TEST_CASE("numbers first: a tie of maximum and minimum has gradient 0, NaN wins") {
  for (Tensor (*f)(Scalar, const Tensor&) : {static_cast<Tensor (*)(Scalar, const Tensor&)>(maximum),
                                             static_cast<Tensor (*)(Scalar, const Tensor&)>(minimum)}) {
    const Tensor x = tensor({3, std::numeric_limits<double>::quiet_NaN()}, {.requires_grad = true});
    const Tensor y = f(3, x);
    CHECK(std::isnan(y.at({1})));
    sum(y).backward();
    CHECK(x.grad().at({0}) == 0);
  }
}

TEST_CASE("numbers first: integers stay exact, and errors name the function") {
  const Tensor ids = arange(3);
  CHECK(add(9007199254740993, ids).at_int64({1}) == 9007199254740994);
  CHECK(mul(3, ids).at_int64({2}) == 6);
  CHECK(maximum(1, ids).at_int64({0}) == 1);
  CHECK(message_of<DtypeError>([&] { return add(0.5, ids); }).find("add: int64 cannot hold 0.5") == 0);
  CHECK(message_of<DtypeError>([&] { return mul(0.5, ids); }).find("mul: int64 cannot hold 0.5") == 0);
  CHECK(message_of<DtypeError>([&] { return maximum(0.5, ids); }).find("maximum: int64 cannot hold") == 0);
  CHECK(message_of<DtypeError>([&] {
          return pow(0.5, ids);
        }).find("pow: needs float32 or float64, got int64") == 0);
  CHECK(message_of<DtypeError>([&] {
          return pow(1e300, ones({1}));
        }).find("pow: float32 cannot hold 1e+300") == 0);
}

TEST_CASE("numbers first: comparisons are the mirrored ones") {
  const Tensor x = tensor({1, 2, 3});
  const auto text = [](const Tensor& mask) {
    std::string bits;
    for (const bool bit : mask.data<bool>()) bits += bit ? '1' : '0';
    return bits;
  };
  CHECK(text(2 == x) == "010");
  CHECK(text(2 != x) == "101");
  CHECK(text(2 < x) == "001");
  CHECK(text(2 <= x) == "011");
  CHECK(text(2 > x) == "100");
  CHECK(text(2 >= x) == "110");
}

TEST_CASE("where of two numbers makes a tensor of the default dtype, in the mask's shape") {
  const Tensor x = tensor({{-1, 2}, {3, -4}});
  const Tensor y = where(x > 0, 1, 0);
  CHECK(y.dtype() == float32);
  CHECK(y.shape() == Shape{2, 2});
  CHECK(y.at({0, 0}) == 0);
  CHECK(y.at({1, 0}) == 1);
  {
    const DefaultDtype in_double(float64);
    CHECK(where(x > 0, 1.5, -2).dtype() == float64);
    CHECK(where(x > 0, 1.5, -2).at({1, 1}) == -2);
    CHECK(where(x > 0, 1e300, 0).at({0, 1}) == 1e300);
  }
  CHECK(where(zeros({0}) > 0, 1, 0).shape() == Shape{0});
  CHECK(where(full({}, 1) > 0, 1, 0).item() == 1);
  CHECK(message_of<DtypeError>([&] {
          return where(x, 1, 0);
        }).find("where: the mask must be bool, got float32") == 0);
  CHECK(message_of<DtypeError>([&] {
          return where(x > 0, 1e300, 0);
        }).find("where: float32 cannot hold 1e+300") == 0);
  // A mask has no gradient, so nothing is recorded.
  CHECK_FALSE(where(x.detach().set_requires_grad() > 0, 1, 0).requires_grad());
}
