// Ranges and errors of random tensors; which numbers they hold is the subject of random_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

using namespace xtgrad;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
std::vector<T> values(const Tensor& x) {
  const std::span<const T> data = x.data<T>();
  return {data.begin(), data.end()};
}

}  // namespace

TEST_CASE("uniform numbers stay in their range and reach all of it") {
  Random random(1);
  for (const Dtype dtype : {float32, float64}) {
    const Tensor x = uniform({1000}, {.low = -2, .high = 3}, random, {.dtype = dtype});
    double least = infinity;
    double largest = -infinity;
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      least = std::min(least, x.at({i}));
      largest = std::max(largest, x.at({i}));
    }
    CHECK(least >= -2);
    CHECK(least < -1.95);
    CHECK(largest < 3);
    CHECK(largest > 2.95);
  }
}

TEST_CASE("uniform leaves high out even where rounding reaches it") {
  Random random(2);
  // Between neighbours of float32, half of the draws round up to `high`.
  const double next = 1 + 0x1p-23;
  for (const float v : values<float>(uniform({200}, {.low = 1, .high = next}, random))) CHECK(v == 1);
  // high is no float32: the largest one below it is 1.
  for (const float v : values<float>(uniform({200}, {.low = 0.99999, .high = 1 + 0x1p-25}, random)))
    CHECK(v <= 1);
  // A double range of two neighbours rounds in the same way.
  const UniformOptions neighbours{.low = 1, .high = 1 + 0x1p-52};
  for (const double v : values<double>(uniform({200}, neighbours, random, {.dtype = float64}))) CHECK(v == 1);
  // No float32 lies in the range: `low`, rounded.
  for (const float v : values<float>(uniform({20}, {.low = 1 + 1e-10, .high = 1 + 2e-10}, random)))
    CHECK(v == 1);
  for (const float v : values<float>(uniform({20}, {.low = 0.5, .high = 0.5}, random))) CHECK(v == 0.5);
}

TEST_CASE("uniform checks its range") {
  Random random(3);
  CHECK_THROWS_WITH_AS(static_cast<void>(uniform({2}, {.low = 2, .high = 1}, random)),
                       "uniform: low must not exceed high: low is 2, high is 1", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(uniform({2}, {.low = 0, .high = infinity}, random)),
                       "uniform: low, high and high - low must be finite: low is 0, high is inf", ValueError);
  CHECK_THROWS_WITH_AS(
      static_cast<void>(uniform({2}, {.low = -1e308, .high = 1e308}, random, {.dtype = float64})),
      "uniform: low, high and high - low must be finite: low is -1e+308, high is 1e+308", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(uniform({2}, {.low = 0, .high = 1e300}, random)),
                       "uniform: float32 cannot hold 1e+300", DtypeError);
  CHECK_THROWS_AS(
      static_cast<void>(uniform({2}, {.low = std::numeric_limits<double>::quiet_NaN(), .high = 1}, random)),
      ValueError);
}

TEST_CASE("random numbers have floating dtypes") {
  Random random(4);
  CHECK_THROWS_WITH_AS(static_cast<void>(randn({2}, random, {.dtype = int64})),
                       "randn: dtype must be float32 or float64: got int64", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(randn({2}, random, {.dtype = boolean})),
                       "randn: dtype must be float32 or float64: got bool", DtypeError);
  CHECK_THROWS_WITH_AS(static_cast<void>(uniform({2}, {}, random, {.dtype = int64})),
                       "uniform: dtype must be float32 or float64: got int64", DtypeError);
}

TEST_CASE("random tensors may be empty or 0-d") {
  Random random(5);
  CHECK(randn({0, 3}, random).shape() == Shape{0, 3});
  CHECK(randn({}, random).shape() == Shape{});
  CHECK(uniform({2, 0}, {}, random).numel() == 0);
  CHECK(bernoulli({}, 1, random).item() == 1);
  CHECK(bernoulli({0}, 0.5, random).dtype() == boolean);
}

TEST_CASE("bernoulli is true with probability p") {
  constexpr int n = 100000;
  Random random(6);
  for (const double p : {0.1, 0.5, 0.97}) {
    const std::vector<bool> x = values<bool>(bernoulli({n}, p, random));
    const auto count = static_cast<double>(std::count(x.begin(), x.end(), true));
    CAPTURE(p);
    CHECK(std::abs(count - p * n) < 4 * std::sqrt(p * (1 - p) * n));
  }
  const std::vector<bool> never = values<bool>(bernoulli({1000}, 0, random));
  const std::vector<bool> always = values<bool>(bernoulli({1000}, 1, random));
  CHECK(std::count(never.begin(), never.end(), true) == 0);
  CHECK(std::count(always.begin(), always.end(), true) == 1000);
}

TEST_CASE("bernoulli wants a probability") {
  Random random(7);
  CHECK_THROWS_WITH_AS(static_cast<void>(bernoulli({2}, 1.5, random)),
                       "bernoulli: p must be in [0, 1]: got 1.5", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(bernoulli({2}, -0.1, random)),
                       "bernoulli: p must be in [0, 1]: got -0.1", ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(bernoulli({2}, std::numeric_limits<double>::quiet_NaN(), random)),
                       "bernoulli: p must be in [0, 1]: got nan", ValueError);
}

TEST_CASE("randperm orders each of 0..n-1 once") {
  Random random(8);
  std::vector<std::int64_t> order = values<std::int64_t>(randperm(1000, random));
  CHECK_FALSE(std::is_sorted(order.begin(), order.end()));
  std::sort(order.begin(), order.end());
  std::vector<std::int64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  CHECK(order == expected);
  CHECK(randperm(0, random).shape() == Shape{0});
  CHECK(values<std::int64_t>(randperm(1, random)) == std::vector<std::int64_t>{0});
  CHECK_THROWS_WITH_AS(static_cast<void>(randperm(-1, random)), "randperm: n must not be negative: got -1",
                       ValueError);
}

TEST_CASE("randperm gives every order equally often") {
  constexpr int draws = 60000;
  Random random(9);
  std::array<int, 27> counts{};  // by the digits of the order in base 3
  for (int i = 0; i < draws; ++i) {
    const std::vector<std::int64_t> order = values<std::int64_t>(randperm(3, random));
    ++counts.at(static_cast<std::size_t>(order[0] * 9 + order[1] * 3 + order[2]));
  }
  double chi_square = 0;
  int orders = 0;
  for (const int count : counts) {
    if (count == 0) continue;
    ++orders;
    chi_square += std::pow(count - draws / 6.0, 2) / (draws / 6.0);
  }
  CHECK(orders == 6);
  CHECK(chi_square < 20.5);  // 99.9 percent for 5 degrees of freedom
}

TEST_CASE("rand draws what uniform draws from 0 to 1, and options need no stream") {
  Random random(5), same(5);
  CHECK(values<double>(rand({4, 3}, random, {.dtype = float64})) ==
        values<double>(uniform({4, 3}, {.low = 0, .high = 1}, same, {.dtype = float64})));
  CHECK(values<float>(rand({7}, {}, random)) == values<float>(uniform({7}, {.low = 0, .high = 1}, same)));
  CHECK(values<double>(randn({5}, {.dtype = float64}, random)) ==
        values<double>(randn({5}, same, {.dtype = float64})));
  const Tensor x = rand({2, 0}, {.dtype = float64, .requires_grad = true});
  CHECK(x.shape() == Shape{2, 0});
  CHECK(x.dtype() == float64);
  CHECK(x.requires_grad());
  const Tensor y = randn({}, {.requires_grad = true});
  CHECK(y.requires_grad());
  CHECK(y.dtype() == float32);
}
