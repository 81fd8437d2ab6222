#include "xtgrad/autograd/kernels/levels/place_of_best.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "xtgrad/autograd/random.h"

using namespace xtgrad;
using detail::Largest;
using detail::place_of_best;
using detail::Smallest;

namespace {

/// The first that no other beats, as its definition says: NaN is better than numbers.
template <class T, class Better>
std::int64_t by_definition(const std::vector<T>& row, Better better) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < row.size(); ++i) {
    if (row[best] != row[best]) break;
    if (row[i] != row[i] || better(row[i], row[best])) best = i;
  }
  return static_cast<std::int64_t>(best);
}

template <class T>
void check_row(const std::vector<T>& row) {
  const auto n = static_cast<std::int64_t>(row.size());
  CHECK(place_of_best<Largest>(row.data(), n) == by_definition(row, [](T a, T b) { return a > b; }));
  CHECK(place_of_best<Smallest>(row.data(), n) == by_definition(row, [](T a, T b) { return a < b; }));
}

template <class T>
std::vector<T> draws(Random& random, std::int64_t n, double levels) {
  std::vector<T> row;
  for (std::int64_t i = 0; i < n; ++i)
    row.push_back(static_cast<T>(std::floor(random.next_uniform() * levels) - levels / 2));
  return row;
}

}  // namespace

TEST_CASE_TEMPLATE("the place of the best is that of the first of them, in rows of every length", T, float,
                   double, std::int64_t) {
  Random random(3);
  for (std::int64_t n = 1; n <= 150; ++n) {
    CAPTURE(n);
    for (const double levels : {2.0, 10.0, 1e6}) check_row(draws<T>(random, n, levels));
    check_row(std::vector<T>(static_cast<std::size_t>(n), T(7)));
  }
}

TEST_CASE_TEMPLATE("the first NaN is the best, and infinities beat numbers", T, float, double) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  constexpr T nan = std::numeric_limits<T>::quiet_NaN();
  Random random(5);
  for (std::int64_t n = 2; n <= 70; ++n) {
    for (std::int64_t at = 0; at < n; ++at) {
      CAPTURE(n);
      CAPTURE(at);
      for (const T special : {nan, inf, -inf, T(-0.0)}) {
        std::vector<T> row = draws<T>(random, n, 3);
        row[static_cast<std::size_t>(at)] = special;
        check_row(row);
        row[static_cast<std::size_t>((at * 7 + 3) % n)] = special;
        check_row(row);
      }
    }
  }
}
