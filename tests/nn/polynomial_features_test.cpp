#include "xtgrad/nn/polynomial_features.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/support/message_of.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"

using namespace xtgrad;
using xtgrad::testing::message_of;

namespace {

/// All monomials of one degree by counting: the factors of each in ascending order, the last fastest.
void add_monomials(const std::vector<double>& row, std::size_t first, std::int64_t degree, double product,
                   std::vector<double>& out) {
  if (degree == 0) {
    out.push_back(product);
    return;
  }
  for (std::size_t i = first; i < row.size(); ++i) add_monomials(row, i, degree - 1, product * row[i], out);
}

}  // namespace

TEST_CASE("polynomial features are all monomials, by degree and then by factor") {
  const Tensor example = nn::polynomial_features(tensor({{2, 3}}), 2);
  const auto numbers = example.data<float>();
  CHECK(std::vector<float>(numbers.begin(), numbers.end()) == std::vector<float>{2, 3, 4, 6, 9});
  Random random(1);
  for (const Dtype dtype : {float32, float64}) {
    for (const std::int64_t features : {1, 2, 4}) {
      for (const std::int64_t degree : {1, 2, 3, 5}) {
        CAPTURE(features);
        CAPTURE(degree);
        // Whole numbers, whose products are exact.
        const Tensor x = (uniform({3, features}, {.low = -3, .high = 4}, random) - 0.5).to(int64).to(dtype);
        const Tensor p = nn::polynomial_features(x, degree);
        CHECK(p.dtype() == dtype);
        for (std::int64_t n = 0; n < 3; ++n) {
          std::vector<double> row, expected;
          for (std::int64_t i = 0; i < features; ++i) row.push_back(x.at({n, i}));
          for (std::int64_t d = 1; d <= degree; ++d) add_monomials(row, 0, d, 1, expected);
          REQUIRE(p.shape() == Shape{3, static_cast<std::int64_t>(expected.size())});
          for (std::size_t i = 0; i < expected.size(); ++i) {
            CHECK(p.at({n, static_cast<std::int64_t>(i)}) == expected[i]);
          }
        }
      }
    }
  }
}

TEST_CASE("polynomial features have derivatives of every order, at 0 too") {
  Random random(2);
  const Tensor x = randn({2, 3}, random, {.dtype = float64});
  CHECK(check_grads([](const Tensor& t) { return nn::polynomial_features(t, 3); }, x, {.order = 3}).ok());
  const Tensor zero = zeros({1, 2}, {.dtype = float64});
  CHECK(check_grads([](const Tensor& t) { return nn::polynomial_features(t, 3); }, zero, {.order = 2}).ok());
}

TEST_CASE("polynomial features of no samples, and of no features") {
  CHECK(nn::polynomial_features(zeros({0, 2}), 3).shape() == Shape{0, 9});
  CHECK(nn::polynomial_features(zeros({4, 0}), 3).shape() == Shape{4, 0});
}

TEST_CASE("polynomial features name what does not fit") {
  const auto refused = [](const Tensor& x, std::int64_t degree) {
    return message_of([&] { return nn::polynomial_features(x, degree); });
  };
  CHECK(refused(ones({3}), 2) == "polynomial_features: x must be [n, features]: got [3]");
  CHECK(refused(ones({3, 1}, {.dtype = int64}), 2) ==
        "polynomial_features: x must be float32 or float64: got int64");
  CHECK(refused(ones({3, 1}), 0) == "polynomial_features: degree must be at least 1: got 0");
  CHECK(
      refused(ones({1, 784}), 3) ==
      "polynomial_features: 784 features have more than 1000000 monomials of degree 3 and less: degree is 3");
  CHECK(
      refused(ones({1, 1}), std::int64_t{1} << 40)
          .starts_with(
              "polynomial_features: 1 features have more than 1000000 monomials of degree 1000001 and less"));
}
