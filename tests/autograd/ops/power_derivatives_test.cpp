#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "xtgrad/xtgrad.h"

// Powers where a rule must branch: orders 1 and 2, mixed ones too, in both dtypes.

using namespace xtgrad;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
const double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// Value, first and second derivatives of a^b at one point.
struct Power {
  double a, b, ab;
  double aa, ab_mixed, ba_mixed, bb;
};

Power power_at(double a, double b, Dtype dtype) {
  const auto leaf = [&](double v) { return full({}, v, {.dtype = dtype, .requires_grad = true}); };
  const Tensor x = leaf(a), y = leaf(b);
  const Tensor p = pow(x, y);
  const std::vector<Tensor> first = grad({p}, {x, y}, {.create_graph = true});
  const auto second = [&](const Tensor& d) {
    return grad({d}, {x, y}, {.keep_graph = true, .allow_unused = true});
  };
  const auto item = [](const Tensor& t) { return t.defined() ? t.item() : 0; };
  const std::vector<Tensor> of_a = second(first[0]), of_b = second(first[1]);
  return {first[0].item(), first[1].item(), p.item(),     item(of_a[0]),
          item(of_a[1]),   item(of_b[0]),   item(of_b[1])};
}

}  // namespace

TEST_CASE("powers: at exponent 0 the mixed derivatives are those of the smooth function") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double a : {2.0, 0.5, 1.0, 3.0, 1e-30}) {
      CAPTURE(a);
      const double x = dtype == float32 ? static_cast<double>(static_cast<float>(a)) : a;
      const double eps = dtype == float32 ? 1e-6 : 1e-14;
      const Power p = power_at(a, 0, dtype);
      CHECK(p.a == 0);
      CHECK(p.b == doctest::Approx(std::log(x)).epsilon(eps));
      CHECK(p.aa == 0);
      CHECK(p.ab_mixed == doctest::Approx(1 / x).epsilon(eps));
      CHECK(p.ba_mixed == doctest::Approx(1 / x).epsilon(eps));
      CHECK(p.bb == doctest::Approx(std::log(x) * std::log(x)).epsilon(eps));
    }
  }
}

TEST_CASE("powers: 0^0 and NaN^0 are constant in the base") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double a : {0.0, -0.0, not_a_number}) {
      CAPTURE(a);
      const Power p = power_at(a, 0, dtype);
      CHECK(p.ab == 1);
      CHECK(p.a == 0);
      CHECK(p.aa == 0);
    }
    CHECK(power_at(inf, 0, dtype).a == 0);
    CHECK(power_at(1e-310, 0, float64).a == 0);
  }
}

TEST_CASE("powers: of base 0 the derivative in the exponent is 0 from exponent 0 on, and -infinity below") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double b : {0.0, 0.5, 1.0, 2.0, 3.5}) {
      CAPTURE(b);
      CHECK(power_at(0, b, dtype).b == 0);
      CHECK(power_at(0, b, dtype).bb == 0);
    }
    for (const double b : {-0.5, -1.0, -2.0}) {
      CAPTURE(b);
      CHECK(power_at(0, b, dtype).b == -inf);
    }
    CHECK(std::isnan(power_at(0, not_a_number, dtype).b));
    for (const double b : {1.0, 2.0, 3.0}) {
      const Power p = power_at(0, b, dtype);
      CAPTURE(b);
      CHECK(p.a == (b == 1 ? 1 : 0));
      CHECK(p.aa == (b == 2 ? 2 : 0));
      CHECK(p.ab_mixed == (b == 1 ? 1 : 0));
      CHECK(p.ba_mixed == p.ab_mixed);
    }
  }
}

TEST_CASE("powers: x^0 by a number has derivatives 0 everywhere, at NaN too; those of x^1 end") {
  for (const Dtype dtype : {float32, float64}) {
    for (const double at : {0.0, -1.0, 2.0, inf, -inf, not_a_number}) {
      CAPTURE(at);
      const Tensor x = full({}, at, {.dtype = dtype, .requires_grad = true});
      const Tensor first = grad({pow(x, 0)}, {x}, {.create_graph = true})[0];
      CHECK(first.item() == 0);
      const Tensor second = grad({first}, {x}, {.allow_unused = true})[0];
      if (second.defined()) CHECK(second.item() == 0);
      const Tensor slope = grad({pow(x, 1)}, {x}, {.create_graph = true})[0];
      CHECK(slope.item() == 1);
      const Tensor bend = grad({slope}, {x}, {.allow_unused = true})[0];
      if (bend.defined()) CHECK(bend.item() == 0);
    }
  }
}

TEST_CASE("powers: a number as exponent counts with all digits of its double") {
  for (const double c : {-0.3, 0.1, 2.7, -3.1, 2.00000001, 1e-3, 0.3333333333333333}) {
    CAPTURE(c);
    for (const float at : {1e-37f, 3e-20f, 1e-5f, 0.3f, 0.99f, 1.7f, 40.f, 3e9f, 1e12f}) {
      CAPTURE(at);
      const Tensor x = full({}, at, {.requires_grad = true});
      const auto within_2_ulps = [](double got, long double want) {
        if (!(std::abs(want) < std::numeric_limits<float>::max())) return true;
        const int exponent = std::max(std::ilogb(want) - 23, -149);
        return std::abs(got - want) <= 2 * std::ldexp(1.0L, exponent);
      };
      const Tensor y = pow(x, c);
      CHECK(within_2_ulps(y.item(), std::pow(static_cast<long double>(at), static_cast<long double>(c))));
    }
    CHECK(pow(full({}, 0), c).item() == (c < 0 ? inf : 0));
    CHECK(pow(full({}, inf), c).item() == (c < 0 ? 0 : inf));
    CHECK(std::isnan(pow(full({}, -2), c).item()));
    CHECK(std::isnan(pow(full({}, not_a_number), c).item()));
    CHECK(pow(full({}, 1), c).item() == 1);
  }
  CHECK(pow(full({}, -1), 16777217).item() == -1);
}
