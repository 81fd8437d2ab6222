#include "xtgrad/autograd/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/threads.h"

using namespace xtgrad;

namespace {

using Words = std::array<std::uint32_t, 4>;

/// Philox4x32-10 once more, straight from the paper: rounds of one block, written without a look at the
/// library's.
Words reference_philox(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{counter[0]} * 3528531795U;
    const std::uint64_t b = std::uint64_t{counter[2]} * 3449720151U;
    const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x / 4294967296U); };
    const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x % 4294967296U); };
    counter = {high(b) ^ counter[1] ^ key[0], low(b), high(a) ^ counter[3] ^ key[1], low(a)};
    key = {key[0] + 2654435769U, key[1] + 3144134277U};
  }
  return counter;
}

template <class T>
std::vector<T> values(const Tensor& x) {
  const std::span<const T> data = x.data<T>();
  return {data.begin(), data.end()};
}

double mean_of(const std::vector<double>& x) {
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double central_moment(const std::vector<double>& x, int order) {
  const double mean = mean_of(x);
  double sum = 0;
  for (const double v : x) sum += std::pow(v - mean, order);
  return sum / static_cast<double>(x.size());
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const double mean_x = mean_of(x);
  const double mean_y = mean_of(y);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean_x) * (y[i] - mean_y);
  return sum / static_cast<double>(x.size()) / std::sqrt(central_moment(x, 2) * central_moment(y, 2));
}

/// Sum of (observed - expected)^2 / expected for equally likely cells.
double chi_square(const std::vector<std::int64_t>& counts) {
  const double expected =
      static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
      static_cast<double>(counts.size());
  double sum = 0;
  for (const std::int64_t count : counts)
    sum += std::pow(static_cast<double>(count) - expected, 2) / expected;
  return sum;
}

/// Kolmogorov and Smirnov's largest distance to a distribution function, times sqrt(n): above 1.95 once in
/// 1000.
template <class F>
double kolmogorov_smirnov(std::vector<double> x, F cdf) {
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double p = cdf(x[i]);
    largest = std::max(
        {largest, std::abs(p - static_cast<double>(i) / n), std::abs(p - static_cast<double>(i + 1) / n)});
  }
  return largest * std::sqrt(n);
}

std::vector<double> uniform_stream(Random random, std::size_t n) {
  std::vector<double> x(n);
  for (double& v : x) v = random.next_uniform();
  return x;
}

}  // namespace

TEST_CASE("Philox gives the known answers of Random123") {
  // kat_vectors: the counter is (index, position), the key is the seed, low words first.
  CHECK(Random::block(0, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  CHECK(Random::block(ones, ones, ones) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(Random::block(0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("Philox agrees with a straight implementation") {
  CHECK(reference_philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  const auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
  const auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
  std::uint64_t state = 1;
  const auto next = [&] { return state = state * 6364136223846793005U + 1442695040888963407U; };
  for (int i = 0; i < 1000; ++i) {
    const std::uint64_t seed = next();
    const std::uint64_t position = next();
    const std::uint64_t index = next();
    CHECK(
        Random::block(seed, position, index) ==
        reference_philox({low(index), high(index), low(position), high(position)}, {low(seed), high(seed)}));
  }
}

TEST_CASE("element i of a tensor comes from block i alone") {
  // 37 is no multiple of any SIMD width.
  Random random(5);
  static_cast<void>(random.next_uniform());
  const std::vector<double> drawn = values<double>(uniform({37}, {}, random, {.dtype = float64}));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const Words block = Random::block(5, 1, i);
    const std::uint64_t bits = block[0] | std::uint64_t{block[1]} << 32;
    CHECK(drawn[i] == static_cast<double>(bits >> 11) / 9007199254740992.0);
  }
}

TEST_CASE("a normal number is Box and Muller's transform of its block") {
  Random random(6);
  const std::vector<double> drawn = values<double>(randn({37}, random, {.dtype = float64}));
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const Words block = Random::block(6, 0, i);
    const std::uint64_t bits1 = block[0] | std::uint64_t{block[1]} << 32;
    const std::uint64_t bits2 = block[2] | std::uint64_t{block[3]} << 32;
    const long double u1 = static_cast<long double>((bits1 >> 11) + 1) / 9007199254740992.0L;
    const long double u2 = static_cast<long double>(bits2 >> 11) / 9007199254740992.0L;
    const long double expected = std::sqrt(-2 * std::log(u1)) * std::cos(2 * 3.14159265358979323846L * u2);
    CHECK(std::abs(static_cast<long double>(drawn[i]) - expected) <= 4e-15L);
  }
}

TEST_CASE("float32 draws are the float64 draws, rounded") {
  Random a(7);
  Random b(7);
  const std::vector<float> normal32 = values<float>(randn({1001}, a, {.dtype = float32}));
  const std::vector<double> normal64 = values<double>(randn({1001}, b, {.dtype = float64}));
  const std::vector<float> uniform32 =
      values<float>(uniform({1001}, {.low = -3, .high = 5}, a, {.dtype = float32}));
  const std::vector<double> uniform64 =
      values<double>(uniform({1001}, {.low = -3, .high = 5}, b, {.dtype = float64}));
  for (std::size_t i = 0; i < normal32.size(); ++i) {
    CHECK(normal32[i] == static_cast<float>(normal64[i]));
    CHECK(uniform32[i] == static_cast<float>(uniform64[i]));
  }
}

TEST_CASE("shapes of one size draw the same numbers") {
  Random a(8);
  Random b(8);
  CHECK(values<float>(randn({60}, a)) == values<float>(randn({3, 4, 5}, b)));
  CHECK(values<float>(uniform({4, 15}, {}, a)) == values<float>(uniform({60}, {}, b)));
  CHECK(values<bool>(bernoulli({60}, 0.3, a)) == values<bool>(bernoulli({1, 60}, 0.3, b)));
}

TEST_CASE("a longer draw begins with the shorter one") {
  Random a(8);
  Random b(8);
  std::vector<float> longer = values<float>(randn({100}, a));
  longer.resize(33);
  CHECK(longer == values<float>(randn({33}, b)));
}

TEST_CASE("the number of threads does not change a bit") {
  constexpr std::int64_t n = 200003;
  const int before = num_threads();
  std::array<std::vector<float>, 2> normal;
  std::array<std::vector<bool>, 2> truths;
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    set_num_threads(i == 0 ? 1 : 4);
    Random random(8);
    normal[i] = values<float>(randn({n}, random));
    truths[i] = values<bool>(bernoulli({n}, 0.5, random));
  }
  set_num_threads(before);
  CHECK(normal[0] == normal[1]);
  CHECK(truths[0] == truths[1]);
  // Also past the first tile, element i is block i's.
  const Words block = Random::block(8, 1, n - 1);
  CHECK(truths[0].back() == ((block[1] >> 31) == 0));
}

TEST_CASE("every draw takes one position, whatever its size") {
  Random random(9);
  CHECK(random.position() == 0);
  static_cast<void>(random.next_uniform());
  static_cast<void>(random.next_normal());
  static_cast<void>(random.next_below(10));
  static_cast<void>(random.split());
  CHECK(random.position() == 4);
  static_cast<void>(randn({0}, random));
  static_cast<void>(randn({}, random));
  static_cast<void>(uniform({100, 3}, {}, random));
  static_cast<void>(bernoulli({5}, 0.5, random));
  static_cast<void>(randperm(0, random));
  static_cast<void>(randperm(20, random));
  CHECK(random.position() == 10);
}

TEST_CASE("a refused draw takes no position") {
  Random random(9);
  CHECK_THROWS_AS(static_cast<void>(random.next_below(0)), ValueError);
  CHECK_THROWS_AS(static_cast<void>(randn({2}, random, {.dtype = int64})), DtypeError);
  CHECK_THROWS_AS(static_cast<void>(uniform({2}, {.low = 2, .high = 1}, random)), ValueError);
  CHECK_THROWS_AS(static_cast<void>(bernoulli({2}, 2, random)), ValueError);
  CHECK_THROWS_AS(static_cast<void>(randperm(-1, random)), ValueError);
  CHECK(random.position() == 0);
}

TEST_CASE("a single draw is element 0 of a tensor's") {
  Random a(10);
  Random b(10);
  CHECK(a.next_uniform() == uniform({}, {}, b, {.dtype = float64}).item());
  CHECK(a.next_normal() == randn({}, b, {.dtype = float64}).item());
}

TEST_CASE("a saved state continues where it was") {
  Random random(11);
  static_cast<void>(randn({3}, random));
  const std::uint64_t seed = random.seed();
  const std::uint64_t position = random.position();
  const std::vector<float> expected = values<float>(randn({50}, random));
  const double next = random.next_uniform();
  Random other(0);
  other.set_state(seed, position);
  CHECK(values<float>(randn({50}, other)) == expected);
  CHECK(other.next_uniform() == next);
}

TEST_CASE("other seeds and other positions give other numbers") {
  Random a(12);
  Random b(13);
  Random high(12 + (std::uint64_t{1} << 32));
  const std::vector<float> first = values<float>(randn({50}, a));
  CHECK(first != values<float>(randn({50}, a)));
  CHECK(first != values<float>(randn({50}, b)));
  CHECK(first != values<float>(randn({50}, high)));
}

TEST_CASE("manual_seed restarts the default generator") {
  manual_seed(42);
  Random expected(42);
  CHECK(values<float>(randn({5})) == values<float>(randn({5}, expected)));
  CHECK(default_random().next_uniform() == expected.next_uniform());
  CHECK(default_random().seed() == 42);
  manual_seed(0);
}

TEST_CASE("uniform numbers fill the interval from 0 to 1 evenly") {
  constexpr std::size_t n = 200000;
  Random random(14);
  const std::vector<double> x = values<double>(uniform({n}, {}, random, {.dtype = float64}));
  CHECK(*std::min_element(x.begin(), x.end()) >= 0);
  CHECK(*std::max_element(x.begin(), x.end()) < 1);
  CHECK(std::abs(mean_of(x) - 0.5) < 4 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(central_moment(x, 2) - 1.0 / 12) < 4 * std::sqrt(1.0 / 180 / n));
  CHECK(kolmogorov_smirnov(x, [](double v) { return v; }) < 1.95);
  CHECK(kolmogorov_smirnov(uniform_stream(random, n), [](double v) { return v; }) < 1.95);
}

TEST_CASE("normal numbers have the normal distribution's moments, shape and tails") {
  constexpr std::size_t n = 200000;
  Random random(15);
  const std::vector<double> x = values<double>(randn({n}, random, {.dtype = float64}));
  CHECK(std::abs(mean_of(x)) < 4 / std::sqrt(double{n}));
  CHECK(std::abs(central_moment(x, 2) - 1) < 4 * std::sqrt(2.0 / n));
  CHECK(std::abs(central_moment(x, 3)) < 4 * std::sqrt(15.0 / n));
  CHECK(std::abs(central_moment(x, 4) - 3) < 4 * std::sqrt(96.0 / n));
  CHECK(kolmogorov_smirnov(x, [](double v) { return std::erfc(-v / std::sqrt(2.0)) / 2; }) < 1.95);
  for (const double threshold : {2.0, 3.0, 4.0}) {
    const double p = std::erfc(threshold / std::sqrt(2.0));
    const auto beyond = std::count_if(x.begin(), x.end(), [&](double v) { return std::abs(v) > threshold; });
    CAPTURE(threshold);
    CHECK(std::abs(static_cast<double>(beyond) - p * n) < 4 * std::sqrt(p * n) + 1);
  }
}

TEST_CASE("neighbouring elements and positions are uncorrelated") {
  constexpr std::size_t n = 100000;
  const double bound = 4 / std::sqrt(double{n});
  Random random(16);
  const std::vector<double> first = values<double>(randn({n}, random, {.dtype = float64}));
  const std::vector<double> second = values<double>(randn({n}, random, {.dtype = float64}));
  CHECK(std::abs(correlation(first, second)) < bound);
  for (const std::size_t lag : {std::size_t{1}, std::size_t{2}, std::size_t{16}}) {
    std::vector<double> shifted = first;
    std::rotate(shifted.begin(), shifted.begin() + static_cast<std::ptrdiff_t>(lag), shifted.end());
    CAPTURE(lag);
    CHECK(std::abs(correlation(first, shifted)) < bound);
  }
}

TEST_CASE("split gives independent generators and leaves the parent one position on") {
  constexpr std::size_t n = 100000;
  const double bound = 4 / std::sqrt(double{n});
  Random parent(17);
  Random a = parent.split();
  Random b = parent.split();
  CHECK(parent.position() == 2);
  CHECK(a.position() == 0);
  CHECK(a.seed() != b.seed());
  CHECK(a.seed() != parent.seed());
  const std::vector<double> from_parent = uniform_stream(parent, n);
  const std::vector<double> from_a = uniform_stream(a, n);
  const std::vector<double> from_b = uniform_stream(b, n);
  CHECK(std::abs(correlation(from_parent, from_a)) < bound);
  CHECK(std::abs(correlation(from_parent, from_b)) < bound);
  CHECK(std::abs(correlation(from_a, from_b)) < bound);
  Random again(17);
  CHECK(again.split().seed() == a.seed());
}

TEST_CASE("next_below is uniform for small n") {
  Random random(18);
  for (const std::int64_t n : {2, 6, 10}) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(n));
    for (int i = 0; i < 60000; ++i) ++counts.at(static_cast<std::size_t>(random.next_below(n)));
    CAPTURE(n);
    CHECK(chi_square(counts) < 27.9);  // 99.9 percent for 9 degrees of freedom, more than that for fewer
  }
  for (int i = 0; i < 10; ++i) CHECK(random.next_below(1) == 0);
}

TEST_CASE("next_below redraws what would favour some numbers") {
  // 2^64 = 8/3 n: without a redraw, residues mod 3 would come up 3 : 3 : 2.
  const std::int64_t n = 3 * (std::int64_t{1} << 61);
  Random random(19);
  std::vector<std::int64_t> counts(3);
  for (int i = 0; i < 30000; ++i) {
    const std::int64_t drawn = random.next_below(n);
    REQUIRE(drawn >= 0);
    REQUIRE(drawn < n);
    ++counts[static_cast<std::size_t>(drawn % 3)];
  }
  CHECK(chi_square(counts) < 13.8);
  CHECK(random.position() == 30000);  // redraws take blocks, not positions
  for (int i = 0; i < 100; ++i) CHECK(random.next_below(std::numeric_limits<std::int64_t>::max()) >= 0);
}

TEST_CASE("next_below needs room for a number") {
  Random random(20);
  CHECK_THROWS_WITH_AS(static_cast<void>(random.next_below(0)), "next_below: n must be at least 1: got 0",
                       ValueError);
  CHECK_THROWS_WITH_AS(static_cast<void>(random.next_below(-5)), "next_below: n must be at least 1: got -5",
                       ValueError);
}
