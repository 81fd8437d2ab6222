// The code of docs/operations/elementwise.md.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/logic.h"
#include "xtgrad/autograd/functions/special.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad { namespace {

TEST_CASE("a page on element by element functions: the logarithm of a tail") {
  const Tensor x = tensor({-40}, {.dtype = float64, .requires_grad = true});
  CHECK(log(normal_cdf(x)).item() < -700);                    // all digits but a few are lost
  CHECK(log_ndtr(x).item() == doctest::Approx(-804.608442));  // none
  CHECK(grad(log_ndtr(x), x).item() == doctest::Approx(40.024969));
}

/// Each pixel's loss under a Poisson distribution with the given rate, up to no constant.
Tensor poisson_nll(const Tensor& rate, const Tensor& count) {
  return rate - xlogy(count, rate) + lgamma(count + 1);
}

TEST_CASE("a page on element by element functions: a Poisson loss") {
  const Tensor rate = tensor({0, 0.5, 3}, {.dtype = float64, .requires_grad = true});
  const Tensor count = tensor({0, 1, 2}, {.dtype = float64});
  const Tensor loss = poisson_nll(rate, count);
  CHECK(loss.at({0}) == 0);  // where 0 * log(0) would be NaN
  CHECK(loss.at({1}) == doctest::Approx(0.5 + std::log(2)));
  const Tensor slope = grad(sum(loss), rate);
  CHECK(slope.at({0}) == 1);
  CHECK(slope.at({2}) == doctest::Approx(1 - 2.0 / 3));
}

TEST_CASE("a page on element by element functions: masks") {
  const Tensor x = tensor({-2, 0.5, std::numeric_limits<double>::quiet_NaN(), 3}, {.dtype = float64});
  const Tensor keep = (x > 0) & !isnan(x);
  CHECK(sum(where(keep, x, 0)).item() == 3.5);
}

TEST_CASE("a page on element by element functions: division") {
  const Tensor a = tensor({7, -7}, {.dtype = int64}), b = tensor({3, 3}, {.dtype = int64});
  CHECK(remainder(a, b).at({1}) == 2);      // Python's %
  CHECK(fmod(a, b).at({1}) == -1);          // C's %
  CHECK(floor_divide(a, b).at({1}) == -3);  // Python's //
}

TEST_CASE("a page on element by element functions: errors") {
  const Tensor a = ones({2}), whole = ones({2}, {.dtype = int64});
  const auto error = [](const auto& f) { return testing::message_of(f); };
  CHECK(error([&] { return a + ones({3}); }) == "add: shapes do not broadcast: a is [2], b is [3]");
  CHECK(error([&] { return a + ones({2}, {.dtype = float64}); }) ==
        "add: dtypes differ: a is float32, b is float64; convert one with to()");
  CHECK(error([&] { return exp(whole); }) ==
        "exp: needs float32 or float64, got int64; convert with to(float32)");
  CHECK(error([&] { return whole + 0.5; }) ==
        "add: int64 cannot hold 0.5; convert the tensor with to(float32)");
  CHECK(error([&] { return clamp(a, {.min = 2, .max = 1}); }) ==
        "clamp: min must not exceed max, got min 2 and max 1");
  CHECK(error([&] { return fmod(whole, whole - 1); }) ==
        "fmod: integers must not be divided by 0, which element 0 of b [2] is");
}

TEST_CASE("a page on element by element functions: a circle in polar coordinates") {
  const Tensor y = tensor({3, 0}, {.dtype = float64, .requires_grad = true});
  const Tensor x = tensor({4, 0}, {.dtype = float64, .requires_grad = true});
  const Tensor r = hypot(y, x);
  CHECK(r.at({0}) == 5);
  const Tensor slope = grad(sum(r), x);
  CHECK(slope.at({0}) == 0.8);
  CHECK(slope.at({1}) == 0);  // as that of every 2-norm at the origin
}

}}  // namespace xtgrad
