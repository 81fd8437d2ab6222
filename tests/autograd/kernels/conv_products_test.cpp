// The products that convolutions are made of, by each set of instructions that this processor has.
#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/autograd/kernels/levels.h"
#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/kernels/product/outer_task.h"
#include "xtgrad/autograd/kernels/product/task.h"
#include "xtgrad/autograd/kernels/product/view_task.h"

using namespace xtgrad;
using detail::Instructions;
using detail::OuterPiece;
using detail::OuterTask;
using detail::ViewPiece;
using detail::ViewTask;
using testing::instructions_here;
using testing::numbers;
using testing::run_by;

namespace {

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// Scratch that holds NaNs.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t elements)
      : buffer_(detail::BufferRef::allocate(index(elements) * sizeof(T) + 64)) {
    std::memset(buffer_.data(), 0xff, index(elements) * sizeof(T));
  }
  [[nodiscard]] T* data() const { return static_cast<T*>(buffer_.data()); }

 private:
  detail::BufferRef buffer_;
};

/// Columns in pieces of some lengths, with gaps between them.
std::vector<ViewPiece> pieces_of(std::int64_t n, const std::vector<std::int64_t>& lengths) {
  std::vector<ViewPiece> pieces;
  std::int64_t first = 3;
  for (std::size_t i = 0; n > 0; ++i) {
    const std::int64_t count = std::min(n, lengths[i % lengths.size()]);
    pieces.push_back({first, count});
    first += count + 2;
    n -= count;
  }
  return pieces;
}

std::int64_t reach(const std::vector<ViewPiece>& pieces) { return pieces.back().first + pieces.back().count; }

/// Views that overlap, and the matrix that they are.
template <class T>
struct Views {
  Views(std::int64_t n, std::int64_t k, const std::vector<std::int64_t>& lengths)
      : pieces(pieces_of(n, lengths)), source(numbers<T>(index(7 * k + reach(pieces)), 5)) {
    for (std::int64_t p = 0; p < k; ++p) rows.push_back((p * 5) % (7 * k));
    for (const std::int64_t row : rows) {
      for (const ViewPiece& piece : pieces) {
        const T* from = &source[index(row + piece.first)];
        matrix.insert(matrix.end(), from, from + piece.count);
      }
    }
  }

  std::vector<ViewPiece> pieces;
  std::vector<T> source;
  std::vector<std::int64_t> rows;
  std::vector<T> matrix;  // [k, n]
};

template <class T>
void check_views(std::int64_t m, std::int64_t n, std::int64_t k, const std::vector<std::int64_t>& lengths) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(lengths);
  const Views<T> views(n, k, lengths);
  const bool in_one = views.pieces.size() == 1;
  const std::vector<T> a = numbers<T>(index(m * k), 1);
  for (const Instructions set : instructions_here()) {
    CAPTURE(std::string(detail::name_of(set)));
    detail::ProductTask<T> product{.m = m,
                                   .n = n,
                                   .k = k,
                                   .a = a.data(),
                                   .a_row = k,
                                   .a_column = 1,
                                   .b = views.matrix.data(),
                                   .b_row = n,
                                   .b_column = 1,
                                   .c_row = n + 4};
    std::vector<T> right(index(m * (n + 4)), T(7));
    const Scratch<T> product_scratch(detail::product_scratch(product));
    product.c = right.data();
    product.scratch = product_scratch.data();
    run_by(set, product);
    for (const bool in_place : {false, true}) {
      if (in_place && !in_one) continue;
      CAPTURE(in_place);
      // In place more is read than is wanted: NaN, which is dropped.
      std::vector<T> source = views.source;
      if (in_place)
        source.resize(source.size() + index(detail::view_slack), std::numeric_limits<T>::quiet_NaN());
      const Scratch<T> scratch(detail::view_scratch(n, k));
      std::vector<T> c(right.size(), T(7));
      run_by(set, ViewTask<T>{.m = m,
                              .n = n,
                              .k = k,
                              .a = a.data(),
                              .a_row = k,
                              .a_column = 1,
                              .base = source.data(),
                              .rows = views.rows.data(),
                              .pieces = views.pieces.data(),
                              .piece_count = static_cast<std::int64_t>(views.pieces.size()),
                              .c = c.data(),
                              .c_row = n + 4,
                              .scratch = in_place ? nullptr : scratch.data()});
      CHECK(std::memcmp(c.data(), right.data(), c.size() * sizeof(T)) == 0);
    }
  }
}

TEST_CASE_TEMPLATE("a product with views has the bits of the one with the matrix that they are", T, float,
                   double) {
  for (const std::int64_t m : {1, 2, 3, 13, 30}) {
    for (const std::int64_t n : {1, 5, 8, 16, 17, 33, 64, 97}) {
      for (const std::int64_t k : {1, 7, 40}) {
        for (const std::vector<std::int64_t>& lengths :
             std::vector<std::vector<std::int64_t>>{{n}, {1}, {7}, {1, 16, 3, 40}})
          check_views<T>(m, n, k, lengths);
      }
    }
  }
  check_views<T>(5, 30, 800, {7});
  check_views<T>(5, 30, 800, {30});
  check_views<T>(13, 2100, 20, {27});
  check_views<T>(13, 2100, 20, {2100});
  check_views<T>(2, 2100, 20, {2100});
  check_views<T>(300, 40, 20, {40});
}

TEST_CASE("a product with views raises invalid for its own elements alone") {
  const std::int64_t n = 19, k = 30;
  Views<float> views(n, k, {7});
  // Between the pieces lie infinities, and the left matrix has zeros.
  std::vector<float> source(1000, INFINITY);
  std::vector<std::int64_t> rows;
  for (std::int64_t p = 0; p < k; ++p) {
    rows.push_back(p * 31);
    for (const ViewPiece& piece : views.pieces)
      std::fill_n(&source[index(p * 31 + piece.first)], piece.count, 1.0F);
  }
  for (const std::int64_t m : {1, 3, 14}) {
    const std::vector<float> a(index(m * k), 0.0F);
    for (const Instructions set : instructions_here()) {
      CAPTURE(m);
      CAPTURE(std::string(detail::name_of(set)));
      const Scratch<float> scratch(detail::view_scratch(n, k));
      std::vector<float> c(index(m * n), 7.0F);
      std::feclearexcept(FE_ALL_EXCEPT);
      run_by(set, ViewTask<float>{.m = m,
                                  .n = n,
                                  .k = k,
                                  .a = a.data(),
                                  .a_row = k,
                                  .a_column = 1,
                                  .base = source.data(),
                                  .rows = rows.data(),
                                  .pieces = views.pieces.data(),
                                  .piece_count = static_cast<std::int64_t>(views.pieces.size()),
                                  .c = c.data(),
                                  .c_row = n,
                                  .scratch = scratch.data()});
      CHECK(std::fetestexcept(FE_INVALID) == 0);
      CHECK(std::all_of(c.begin(), c.end(), [](float element) { return element == 0; }));
    }
  }
}

/// Sums of runs in pairs, the shorter rest last to join.
template <class T>
T in_pairs(const std::vector<T>& runs) {
  std::vector<std::vector<T>> levels;  // of each at most one
  for (T sum : runs) {
    std::size_t level = 0;
    for (; level < levels.size() && !levels[level].empty(); ++level) {
      sum = levels[level].back() + sum;
      levels[level].clear();
    }
    if (level == levels.size()) levels.emplace_back();
    levels[level].push_back(sum);
  }
  T total = 0;
  bool is_first = true;
  for (const std::vector<T>& level : levels) {
    if (level.empty()) continue;
    total = is_first ? level.back() : level.back() + total;
    is_first = false;
  }
  return total;
}

template <class T>
void check_outer(std::int64_t m, std::int64_t n, std::int64_t columns, std::int64_t run,
                 const std::vector<std::int64_t>& lengths) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(columns);
  CAPTURE(run);
  CAPTURE(lengths);
  const Views<T> views(columns, m, lengths);
  std::vector<OuterPiece> pieces;
  std::int64_t in_run = 0;
  for (const ViewPiece& piece : views.pieces) {
    for (std::int64_t at = 0; at < piece.count;) {
      const std::int64_t taken = std::min(piece.count - at, run - in_run);
      in_run = (in_run + taken) % run;
      pieces.push_back({piece.first + at, taken, in_run == 0});
      at += taken;
    }
  }
  pieces.back().ends_run = true;
  // Two sources, of unequal length where there are columns for two.
  const std::int64_t b_row = columns + 2;
  const std::vector<T> b = numbers<T>(index(n * b_row), 9);
  const std::int64_t half = columns / 3;
  std::vector<detail::OuterSource<T>> sources;
  if (half > 0) sources.push_back({b.data(), half});
  sources.push_back({b.data() + half, columns - half});
  for (const Instructions set : instructions_here()) {
    CAPTURE(std::string(detail::name_of(set)));
    const Scratch<T> scratch(columns * detail::outer_scratch);
    std::vector<T> c(index(m * (n + 3)), T(7));
    run_by(set, OuterTask<T>{.m = m,
                             .n = n,
                             .a = views.source.data(),
                             .a_rows = views.rows.data(),
                             .pieces = pieces.data(),
                             .piece_count = static_cast<std::int64_t>(pieces.size()),
                             .sources = sources.data(),
                             .source_count = static_cast<std::int64_t>(sources.size()),
                             .b_row = b_row,
                             .c = c.data(),
                             .c_row = n + 3,
                             .scratch = scratch.data()});
    bool right = true, gaps = true;
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < n; ++j) {
        std::vector<T> runs;
        long double sum = 0, magnitude = 0;
        for (std::int64_t q = 0; q < columns; ++q) {
          const T left = views.matrix[index(i * columns + q)];
          const T other = b[index(j * b_row + q)];
          if (q % run == 0) runs.push_back(0);
          runs.back() = std::fma(left, other, runs.back());
          sum += static_cast<long double>(left) * other;
          magnitude += std::abs(static_cast<long double>(left) * other);
        }
        const T element = c[index(i * (n + 3) + j)];
        if (set == Instructions::baseline) {
          // Whether it fuses is the compiler's choice.
          const auto roundings =
              static_cast<long double>(run) + std::log2(static_cast<long double>(columns)) + 2;
          right = right &&
                  std::abs(element - sum) <= roundings * magnitude * std::numeric_limits<T>::epsilon() / 2;
        } else {
          right = right && element == in_pairs(runs);
        }
      }
      for (std::int64_t j = n; j < n + 3; ++j) gaps = gaps && c[index(i * (n + 3) + j)] == T(7);
    }
    CHECK(right);
    CHECK(gaps);
  }
}

TEST_CASE_TEMPLATE("outer products are summed in runs, and runs in pairs, whatever the instructions", T,
                   float, double) {
  for (const std::int64_t m : {1, 2, 5, 6, 7, 13}) {
    for (const std::int64_t n : {1, 7, 8, 16, 17, 33, 40}) {
      for (const std::int64_t columns : {1, 2, 7, 30, 100}) {
        for (const std::int64_t run : {1, 3, 8}) check_outer<T>(m, n, columns, run, {columns});
        check_outer<T>(m, n, columns, 5, {7});
        check_outer<T>(m, n, columns, 4, {1, 9});
      }
    }
  }
  check_outer<T>(3, 20, detail::outer_runs, 1, {50});
  check_outer<T>(3, 20, 2000, 9, {2000});
}

}  // namespace
