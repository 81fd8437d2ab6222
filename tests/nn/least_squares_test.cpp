#include "xtgrad/nn/least_squares.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/nn/linear.h"
#include "xtgrad/nn/polynomial_features.h"
#include "xtgrad/optim/sgd.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

Tensor normal(const Shape& shape, Random& random) { return randn(shape, random, {.dtype = float64}); }

double largest(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x)).item(); }

/// What least_squares minimises.
Tensor objective(const Tensor& x, const Tensor& y, const Tensor& weight, const Tensor& bias, double l2) {
  return sum(square(matmul(x, weight, {.transpose_b = true}) + bias - y)) + l2 * sum(square(weight));
}

}  // namespace

TEST_CASE("least squares: a line has the slope and the intercept of the closed form") {
  Random random(1);
  const Tensor x = normal({50, 1}, random);
  const Tensor y = 3 * reshape(x, {50}) - 2 + 0.5 * normal({50}, random);
  const nn::LinearFit line = nn::least_squares(x, y);
  double mean_x = 0, mean_y = 0, over = 0, under = 0;
  for (std::int64_t i = 0; i < 50; ++i) {
    mean_x += x.at({i, 0}) / 50;
    mean_y += y.at({i}) / 50;
  }
  for (std::int64_t i = 0; i < 50; ++i) {
    over += (x.at({i, 0}) - mean_x) * (y.at({i}) - mean_y);
    under += (x.at({i, 0}) - mean_x) * (x.at({i, 0}) - mean_x);
  }
  CHECK(std::abs(line.weight.at({0, 0}) - over / under) < 1e-13);
  CHECK(std::abs(line.bias.at({0}) - (mean_y - over / under * mean_x)) < 1e-13);
  CHECK(line.weight.shape() == Shape{1, 1});
  CHECK(line.bias.shape() == Shape{1});
  CHECK(line.rank == 1);
}

TEST_CASE("least squares and ridge: the gradient of what they minimise is 0") {
  Random random(2);
  for (const double l2 : {0.0, 0.3, 100.0}) {
    for (const bool bias : {true, false}) {
      CAPTURE(l2);
      CAPTURE(bias);
      const Tensor x = normal({40, 5}, random) + 2;
      const Tensor y = normal({40, 3}, random) - 1;
      const nn::LinearFit fit = nn::least_squares(x, y, {.l2 = l2, .bias = bias});
      REQUIRE(fit.weight.shape() == Shape{3, 5});
      REQUIRE(fit.bias.shape() == Shape{3});
      const Tensor weight = fit.weight.detach().set_requires_grad();
      const Tensor offset = fit.bias.detach().set_requires_grad();
      const auto gradients = grad({objective(x, y, weight, offset, l2)}, {weight, offset});
      CHECK(largest(gradients[0]) < 1e-11);
      if (bias) {
        CHECK(largest(gradients[1]) < 1e-11);
      } else {
        CHECK(largest(fit.bias) == 0);
        CHECK(largest(gradients[1]) > 1);
      }
      CHECK(fit.rank == 5);
    }
  }
}

TEST_CASE("least squares: gradient descent reaches it") {
  Random random(3);
  const Tensor x = normal({30, 2}, random);
  const Tensor y = normal({30}, random);
  const double lambda = 0.1;
  const nn::LinearFit fit = nn::least_squares(x, y, {.l2 = 30 * lambda});
  nn::Linear layer{2, 1};
  layer.to(float64);
  optim::SGD sgd(layer.parameters(), {.lr = 0.1});
  for (int step = 0; step < 2000; ++step) {
    const Tensor error = reshape(layer(x), {30}) - y;
    const Tensor loss = mean(square(error)) + lambda * sum(square(layer.weight.tensor()));
    sgd.zero_grad();
    loss.backward();
    sgd.step();
  }
  CHECK(largest(layer.weight.tensor() - fit.weight) < 1e-12);
  CHECK(largest(layer.bias.tensor() - fit.bias) < 1e-12);
}

TEST_CASE("least squares: of several fits the one of least norm") {
  Random random(4);
  SUBCASE("fewer samples than features") {
    const Tensor x = normal({3, 6}, random);
    const Tensor y = normal({3}, random);
    const nn::LinearFit fit = nn::least_squares(x, y, {.bias = false});
    CHECK(fit.rank == 3);
    CHECK(largest(matmul(x, reshape(fit.weight, {6, 1})) - reshape(y, {3, 1})) < 1e-13);
    // It is a combination of the samples: any other fit has a part across them, and is longer.
    const nn::LinearFit across =
        nn::least_squares(permute(x, {1, 0}), reshape(fit.weight, {6}), {.bias = false});
    const Tensor rest = matmul(across.weight, x) - fit.weight;
    CHECK(largest(rest) < 1e-13);
  }
  SUBCASE("a product of narrow matrices, whose other directions are its rounding") {
    for (int i = 0; i < 20; ++i) {
      const Tensor x = matmul(normal({10, 3}, random), normal({3, 64}, random));
      CHECK(nn::least_squares(x, normal({10}, random), {.bias = false}).rank == 3);
    }
  }
  SUBCASE("a column twice") {
    const Tensor once = normal({20, 1}, random);
    const nn::LinearFit fit = nn::least_squares(concat({once, once}, 1), 4 * reshape(once, {20}) + 1);
    CHECK(fit.rank == 1);
    CHECK(largest(fit.weight - 2) < 1e-13);
    CHECK(largest(fit.bias - 1) < 1e-13);
  }
  SUBCASE("a column of equal numbers, whose mean is rounded") {
    for (const std::int64_t n : {3, 6, 11, 19}) {
      for (const double number : {0.1, 0.2, 0.7, 1.1, 1e6 + 0.1}) {
        CAPTURE(n);
        CAPTURE(number);
        const Tensor y = normal({n}, random);
        const Tensor equal = full({n, 1}, number, {.dtype = float64});
        const nn::LinearFit flat = nn::least_squares(equal, y);
        CHECK(flat.rank == 0);
        CHECK(flat.weight.item() == 0);
        CHECK(std::abs(flat.bias.item() - mean(y).item()) < 1e-14);
        // Beside a column of another scale.
        const nn::LinearFit both = nn::least_squares(concat({equal, 1e-3 * normal({n, 1}, random)}, 1), y);
        CHECK(both.rank == 1);
        CHECK(both.weight.at({0, 0}) == 0);
      }
    }
  }
  SUBCASE("one sample") {
    const nn::LinearFit fit = nn::least_squares(tensor({{1, 2}}), tensor({5.0}));
    CHECK(fit.rank == 0);
    CHECK(largest(fit.weight) == 0);
    CHECK(fit.bias.item() == 5);
  }
}

TEST_CASE("least squares: a penalty tames a polynomial of a high degree") {
  Random random(5);
  const Tensor x = linspace(-1, 1, 12, {.dtype = float64});
  const Tensor y = sin(3 * x) + 0.2 * normal({12}, random);
  const Tensor powers = nn::polynomial_features(reshape(x, {12, 1}), 11);
  const nn::LinearFit wild = nn::least_squares(powers, y);
  const nn::LinearFit tame = nn::least_squares(powers, y, {.l2 = 1e-3});
  const auto error = [&](const nn::LinearFit& fit) {
    const Tensor predicted = matmul(powers, fit.weight, {.transpose_b = true}) + fit.bias;
    return largest(reshape(predicted, {12}) - y);
  };
  CHECK(error(wild) < 1e-8);  // through all points
  CHECK(error(tame) > 1e-2);
  CHECK(largest(wild.weight) > 10 * largest(tame.weight));
}

TEST_CASE(
    "least squares: float32 in and out, computed in double; nothing recorded; no features, no outputs") {
  Random random(6);
  const Tensor x = randn({2000, 2}, random) + 1000;
  const Tensor y = matmul(x, tensor({{1}, {2}}));
  const nn::LinearFit fit = nn::least_squares(x.detach().set_requires_grad(), y);
  CHECK(fit.weight.dtype() == float32);
  CHECK_FALSE(fit.weight.requires_grad());
  // y was rounded to 24 bits of some 3000, so by up to 1.3e-4.
  CHECK(largest(fit.weight - tensor({{1, 2}})) < 1e-5);
  const nn::LinearFit constant = nn::least_squares(zeros({4, 0}), tensor({1.0, 2.0, 3.0, 6.0}));
  CHECK(constant.weight.shape() == Shape{1, 0});
  CHECK(constant.bias.item() == 3);
  CHECK(nn::least_squares(ones({4, 2}), ones({4, 0})).weight.shape() == Shape{0, 2});
}

TEST_CASE("least_squares names what does not fit") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto refused = [](const Tensor& x, const Tensor& y, double l2 = 0) {
    return message_of([&] { return nn::least_squares(x, y, {.l2 = l2}).rank; });
  };
  CHECK(refused(ones({3}), ones({3})) == "least_squares: x must be [n, features] with n at least 1: got [3]");
  CHECK(refused(ones({0, 2}), ones({0})) ==
        "least_squares: x must be [n, features] with n at least 1: got [0, 2]");
  CHECK(refused(ones({3, 2}), ones({2})) ==
        "least_squares: y must be [3] or [3, outputs], a row for each of x: got [2]");
  CHECK(refused(ones({3, 2}), tensor(1.0)) ==
        "least_squares: y must be [3] or [3, outputs], a row for each of x: got []");
  CHECK(refused(ones({3, 2}), ones({3}, {.dtype = float64})) ==
        "least_squares: x and y must have one floating dtype: got float32 and float64");
  CHECK(refused(ones({3, 2}, {.dtype = int64}), ones({3}, {.dtype = int64})) ==
        "least_squares: x and y must have one floating dtype: got int64 and int64");
  CHECK(refused(ones({3, 2}), ones({3}), -1) == "least_squares: l2 must be at least 0 and finite: got -1");
  CHECK(refused(tensor({{0.0, 1.0}, {2.0, nan}}), ones({2})) ==
        "least_squares: x must be finite: element [1, 1] is nan");
  CHECK(refused(tensor({{1.5e308}, {-1.5e308}}, {.dtype = float64}), ones({2}, {.dtype = float64})) ==
        "least_squares: x less its mean must be finite: element [0, 0] is inf");
  // Equal ones do not overflow.
  CHECK(nn::least_squares(full({2, 1}, 1.5e308, {.dtype = float64}), ones({2}, {.dtype = float64})).rank ==
        0);
  CHECK(refused(ones({2, 2}), tensor({1.0, nan})) ==
        "least_squares: y must be finite: element [1, 0] is nan");
}
