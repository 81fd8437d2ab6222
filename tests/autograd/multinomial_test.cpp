// Draws of categories, and the other everyday draws: ranges, frequencies and errors.
#include "xtgrad/autograd/multinomial.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::testing { namespace {

TEST_CASE("randint draws every number of its range, about as often") {
  Random random(1);
  std::array<int, 5> times{};
  const Tensor x = randint(-2, 3, {100, 100}, random);
  CHECK(x.dtype() == int64);
  for (const std::int64_t v : x.data<std::int64_t>()) ++times.at(static_cast<std::size_t>(v + 2));
  for (const int n : times) CHECK(std::abs(n - 2000) < 6 * 40);  // six deviations of sqrt(10^4 / 5 * 4 / 5)
  const std::int64_t most = std::numeric_limits<std::int64_t>::max(), least = -most - 1;
  const Tensor wide = randint(least, most, {1000}, random);
  CHECK(std::ranges::any_of(wide.data<std::int64_t>(), [](std::int64_t v) { return v < 0; }));
  CHECK(std::ranges::any_of(wide.data<std::int64_t>(), [](std::int64_t v) { return v > 0; }));
  CHECK(message_of<ValueError>([] { return randint(3, 3, {1}); }) ==
        "randint: low must be below high: low is 3, high is 3");
}

TEST_CASE("draws and constants like a tensor have its shape and dtype") {
  const Tensor x = ones({2, 3}, {.dtype = float64});
  Random a(5), b(5);
  CHECK(same_bits(randn_like(x, a), randn({2, 3}, b, {.dtype = float64})));
  CHECK(same_bits(rand_like(x, a), uniform({2, 3}, {}, b, {.dtype = float64})));
  CHECK(same_bits(full_like(x, 2.5), full({2, 3}, 2.5, {.dtype = float64})));
  CHECK(full_like(ones({2}, {.dtype = int32}), 7).dtype() == int32);
  CHECK(message_of<DtypeError>([] {
          return full_like(ones({2}, {.dtype = int64}), 0.5);
        }).starts_with("full_like: int64 cannot hold 0.5"));
  CHECK(message_of<DtypeError>([] { return randn_like(ones({2}, {.dtype = int64})); }) ==
        "randn_like: dtype must be float32 or float64: got int64");
  CHECK(message_of<DtypeError>([] {
          return rand_like(ones({2}, {.dtype = int64}));
        }).starts_with("rand_like: "));
}

TEST_CASE("multinomial with replacement draws in proportion to the weights") {
  Random random(2);
  for (const Dtype dtype : {float32, float64}) {
    const Tensor weights = tensor({{0, 1, 3, 0}, {2, 0, 0, 6}}, {.dtype = dtype});
    const Tensor drawn = multinomial(weights, 10000, {.replacement = true}, random);
    CHECK(drawn.shape() == Shape{2, 10000});
    for (const std::int64_t row : {0, 1}) {
      std::array<int, 4> times{};
      for (std::int64_t i = 0; i < 10000; ++i) ++times.at(static_cast<std::size_t>(drawn.at_int64({row, i})));
      CHECK(times[row == 0 ? 0 : 1] + times[row == 0 ? 3 : 2] == 0);
      CHECK(std::abs(times[row == 0 ? 2 : 3] - 7500) < 6 * 44);  // sqrt(10^4 * 3 / 16)
    }
  }
}

TEST_CASE("multinomial without replacement draws each at most once, the heavier earlier") {
  Random random(3);
  const Tensor weights = tensor({1, 0, 2, 1});
  int first_is_2 = 0, second_is_2 = 0;
  constexpr int draws = 4000;
  for (int i = 0; i < draws; ++i) {
    const Tensor drawn = multinomial(weights, 3, {}, random);
    const auto data = drawn.data<std::int64_t>();
    CHECK(std::set<std::int64_t>(data.begin(), data.end()) == std::set<std::int64_t>{0, 2, 3});
    first_is_2 += data[0] == 2 ? 1 : 0;
    second_is_2 += data[1] == 2 ? 1 : 0;
  }
  // Half of the first draws; else, as one of weight 1 is gone, two thirds of the second.
  CHECK(std::abs(first_is_2 - draws / 2) < 6 * 32);
  CHECK(std::abs(second_is_2 - draws / 3) < 6 * 30);
}

TEST_CASE("the same state draws the same categories") {
  Random a(7), b(7);
  const Tensor weights = tensor({{1, 2, 3}, {3, 2, 1}});
  CHECK(same_bits(multinomial(weights, 2, {}, a), multinomial(weights, 2, {}, b)));
  CHECK(same_bits(randint(0, 9, {5}, a), randint(0, 9, {5}, b)));
  CHECK(multinomial(weights, 0, {}, a).shape() == Shape{2, 0});
  CHECK(multinomial(ones({0, 3}), 2, {}, a).shape() == Shape{0, 2});
}

TEST_CASE("multinomial refuses weights that are none, and draws nothing then") {
  Random random(1);
  const auto refused = [&](const Tensor& weights, std::int64_t count) {
    return message_of<ValueError>([&] { return multinomial(weights, count, {}, random); });
  };
  CHECK(refused(tensor({1, -1}), 1) ==
        "multinomial: weights must be finite and not negative, got -1 at [1] of row 0");
  CHECK(refused(tensor({1, not_a_number}), 1).find("got nan at [1]") != std::string::npos);
  CHECK(refused(tensor({{1, 1}, {0, 0}}), 1) == "multinomial: all weights of row 1 are 0");
  CHECK(refused(tensor({1, 0, 1}), 3) ==
        "multinomial: 3 draws without replacement, but 2 weights of row 0 are above 0");
  CHECK(refused(tensor({1}), -1) == "multinomial: the count must not be negative, got -1");
  CHECK(refused(ones({0}), 1) == "multinomial: no categories: weights are [0]");
  CHECK(refused(full({2}, 1e308, {.dtype = float64}), 1) ==
        "multinomial: the weights of row 0 add up to infinity");
  CHECK(message_of<ShapeError>([] { return multinomial(ones({}), 1); }) ==
        "multinomial: weights must be [k] or [n, k], they are []");
  CHECK(message_of<DtypeError>([] { return multinomial(ones({2}, {.dtype = int64}), 1); }) ==
        "multinomial: weights must be float32 or float64, got int64");
  Random fresh(1);
  CHECK(same_bits(randn({3}, random), randn({3}, fresh)));
}

}}  // namespace xtgrad::v1::testing
