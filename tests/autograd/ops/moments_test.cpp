// Variances far from 0 and at the ends of the range, and products with zeros.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/transforms.h"

using namespace xtgrad;

TEST_CASE("the variance of numbers far from 0 has the digits that they have") {
  for (const std::int64_t n : {8, 1000, 100000}) {
    CAPTURE(n);
    // n times the numbers base + 0, 1, 2, 3: variance 1.25 exactly.
    const Tensor steps = reshape(broadcast_to(arange(4, {}, {.dtype = float32}), {n, 4}), {4 * n});
    CHECK(var(steps + 1e6, {.correction = 0}).item() == doctest::Approx(1.25).epsilon(1e-7));
    CHECK(stddev(steps + 1e6, {.correction = 0}).item() == doctest::Approx(std::sqrt(1.25)).epsilon(1e-7));
    CHECK(var(steps.to(float64) + 1e14, {.correction = 0}).item() == doctest::Approx(1.25).epsilon(1e-14));
  }
}

TEST_CASE("the deviation has a range that the variance has not") {
  const Tensor large = tensor({1e200, 3e200}, {.dtype = float64, .requires_grad = true});
  CHECK(stddev(large, {.correction = 0}).item() == doctest::Approx(1e200));
  CHECK(var(large).item() == std::numeric_limits<double>::infinity());
  CHECK(grad({stddev(large, {.correction = 0})}, {large})[0].at({1}) == doctest::Approx(0.5));
  CHECK(stddev(tensor({1e-200, 3e-200}, {.dtype = float64}), {.correction = 0}).item() ==
        doctest::Approx(1e-200));
  CHECK(stddev(tensor({1e30, 3e30}), {.correction = 0}).item() == doctest::Approx(1e30));
  // A sum that is out of the range, of numbers that are in it.
  const double most = std::numeric_limits<double>::max();
  CHECK(var(full({3}, most, {.dtype = float64})).item() == 0);
}

TEST_CASE("variances of other axes than the last are those of the rows that they make") {
  Random random(1);
  const Tensor x = randn({3, 4, 5}, random, {.dtype = float64});
  const Tensor moved = reshape(permute(x, {1, 0, 2}), {4, 15});
  const Tensor wanted = var(moved, {.axes = {1}}), got = var(x, {.axes = {0, 2}});
  for (std::int64_t i = 0; i < 4; ++i) CHECK(got.at({i}) == wanted.at({i}));
}

TEST_CASE("products with zeros have all their derivatives") {
  const auto product = [](const Tensor& x) { return prod(x); };
  // Of a b c d the second derivative in b and d is a c.
  const Tensor two = hessian(product, tensor({2, 0, 3, 0}, {.dtype = float64}));
  for (std::int64_t i = 0; i < 4; ++i) {
    for (std::int64_t j = 0; j < 4; ++j)
      CHECK(two.at({i, j}) == ((i == 1 && j == 3) || (i == 3 && j == 1) ? 6 : 0));
  }
  const Tensor one = hessian(product, tensor({2, 0, 3, 5}, {.dtype = float64}));
  CHECK(one.at({0, 1}) == 15);
  CHECK(one.at({2, 1}) == 10);
  CHECK(one.at({0, 2}) == 0);
  const Tensor x = tensor({0, 0, 0, 7}, {.dtype = float64, .requires_grad = true});
  Tensor y = prod(x);
  for (std::int64_t k = 0; k < 3; ++k) {
    const Tensor g = grad({y}, {x}, {.create_graph = true})[0];
    y = sum(slice(g, {.axis = 0, .start = k, .stop = k + 1}));
  }
  CHECK(y.item() == 7);
}

TEST_CASE("products whose parts leave the range") {
  CHECK(prod(tensor({1e200, 1e-250, 1e200, 1e-150}, {.dtype = float64})).item() == doctest::Approx(1));
  CHECK(prod(tensor({1e-200, 1e-200, 1e200, 1e200, -2}, {.dtype = float64})).item() == doctest::Approx(-2));
  CHECK(prod(full({60}, 1e38)).item() == std::numeric_limits<double>::infinity());
  CHECK(prod(full({60}, 1e-38)).item() == 0);
  CHECK(prod(concat({full({60}, 1e-38), full({60}, 1e38)})).item() == doctest::Approx(1).epsilon(1e-4));
}
