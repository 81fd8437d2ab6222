// The sum kernel against long double, for every way of cutting (outer, axis, inner) into units.
#include "xtgrad/autograd/kernels/levels/sum.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "xtgrad/autograd/random.h"

namespace {

using namespace xtgrad;
using namespace xtgrad::detail;

struct Extent {
  std::int64_t outer, axis, inner;
};

// Rows alone, narrow columns, several chunks of columns, an axis cut into units, and combinations; sizes that
// fill neither lanes, blocks nor units.
constexpr Extent extents[] = {{1, 0, 3},      {3, 0, 1},      {2, 1, 5},      {1, 1, 1},      {5, 7, 1},
                              {64, 10, 1},    {3, 1000, 1},   {1, 300001, 1}, {2, 131073, 1}, {1, 9, 3},
                              {4, 65, 3},     {1, 100003, 3}, {1, 33, 32},    {2, 17, 33},    {1, 512, 1024},
                              {1, 130, 2500}, {3, 129, 1025}, {1, 9000, 64},  {0, 4, 2},      {2, 4, 0}};

template <class T>
Dtype dtype_of() {
  return std::is_same_v<T, float>    ? Dtype::float32
         : std::is_same_v<T, double> ? Dtype::float64
                                     : Dtype::int64;
}

template <class T, class F>
Array filled(const Extent& e, F&& next) {
  Array x = Array::uninitialized({e.outer, e.axis, e.inner}, dtype_of<T>());
  for (std::int64_t i = 0; i < x.numel(); ++i) x.mutable_data<T>()[i] = static_cast<T>(next());
  return x;
}

/// Largest distance from the long double sum, in units of eps times the sum of magnitudes.
template <class T>
double worst_error(const Extent& e, const Array& x) {
  Array out = Array::uninitialized({e.outer, e.inner}, x.dtype);
  sum_axis(x, e.outer, e.axis, e.inner, out);
  double worst = 0;
  for (std::int64_t o = 0; o < e.outer; ++o) {
    for (std::int64_t i = 0; i < e.inner; ++i) {
      long double exact = 0;
      long double magnitude = 0;
      for (std::int64_t a = 0; a < e.axis; ++a) {
        const long double term = x.data<T>()[(o * e.axis + a) * e.inner + i];
        exact += term;
        magnitude += std::abs(term);
      }
      const long double error = std::abs(static_cast<long double>(out.data<T>()[o * e.inner + i]) - exact);
      if (error == 0) continue;
      worst = std::max(worst, static_cast<double>(error / (magnitude * std::numeric_limits<T>::epsilon())));
    }
  }
  return worst;
}

}  // namespace

TEST_CASE("sum_axis is accurate for every cut") {
  Random random(5);
  for (const Extent& e : extents) {
    CAPTURE(e.outer);
    CAPTURE(e.axis);
    CAPTURE(e.inner);
    const auto next = [&] { return random.next_uniform(); };  // of one sign, where a plain loop drifts most
    CHECK(worst_error<float>(e, filled<float>(e, next)) <= 2);
    CHECK(worst_error<double>(e, filled<double>(e, next)) <= 4);
  }
}

TEST_CASE("sum_axis is exact for whole numbers") {
  Random random(6);
  for (const Extent& e : extents) {
    CAPTURE(e.outer);
    CAPTURE(e.axis);
    CAPTURE(e.inner);
    const auto next = [&] { return random.next_below(9) - 4; };
    CHECK(worst_error<float>(e, filled<float>(e, next)) == 0);
    CHECK(worst_error<double>(e, filled<double>(e, next)) == 0);
    const Array x = filled<std::int64_t>(e, next);
    Array out = Array::uninitialized({e.outer, e.inner}, Dtype::int64);
    sum_axis(x, e.outer, e.axis, e.inner, out);
    bool same = true;
    for (std::int64_t o = 0; o < e.outer; ++o) {
      for (std::int64_t i = 0; i < e.inner; ++i) {
        std::int64_t exact = 0;
        for (std::int64_t a = 0; a < e.axis; ++a)
          exact += x.data<std::int64_t>()[(o * e.axis + a) * e.inner + i];
        same = same && out.data<std::int64_t>()[o * e.inner + i] == exact;
      }
    }
    CHECK(same);
  }
}

TEST_CASE("sum_axis keeps what overflows a term at a time in double") {
  // 2^24 + 1 + 1 + ...: added one by one in float32, the ones would all be lost.
  for (const Extent& e : {Extent{1, 4097, 1}, Extent{1, 4097, 2}, Extent{1, 4097, 40}}) {
    Array x = filled<float>(e, [] { return 1; });
    for (std::int64_t i = 0; i < e.inner; ++i) x.mutable_data<float>()[i] = 0x1p24F;
    Array out = Array::uninitialized({e.outer, e.inner}, Dtype::float32);
    sum_axis(x, e.outer, e.axis, e.inner, out);
    for (std::int64_t i = 0; i < e.inner; ++i) {
      CHECK(std::abs(out.data<float>()[i] - (0x1p24F + 4096)) <= 16);
    }
  }
}

TEST_CASE("sum_axis passes NaN and infinity on") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const Extent& e : {Extent{1, 200, 1}, Extent{1, 200, 2}, Extent{1, 200, 40}}) {
    for (const double special : {nan, inf, -inf}) {
      Array x = filled<double>(e, [] { return 1; });
      x.mutable_data<double>()[150 * e.inner] = special;
      Array out = Array::uninitialized({e.outer, e.inner}, Dtype::float64);
      sum_axis(x, e.outer, e.axis, e.inner, out);
      const double got = out.data<double>()[0];
      CHECK((std::isnan(special) ? std::isnan(got) : got == special));
      if (e.inner > 1) CHECK(out.data<double>()[1] == 200);
    }
  }
}
