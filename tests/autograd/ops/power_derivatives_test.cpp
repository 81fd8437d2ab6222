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
      CHECK(p.ab_mixed == (b == 1 ? -inf : 0));  // a^(b - 1) (1 + b log(a))
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

namespace {

/// Distance in units in the last place of T; 0 where T cannot hold `want`.
template <class T>
double ulps(double got, long double want) {
  constexpr int digits = std::numeric_limits<T>::digits;
  constexpr int least = std::numeric_limits<T>::min_exponent - digits;
  if (!(std::abs(want) < std::numeric_limits<T>::max())) return std::abs(got) == inf ? 0 : inf;
  const long double unit =
      std::ldexp(1.0L, std::max(want == 0 ? least : std::ilogb(want) - digits + 1, least));
  return static_cast<double>(std::abs(got - want) / unit);
}

struct WorstPower {
  double a = 0, b = 0, aa = 0, ab = 0, ba = 0, bb = 0;
};

template <class T>
WorstPower worst_of(const std::vector<T>& bases, const std::vector<T>& exponents, Dtype dtype) {
  WorstPower worst;
  const auto note = [](double& place, double got, long double want) {
    place = std::max(place, ulps<T>(got, want));
  };
  for (const T base : bases) {
    for (const T exponent : exponents) {
      const long double x = base, y = exponent, l = std::log(x), p = std::pow(x, y);
      CAPTURE(base);
      CAPTURE(exponent);
      const Power got = power_at(base, exponent, dtype);
      note(worst.a, got.a, y * (p / x));
      note(worst.b, got.b, p * l);
      note(worst.aa, got.aa, y * (y - 1) * (p / x / x));
      note(worst.bb, got.bb, p * l * l);
      const long double mixed = 1 + y * l;
      if (std::abs(mixed) < 0.05L) continue;  // a zero of its own, where digits of log(a) end
      note(worst.ab, got.ab_mixed, p / x * mixed);
      note(worst.ba, got.ba_mixed, p / x * mixed);
    }
  }
  return worst;
}

void check(const WorstPower& worst) {
  CHECK(worst.a <= 2);
  CHECK(worst.b <= 2);
  CHECK(worst.aa <= 2);
  CHECK(worst.ab <= 2);
  CHECK(worst.ba <= 2);
  CHECK(worst.bb <= 2);
}

}  // namespace

TEST_CASE("powers: all derivatives of pow of two tensors to the last digits, wherever they can be held") {
  check(worst_of<float>(
      {0x1p-149F, 1e-40F, 1.2e-38F, 3e-20F, 1e-5F, 0.3F, 0.99F, 0.99999994F, 1, 1.0000001F, 1.7F, 40, 3e9F,
       1e12F, 3e38F},
      {0x1p-149F,   1e-30F, 1e-20F,     -1e-20F, 1e-7F, 1e-3F,      0.1F, 1 / 3.F, 0.5F, 0.9F,
       0.99999994F, 1,      1.0000001F, 1.5F,    2,     2.0000002F, 2.7F, 3,       7.3F, -0.3F,
       -1,          -2.6F,  16777216,   1e7F,    -3e8F, 1e9F,       5e9F, 1e20F},
      float32));
  check(worst_of<double>({0x1p-1074, 1e-310, 3e-308, 3e-20, 1e-5, 0.3, 0.99, 1 - 0x1p-53, 1, 1 + 0x1p-52, 1.7,
                          40, 3e9, 1e100, 1.7e308},
                         {0x1p-1074, 1e-300,      1e-20, -1e-20,      1e-7, 1e-3, 0.1,         1 / 3., 0.5,
                          0.9,       1 - 0x1p-53, 1,     1 + 0x1p-52, 1.5,  2,    2 + 0x1p-51, 2.7,    3,
                          7.3,       -0.3,        -1,    -2.6,        1e7,  -3e8, 1e15,        3e17,   1e200},
                         float64));
}

TEST_CASE("powers: a negative base has the sign of the exact exponent, however large") {
  for (const double b : {3.0, 4.0, 16777216.0, 16777218.0}) {
    CAPTURE(b);
    const Power p = power_at(-1, b, float32);
    CHECK(p.a == (std::fmod(b, 2) == 0 ? -b : b));
    CHECK(p.aa == doctest::Approx((std::fmod(b, 2) == 0 ? b : -b) * (b - 1)).epsilon(1e-7));
    CHECK(std::isnan(p.b));
  }
  CHECK(std::isnan(power_at(-1, 0.5, float32).a));
}

TEST_CASE("powers: the derivatives of base 0 are what those of smaller and smaller bases come to") {
  for (const double b : {0.5, 1.0, 1.5, 2.0, 3.0}) {
    CAPTURE(b);
    const Power at_zero = power_at(0, b, float64);
    // Growing without end, gone by the last base, or there already.
    const auto check_limit = [&](double Power::*part) {
      const double limit = at_zero.*part, last = power_at(1e-300, b, float64).*part,
                   before = power_at(1e-30, b, float64).*part;
      if (std::isinf(limit)) {
        CHECK(last * limit > 0);
        CHECK(std::abs(last) > 2 * std::abs(before));
      } else if (last != limit) {
        CHECK(std::abs(last - limit) < 1e-9 * std::abs(before - limit));
      }
    };
    for (double Power::*part :
         {&Power::ab, &Power::a, &Power::b, &Power::aa, &Power::ab_mixed, &Power::ba_mixed, &Power::bb}) {
      check_limit(part);
    }
  }
  // Third ones, at the exponent where two derivatives in the base leave a power of 1: 2 log(a) + 3.
  const auto third = [](double a) {
    const Tensor x = full({}, a, {.dtype = float64, .requires_grad = true});
    const Tensor y = full({}, 2, {.dtype = float64, .requires_grad = true});
    const Tensor first = grad(pow(x, y), x, {.create_graph = true});
    return grad(grad(first, x, {.create_graph = true}), y).item();
  };
  CHECK(third(1e-300) == doctest::Approx(2 * std::log(1e-300) + 3).epsilon(1e-14));
  CHECK(third(0) == -inf);
}

TEST_CASE("powers: a mixed derivative of 0^0 is 0, as 0^0 is constant in the base") {
  for (const Dtype dtype : {float32, float64}) {
    CHECK(power_at(0, 0, dtype).ab_mixed == 0);
    CHECK(power_at(0, 0, dtype).ba_mixed == 0);
  }
}

TEST_CASE("powers: derivatives at 0 and at infinity are limits, and no NaN") {
  for (const Dtype dtype : {float32, float64}) {
    const Power line = power_at(inf, 1, dtype);
    CHECK(line.ab_mixed == inf);
    CHECK(line.ba_mixed == inf);
    const Power root = power_at(0, 0.5, dtype);
    CHECK(root.a == inf);
    CHECK(root.aa == -inf);
    CHECK(root.ab_mixed == -inf);
    CHECK(root.ba_mixed == -inf);
    const Power bent = power_at(0, 1.5, dtype);
    CHECK(bent.a == 0);
    CHECK(bent.aa == inf);
    CHECK(bent.ab_mixed == 0);
    const Power falling = power_at(inf, -0.5, dtype);
    CHECK(falling.a == 0);
    CHECK(falling.b == 0);
    CHECK(falling.bb == 0);
    CHECK(falling.ab_mixed == 0);
    const Power rising = power_at(inf, 0.5, dtype);
    CHECK(rising.a == 0);
    CHECK(rising.b == inf);
    CHECK(power_at(0.5, inf, dtype).a == 0);
    CHECK(power_at(0.5, inf, dtype).b == 0);
    CHECK(power_at(2, -inf, dtype).a == 0);
    CHECK(power_at(2, inf, dtype).a == inf);
  }
}

TEST_CASE("powers: third derivatives are those of exp(b log(a))") {
  Random random(9);
  const Tensor w = randn({2, 3}, random, {.dtype = float64}), v = randn({2, 3}, random, {.dtype = float64});
  const auto third = [&](const auto& power, bool base_first, bool then_base, bool last_base) {
    const Tensor a = tensor({{0.5, 2, 3}, {0.1, 1, 7}}, {.dtype = float64, .requires_grad = true});
    const Tensor b = tensor({0.3, -1.2, 2.5}, {.dtype = float64, .requires_grad = true});
    const auto into = [&](bool base) { return base ? a : b; };
    Tensor y = grad({sum(power(a, b) * w)}, {into(base_first)}, {.create_graph = true})[0];
    y = grad({sum(y * v)}, {into(then_base)}, {.create_graph = true})[0];
    return grad({sum(y * w)}, {into(last_base)})[0];
  };
  for (int orders = 0; orders < 8; ++orders) {
    CAPTURE(orders);
    const bool one = (orders & 1) != 0, two = (orders & 2) != 0, three = (orders & 4) != 0;
    const Tensor got = third([](const Tensor& a, const Tensor& b) { return pow(a, b); }, one, two, three);
    const Tensor want =
        third([](const Tensor& a, const Tensor& b) { return exp(b * log(a)); }, one, two, three);
    CHECK(amax(abs(got - want)).item() <= 1e-12 * amax(abs(want)).item());
  }
}
