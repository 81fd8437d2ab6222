// Lanes against long double: accuracy over the whole domain, special values, and how numbers convert.
#include "xtgrad/autograd/kernels/levels/lanes.h"

#include <doctest/doctest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

namespace {

using namespace xtgrad::detail;
using Wide = long double;

template <class T>
using Word = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;

template <class T>
constexpr T inf = std::numeric_limits<T>::infinity();
template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T tiny = std::numeric_limits<T>::denorm_min();
template <class T>
constexpr T huge = std::numeric_limits<T>::max();

// Applies `f` to whole lanes; the last lane is filled up with ones.
template <class T, class F>
std::vector<T> map(F f, std::vector<T> x) {
  constexpr std::size_t width = Lane<T>::width;
  const std::size_t n = x.size();
  x.resize((n + width - 1) / width * width, T(1));
  for (std::size_t i = 0; i < x.size(); i += width) f(Lane<T>::load(&x[i])).store(&x[i]);
  x.resize(n);
  return x;
}

template <class T, class F>
std::vector<T> map(F f, std::vector<T> x, std::vector<T> y) {
  constexpr std::size_t width = Lane<T>::width;
  const std::size_t n = x.size();
  x.resize((n + width - 1) / width * width, T(1));
  y.resize(x.size(), T(1));
  for (std::size_t i = 0; i < x.size(); i += width)
    f(Lane<T>::load(&x[i]), Lane<T>::load(&y[i])).store(&x[i]);
  x.resize(n);
  return x;
}

template <class T, class F, class... X>
T at(F f, X... x) {
  return map<T>(f, std::vector<T>{static_cast<T>(x)}...)[0];
}

// Equal bits, except that any NaN equals any other.
template <class T>
bool same(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<Word<T>>(a) == std::bit_cast<Word<T>>(b);
}

// The distance of `got` from the exact `want`, in units of the last digit of T there.
template <class T>
double ulps(T got, Wide want) {
  const T rounded = static_cast<T>(want);
  if (std::isnan(got) || std::isnan(rounded)) return std::isnan(got) && std::isnan(rounded) ? 0 : HUGE_VAL;
  if (rounded == 0 && got == 0) return std::signbit(got) == std::signbit(rounded) ? 0 : HUGE_VAL;
  if (std::isinf(got) || std::isinf(rounded)) {
    if (got == rounded) return 0;
    const bool at_the_edge = std::abs(got) >= huge<T> && std::abs(rounded) >= huge<T>;
    return at_the_edge && std::signbit(got) == std::signbit(rounded) ? 1 : HUGE_VAL;
  }
  constexpr int digits = std::numeric_limits<T>::digits;
  int exponent = std::numeric_limits<T>::min_exponent;
  if (rounded != 0) exponent = std::max(exponent, std::ilogb(rounded) + 1);
  return static_cast<double>(std::abs(static_cast<Wide>(got) - want) /
                             std::ldexp(Wide(1), exponent - digits));
}

// A sweep of [low, high], both signs of every magnitude from the smallest to the largest, and random bit
// patterns.
template <class T>
std::vector<T> arguments(double low, double high, unsigned seed) {
  std::vector<T> x = {T(0),   T(-0.0), T(1),     T(-1),   inf<T>,  -inf<T>,
                      nan<T>, tiny<T>, -tiny<T>, huge<T>, -huge<T>};
  constexpr int sweep = 8000;
  for (int i = 0; i <= sweep; ++i) x.push_back(static_cast<T>(low + (high - low) * i / sweep));
  for (int e = -1080; e < 1025; ++e) {
    const T magnitude = static_cast<T>(std::ldexp(1 + 0.9 * std::abs(std::sin(e)), e));
    x.insert(x.end(), {magnitude, -magnitude});
  }
  std::mt19937_64 generator(seed);
  for (int i = 0; i < 4000; ++i) x.push_back(std::bit_cast<T>(static_cast<Word<T>>(generator())));
  return x;
}

#define LANE_FUNCTION(name) [](const auto& v) { return name(v); }
// std's functions named so that long double's are called, never double's.
#define WIDE_FUNCTION(name) [](Wide v) -> Wide { return std::name(v); }

constexpr auto wide_sigmoid = [](Wide x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
};

// The promised accuracy: name, function, reference, largest error in ulps as float and as double, swept
// range.
const auto accuracy = std::tuple{
    std::tuple{"exp", LANE_FUNCTION(exp), WIDE_FUNCTION(exp), 1.0, 1.0, -110.0, 95.0},
    std::tuple{"exp, wide", LANE_FUNCTION(exp), WIDE_FUNCTION(exp), 1.0, 1.0, -760.0, 715.0},
    std::tuple{"expm1", LANE_FUNCTION(expm1), WIDE_FUNCTION(expm1), 2.0, 2.0, -3.0, 3.0},
    std::tuple{"expm1, wide", LANE_FUNCTION(expm1), WIDE_FUNCTION(expm1), 2.0, 2.0, -60.0, 715.0},
    std::tuple{"log", LANE_FUNCTION(log), WIDE_FUNCTION(log), 1.0, 1.0, 0.0, 4.0},
    std::tuple{"log1p", LANE_FUNCTION(log1p), WIDE_FUNCTION(log1p), 1.0, 1.0, -1.0, 3.0},
    std::tuple{"sqrt", LANE_FUNCTION(sqrt), WIDE_FUNCTION(sqrt), 0.5, 0.5, 0.0, 4.0},
    std::tuple{"tanh", LANE_FUNCTION(tanh), WIDE_FUNCTION(tanh), 2.5, 2.5, -1.0, 1.0},
    std::tuple{"tanh, wide", LANE_FUNCTION(tanh), WIDE_FUNCTION(tanh), 2.5, 2.5, -25.0, 25.0},
    std::tuple{"sigmoid", LANE_FUNCTION(sigmoid), wide_sigmoid, 2.5, 2.5, -8.0, 8.0},
    std::tuple{"sigmoid, wide", LANE_FUNCTION(sigmoid), wide_sigmoid, 2.5, 2.5, -760.0, 60.0},
    std::tuple{"erf", LANE_FUNCTION(erf), WIDE_FUNCTION(erf), 1.5, 1.5, -7.0, 7.0},
    std::tuple{"sin", LANE_FUNCTION(sin), WIDE_FUNCTION(sin), 1.0, 1.0, -10.0, 10.0},
    std::tuple{"sin, wide", LANE_FUNCTION(sin), WIDE_FUNCTION(sin), 1.0, 1.0, -1.1e6, 1.1e6},
    std::tuple{"cos", LANE_FUNCTION(cos), WIDE_FUNCTION(cos), 1.0, 1.0, -10.0, 10.0},
    std::tuple{"cos, wide", LANE_FUNCTION(cos), WIDE_FUNCTION(cos), 1.0, 1.0, -1.1e4, 1.1e4},
    std::tuple{"floor", LANE_FUNCTION(floor), WIDE_FUNCTION(floor), 0.0, 0.0, -4.0, 4.0},
    std::tuple{"abs", LANE_FUNCTION(abs), WIDE_FUNCTION(abs), 0.0, 0.0, -4.0, 4.0},
};
constexpr double pow_ulps = 1.0;

template <class T, class Row>
void check_accuracy(const Row& row) {
  const auto& [name, lane, reference, float_bound, double_bound, low, high] = row;
  double worst = 0;
  T worst_x = 0;
  const std::vector<T> x = arguments<T>(low, high, 1);
  const std::vector<T> y = map<T>(lane, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulps(y[i], reference(x[i]));
    if (error > worst) {
      worst = error;
      worst_x = x[i];
    }
  }
  const std::string function = name;
  CAPTURE(function);
  CAPTURE(worst_x);
  CHECK(worst <= (sizeof(T) == 4 ? float_bound : double_bound));
}

TEST_CASE_TEMPLATE("lane functions keep the accuracy they promise", T, float, double) {
  std::apply([](const auto&... row) { (check_accuracy<T>(row), ...); }, accuracy);
}

TEST_CASE_TEMPLATE("pow is accurate for every kind of base and exponent", T, float, double) {
  std::vector<T> x, y;
  std::mt19937_64 generator(2);
  std::uniform_real_distribution<double> u(0, 1);
  for (int i = 0; i < 10000; ++i) {
    x.push_back(std::bit_cast<T>(static_cast<Word<T>>(generator())));  // anything
    y.push_back(std::bit_cast<T>(static_cast<Word<T>>(generator())));
    x.push_back(static_cast<T>(std::exp(40 * u(generator) - 20)));  // ordinary
    y.push_back(static_cast<T>(40 * u(generator) - 20));
    x.push_back(static_cast<T>(1 + (u(generator) - 0.5) * std::exp(-30 * u(generator))));  // near 1, steep
    y.push_back(static_cast<T>((u(generator) - 0.5) * std::exp(30 * u(generator))));
    x.push_back(static_cast<T>(20 * u(generator) - 10));  // signs
    y.push_back(static_cast<T>(std::round(60 * u(generator) - 30)));
  }
  const std::vector<T> z = map<T>([](auto a, auto b) { return pow(a, b); }, x, y);
  double worst = 0;
  T worst_x = 0, worst_y = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double error = ulps(z[i], std::pow(static_cast<Wide>(x[i]), static_cast<Wide>(y[i])));
    if (error > worst) std::tie(worst, worst_x, worst_y) = std::tuple(error, x[i], y[i]);
  }
  CAPTURE(worst_x);
  CAPTURE(worst_y);
  CHECK(worst <= pow_ulps);
}

TEST_CASE_TEMPLATE("pow has all of C's special cases", T, float, double) {
  const std::array<T, 22> values = {T(0),     T(-0.0), T(1),     T(-1),   T(0.5),   T(-0.5), T(2),   T(-2),
                                    T(3),     T(-3),   T(2.5),   T(-2.5), inf<T>,   -inf<T>, nan<T>, tiny<T>,
                                    -tiny<T>, huge<T>, -huge<T>, T(1e10), T(-1e10), T(4)};
  for (const T x : values) {
    for (const T y : values) {
      CAPTURE(x);
      CAPTURE(y);
      const Wide want = std::pow(static_cast<Wide>(x), static_cast<Wide>(y));
      CHECK(ulps(at<T>([](auto a, auto b) { return pow(a, b); }, x, y), want) <= pow_ulps);
      CHECK(ulps(at<T>([y](auto a) { return pow(a, y); }, x), want) <= 1.5);
      CHECK(ulps(at<T>([x](auto b) { return pow(x, b); }, y), want) <= pow_ulps);
    }
  }
  CHECK(at<T>([](auto a) { return pow(a, 3); }, -2) == -8);
}

TEST_CASE_TEMPLATE("special values are exact", T, float, double) {
  const auto check = [](auto f, T x, T want) {
    CAPTURE(x);
    CAPTURE(want);
    CHECK(same(at<T>(f, x), want));
  };
  const auto exp_ = LANE_FUNCTION(exp);
  check(exp_, 0, 1), check(exp_, T(-0.0), 1), check(exp_, inf<T>, inf<T>), check(exp_, -inf<T>, 0);
  check(exp_, huge<T>, inf<T>), check(exp_, -huge<T>, 0);
  const auto log_ = LANE_FUNCTION(log);
  check(log_, 0, -inf<T>), check(log_, T(-0.0), -inf<T>), check(log_, -1, nan<T>), check(log_, 1, 0);
  check(log_, inf<T>, inf<T>), check(log_, -tiny<T>, nan<T>), check(log_, -inf<T>, nan<T>);
  const auto log1p_ = LANE_FUNCTION(log1p);
  check(log1p_, -1, -inf<T>), check(log1p_, -2, nan<T>), check(log1p_, tiny<T>, tiny<T>);
  check(log1p_, T(-0.0), T(-0.0)), check(log1p_, inf<T>, inf<T>);
  const auto expm1_ = LANE_FUNCTION(expm1);
  check(expm1_, T(-0.0), T(-0.0)), check(expm1_, tiny<T>, tiny<T>), check(expm1_, -1000, -1);
  check(expm1_, inf<T>, inf<T>), check(expm1_, -inf<T>, -1);
  const auto tanh_ = LANE_FUNCTION(tanh);
  check(tanh_, 1000, 1), check(tanh_, -1000, -1), check(tanh_, inf<T>, 1), check(tanh_, -inf<T>, -1);
  check(tanh_, T(-0.0), T(-0.0)), check(tanh_, tiny<T>, tiny<T>), check(tanh_, T(1e-10), T(1e-10));
  const auto sigmoid_ = LANE_FUNCTION(sigmoid);
  check(sigmoid_, 1000, 1), check(sigmoid_, -1000, 0), check(sigmoid_, 0, T(0.5)), check(sigmoid_, inf<T>, 1);
  check(sigmoid_, -inf<T>, 0);
  const auto erf_ = LANE_FUNCTION(erf);
  check(erf_, T(-0.0), T(-0.0)), check(erf_, 30, 1), check(erf_, -inf<T>, -1), check(erf_, tiny<T>, tiny<T>);
  check(LANE_FUNCTION(sin), T(-0.0), T(-0.0)), check(LANE_FUNCTION(sin), inf<T>, nan<T>);
  check(LANE_FUNCTION(cos), 0, 1), check(LANE_FUNCTION(cos), -inf<T>, nan<T>);
  const auto sign_ = LANE_FUNCTION(sign);
  check(sign_, 0, 0), check(sign_, T(-0.0), 0), check(sign_, tiny<T>, 1), check(sign_, -inf<T>, -1);
  check(LANE_FUNCTION(sqrt), -1, nan<T>), check(LANE_FUNCTION(square), -3, 9);
  std::apply([&](const auto&... row) { (check(std::get<1>(row), nan<T>, nan<T>), ...); }, accuracy);
  check(sign_, nan<T>, nan<T>);
}

TEST_CASE_TEMPLATE("a huge angle is reduced exactly, beside ordinary ones", T, float, double) {
  for (const double angle : {1e5, 1e10, 1e22, 1e30, 3.0e38, 1e300}) {
    const T x = static_cast<T>(angle);
    CAPTURE(x);
    CHECK(ulps(at<T>(LANE_FUNCTION(sin), x), std::sin(static_cast<Wide>(x))) <= 1);
    CHECK(ulps(at<T>(LANE_FUNCTION(cos), x), std::cos(static_cast<Wide>(x))) <= 1);
  }
}

TEST_CASE_TEMPLATE("an element's bits do not depend on its neighbours", T, float, double) {
  const std::vector<T> x = {T(0.3), T(1e9),  T(-2),   inf<T>,  T(0),   nan<T>,
                            T(100), -inf<T>, tiny<T>, T(-7.5), huge<T>};
  const auto check = [&](const auto& f) {
    const std::vector<T> together = map<T>(f, x);
    for (std::size_t i = 0; i < x.size(); ++i) {
      CHECK(same(together[i], map<T>(f, std::vector<T>(Lane<T>::width, x[i]))[0]));
    }
  };
  std::apply([&](const auto&... row) { (check(std::get<1>(row)), ...); }, accuracy);
  check([](const auto& v) { return pow(v, v); });
}

TEST_CASE_TEMPLATE("a number is converted to the lane's type", T, float, double) {
  const T x = static_cast<T>(0.7);
  const T tenth = static_cast<T>(0.1);
  CHECK(same(at<T>([](auto a) { return a * 3; }, x), static_cast<T>(x * T(3))));
  CHECK(same(at<T>([](auto a) { return 0.1 * a; }, x), static_cast<T>(tenth * x)));
  CHECK(same(at<T>([](auto a) { return a + 0.1; }, x), static_cast<T>(x + tenth)));
  CHECK(same(at<T>([](auto a) { return 1 - a; }, x), static_cast<T>(T(1) - x)));
  CHECK(same(at<T>([](auto a) { return a - 2L; }, x), static_cast<T>(x - T(2))));
  CHECK(same(at<T>([](auto a) { return 1u / a; }, x), static_cast<T>(T(1) / x)));
  CHECK(same(at<T>([](auto a) { return a / 0.1; }, x), static_cast<T>(x / tenth)));
  CHECK(same(at<T>([](auto a) { return -a; }, T(0)), T(-0.0)));
  CHECK(same(at<T>([](auto a) { return where(a > 0.5, 0.1, a); }, x), tenth));
  CHECK(same(at<T>([](auto) { return Lane<T>::fill(0.1); }, x), tenth));
  CHECK(all(Lane<T>(tenth) == 0.1));
  static_assert(std::is_same_v<decltype(Lane<T>(x) * 0.5), Lane<T>>);
  static_assert(std::is_same_v<decltype(where(Lane<T>(x) < 1, 1, 0)), Lane<T>>);
}

TEST_CASE_TEMPLATE("masks combine, select, load and store", T, float, double) {
  constexpr std::size_t width = Lane<T>::width;
  std::array<T, width> x;
  std::array<bool, width> in, out;
  for (std::size_t i = 0; i < width; ++i) {
    x[i] = static_cast<T>(i);
    in[i] = i % 2 == 0;
  }
  const Lane<T> lane = Lane<T>::load(x.data());
  const Mask<T> even = Mask<T>::load(in.data());
  const Mask<T> low = lane < 3;
  const auto check = [&](Mask<T> m, auto want) {
    m.store(out.data());
    for (std::size_t i = 0; i < width; ++i) CHECK(out[i] == want(i));
  };
  check(even, [](std::size_t i) { return i % 2 == 0; });
  check(even & low, [](std::size_t i) { return i % 2 == 0 && i < 3; });
  check(even | low, [](std::size_t i) { return i % 2 == 0 || i < 3; });
  check(even ^ low, [](std::size_t i) { return (i % 2 == 0) != (i < 3); });
  check(!low, [](std::size_t i) { return i >= 3; });
  check(lane <= 1, [](std::size_t i) { return i <= 1; });
  check(1 < lane, [](std::size_t i) { return i > 1; });
  check(lane >= 1, [](std::size_t i) { return i >= 1; });
  check(lane == 1, [](std::size_t i) { return i == 1; });
  check(lane != lane + 1, [](std::size_t) { return true; });
  CHECK(any(low));
  CHECK(all(low | !low));
  CHECK(!any(low & !low));
  where(even, lane, -1).store(x.data());
  for (std::size_t i = 0; i < width; ++i) CHECK(x[i] == (i % 2 == 0 ? T(i) : T(-1)));
  where(even, 2, lane).store(x.data());
  for (std::size_t i = 0; i < width; ++i) CHECK(x[i] == (i % 2 == 0 ? T(2) : T(i)));
}

TEST_CASE_TEMPLATE("comparisons with NaN are false, except !=", T, float, double) {
  const Lane<T> n(nan<T>), one(T(1));
  CHECK(!any((n < one) | (n <= one) | (n > one) | (n >= one) | (n == n)));
  CHECK(all((n != n) & (n != one) & isnan(n) & !isnan(one)));
  CHECK(all(isinf(Lane<T>(-inf<T>)) & !isinf(n) & !isinf(Lane<T>(huge<T>))));
}

TEST_CASE_TEMPLATE("maximum and minimum pass NaN on from either side", T, float, double) {
  const auto larger = [](auto a, auto b) { return maximum(a, b); };
  const auto smaller = [](auto a, auto b) { return minimum(a, b); };
  CHECK(at<T>(larger, 2, 3) == 3);
  CHECK(at<T>(smaller, 2, 3) == 2);
  CHECK(at<T>(larger, -inf<T>, inf<T>) == inf<T>);
  for (const T v : {T(0), T(1), inf<T>, -inf<T>, nan<T>}) {
    CHECK(std::isnan(at<T>(larger, v, nan<T>)));
    CHECK(std::isnan(at<T>(larger, nan<T>, v)));
    CHECK(std::isnan(at<T>(smaller, v, nan<T>)));
    CHECK(std::isnan(at<T>(smaller, nan<T>, v)));
  }
  CHECK(std::isnan(at<T>([](auto a) { return maximum(a, 0); }, nan<T>)));
  CHECK(at<T>([](auto a) { return maximum(0, a); }, -1) == 0);
  CHECK(at<T>([](auto a) { return minimum(a, 0.1); }, 1) == static_cast<T>(0.1));
}

TEST_CASE_TEMPLATE("a generic rule runs on lanes as written", T, float, double) {
  constexpr auto tanh_vjp = [](const auto& g, const auto& y) { return g * ((1 - y) * (1 + y)); };
  const T y = static_cast<T>(0.9);
  CHECK(at<T>(tanh_vjp, 2, y) == doctest::Approx(2 * (1 - 0.81)).epsilon(1e-6));
}

}  // namespace
