// Numbers that float32 holds with few digits, or as 0, as factors, divisors, dividends and exponents of
// float32 tensors: the result is that of the number itself, rounded, wherever it is in the range.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

double ulps(double got, Real want) {
  const auto rounded = static_cast<float>(want);
  if (std::isnan(got) || !std::isfinite(rounded))
    return same_bits(tensor(got), tensor(static_cast<double>(rounded))) ? 0 : inf;
  const Real unit = std::ldexp(Real{1}, std::max(want == 0 ? -149 : std::ilogb(want) - 23, -149));
  return static_cast<double>(std::abs(static_cast<Real>(got) - want) / unit);
}

const std::vector<double> numbers{1e-38, -3e-39, 1.1e-42, 1e-45, 5e-46,  1e-50,  -1e-60, 3e-70,
                                  1e-77, 1e-83,  -2e-90,  1e-99, 1e-150, 1e-308, 5e-324};

std::vector<double> elements() {
  std::vector<double> all{0, inf};
  for (int e = -149; e < 128; ++e) {
    all.push_back(std::ldexp(1.0, e));
    all.push_back(static_cast<float>(std::ldexp(1.0 + 0.7 * ((e * 37) % 100) / 100, e)));
  }
  for (std::size_t i = all.size(); i-- > 0;) all.push_back(-all[i]);
  return all;
}

TEST_CASE("numbers below float32's range are factors, divisors and dividends with all their digits") {
  const std::vector<double> at = elements();
  const Tensor x = from_vector(at).to(float32);
  for (const double c : numbers) {
    const std::vector<double> product = values(x * c), other = values(c * x), quotient = values(x / c),
                              inverse = values(c / x);
    for (std::size_t i = 0; i < at.size(); ++i) {
      const Real v = at[i], number = c;
      CAPTURE(c);
      CAPTURE(at[i]);
      CHECK(ulps(product[i], v * number) <= 1.51);
      CHECK(ulps(other[i], v * number) <= 1.51);
      CHECK(ulps(quotient[i], v / number) <= 1.51);
      CHECK(ulps(inverse[i], number / v) <= 2);
    }
  }
}

TEST_CASE("their derivatives are those of the number, too") {
  const Tensor x = tensor({3e20, -1e10, 7}).set_requires_grad();
  const Tensor g = tensor({1e20, 1e15, -1e30});
  const std::vector<double> by_product = values(grad(sum(x * 1e-50 * g), x));
  const std::vector<double> by_inverse = values(grad(sum(1e-41 / x * g), x));
  const double at[] = {3e20, -1e10, 7}, cotangents[] = {1e20, 1e15, -1e30};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(ulps(by_product[i], 1e-50L * static_cast<float>(cotangents[i])) <= 2);
    const Real v = static_cast<float>(at[i]);
    CHECK(ulps(by_inverse[i], -1e-41L * static_cast<float>(cotangents[i]) / v / v) <= 4);
  }
  const Tensor small = tensor({1e-40, 0, 1e-30}).set_requires_grad();
  const std::vector<double> by_quotient = values(grad(sum(small / 1e-38), small));
  for (const double slope : by_quotient) CHECK(ulps(slope, 1e38L) <= 1.51);
}

TEST_CASE("powers count all digits of an exponent, and so do their derivatives") {
  for (const double c : {1e-50, -1e-50, 1e-40, 0.1, 1.0 / 3, 1e-10, -2.7, 17.3}) {
    const std::vector<double> at{1e-45, 1e-40, 1e-30, 0.01, 0.7, 1, 3, 1e10, 3e38};
    const Tensor x = from_vector(at).to(float32).set_requires_grad();
    const Tensor y = pow(x, c);
    const Tensor first = grad(sum(y), x, {.create_graph = true});
    const std::vector<double> value = values(y), slope = values(first), bend = values(grad(sum(first), x));
    for (std::size_t i = 0; i < at.size(); ++i) {
      CAPTURE(c);
      CAPTURE(at[i]);
      const Real v = static_cast<float>(at[i]), e = c;
      CHECK(ulps(value[i], std::pow(v, e)) <= 2);
      // Of others x^(c - 1) is a factor, which may be infinite where x is subnormal.
      const bool has_power = std::abs(c) < 1e-38 || at[i] > 1e-38;
      if (has_power) CHECK(ulps(slope[i], e * std::pow(v, e - 1)) <= 4);
      const Real second = e * (e - 1) * std::pow(v, e - 2);
      if (std::abs(second) > 1e-37L && at[i] >= 1e-20) CHECK(ulps(bend[i], second) <= 6);
    }
    CHECK(std::isnan(pow(tensor(-1.0), c).item()) == (std::floor(c) != c));
  }
  // At 0 and below, and at NaN and infinity, as of any fraction.
  const Tensor x = tensor({0, -2, inf, std::nan("")}).set_requires_grad();
  const Tensor y = pow(x, 1e-50);
  const std::vector<double> value = values(y), slope = values(grad(sum(y), x));
  CHECK(value[0] == 0);
  CHECK(std::isnan(value[1]));
  CHECK(value[2] == inf);
  CHECK(slope[0] == inf);
  CHECK(std::isnan(slope[1]));
  CHECK(slope[2] == 0);
  CHECK(std::isnan(slope[3]));
}

TEST_CASE("double holds its subnormal numbers, and takes them as they are") {
  const Tensor x = tensor({2.0}, {.dtype = float64});
  CHECK((x * 5e-324).item() == 1e-323);
  CHECK(!detail::is_below_normal(float64, 5e-324));
  CHECK(detail::is_below_normal(float32, 1e-40));
  CHECK(!detail::is_below_normal(float32, 0));
  CHECK(!detail::is_below_normal(float32, 0x1p-140));  // float32 holds it
  CHECK(!detail::is_below_normal(int64, 1e-40));
}

}}  // namespace xtgrad::v1::testing
