// The kernels of matrix products, each set of instructions that this processor has.
#include <doctest/doctest.h>

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/autograd/kernels/levels.h"
#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/kernels/instructions.h"
#include "xtgrad/autograd/kernels/product/task.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using detail::Instructions;
using detail::ProductTask;
using testing::instructions_here;
using testing::numbers;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Operands at strides of their own, with a gap behind every row of b and c.
template <class T>
struct Operands {
  Operands(std::int64_t rows, std::int64_t columns, std::int64_t terms, bool turn_a, bool turn_b)
      : m(rows),
        n(columns),
        k(terms),
        turned_a(turn_a),
        turned_b(turn_b),
        a(numbers<T>(static_cast<std::size_t>(m * k), 1)),
        b(numbers<T>(static_cast<std::size_t>(turn_b ? n * (k + 3) : k * (n + 3)), 2)) {}

  [[nodiscard]] ProductTask<T> task(T* c, T* scratch) const {
    return {.m = m,
            .n = n,
            .k = k,
            .a = a.data(),
            .a_row = turned_a ? 1 : k,
            .a_column = turned_a ? m : 1,
            .b = b.data(),
            .b_row = turned_b ? 1 : n + 3,
            .b_column = turned_b ? k + 3 : 1,
            .c = c,
            .c_row = n + 5,
            .scratch = scratch};
  }
  [[nodiscard]] T left(std::int64_t i, std::int64_t p) const {
    return a[static_cast<std::size_t>(turned_a ? p * m + i : i * k + p)];
  }
  [[nodiscard]] T right(std::int64_t p, std::int64_t j) const {
    return b[static_cast<std::size_t>(turned_b ? j * (k + 3) + p : p * (n + 3) + j)];
  }

  std::int64_t m, n, k;
  bool turned_a, turned_b;
  std::vector<T> a, b;
};

/// c, with the gaps behind its rows, which must stay as they are.
template <class T>
std::vector<T> product(const ProductTask<T>& sizes, Instructions set) {
  std::vector<T> c(static_cast<std::size_t>(sizes.m * (sizes.n + 5)), T(7));
  const auto scratch_bytes = static_cast<std::size_t>(detail::product_scratch(sizes)) * sizeof(T);
  const auto scratch = detail::BufferRef::allocate(scratch_bytes + 64);
  std::memset(scratch.data(), 0xff, scratch_bytes);  // NaN
  ProductTask<T> task = sizes;
  task.c = c.data();
  task.scratch = static_cast<T*>(scratch.data());
  testing::run_by(set, task);
  return c;
}

/// An element as it is promised: in order, by fused multiply-add, in runs.
template <class T>
T in_order(const Operands<T>& x, std::int64_t i, std::int64_t j) {
  T total = 0;
  for (std::int64_t first = 0; first < x.k; first += detail::product_depth) {
    T run = 0;
    for (std::int64_t p = first; p < std::min(x.k, first + detail::product_depth); ++p)
      run = std::fma(x.left(i, p), x.right(p, j), run);
    total = first == 0 ? run : total + run;
  }
  return total;
}

template <class T>
void check(const Operands<T>& x) {
  CAPTURE(x.m);
  CAPTURE(x.n);
  CAPTURE(x.k);
  CAPTURE(x.turned_a);
  CAPTURE(x.turned_b);
  for (const Instructions set : instructions_here()) {
    CAPTURE(std::string(detail::name_of(set)));
    const std::vector<T> c = product(x.task(nullptr, nullptr), set);
    bool right = true, gaps = true;
    for (std::int64_t i = 0; i < x.m; ++i) {
      const T* row = &c[static_cast<std::size_t>(i * (x.n + 5))];
      for (std::int64_t j = 0; j < x.n; ++j) {
        if (set == Instructions::baseline) {
          // Whether it fuses is the compiler's choice.
          long double sum = 0, magnitude = 0;
          for (std::int64_t p = 0; p < x.k; ++p) {
            const long double term = static_cast<long double>(x.left(i, p)) * x.right(p, j);
            sum += term;
            magnitude += std::abs(term);
          }
          const long double bound =
              (static_cast<long double>(x.k) + 1) * magnitude * std::numeric_limits<T>::epsilon() / 2;
          right = right && std::abs(row[j] - sum) <= bound;
        } else {
          right = right && row[j] == in_order(x, i, j);
        }
      }
      gaps = gaps && std::all_of(row + x.n, row + x.n + 5, [](T element) { return element == T(7); });
    }
    CHECK(right);
    CHECK(gaps);
  }
}

TEST_CASE_TEMPLATE("a product's elements are sums in order, whatever the instructions", T, float, double) {
  // Around the sizes of blocks, registers and cuts.
  for (const std::int64_t m : {1, 2, 3, 6, 7, 12, 13, 25}) {
    for (const std::int64_t n : {1, 2, 4, 7, 8, 9, 15, 16, 17, 31, 33, 65, 100}) {
      for (const std::int64_t k : {1, 3, 4, 8, 11, 33}) {
        for (const bool turned_b : {false, true}) check(Operands<T>(m, n, k, (m + n + k) % 2 == 0, turned_b));
      }
    }
  }
}

TEST_CASE_TEMPLATE("long sums are cut at the same terms for all instructions, and wide results at any column",
                   T, float, double) {
  for (const std::int64_t k : {383, 384, 385, 768, 1000}) {
    for (const std::int64_t m : {1, 2, 5, 30}) {
      for (const bool turned_b : {false, true}) check(Operands<T>(m, 19, k, k % 2 == 0, turned_b));
    }
  }
  check(Operands<T>(3, 2100, 20, false, false));
  check(Operands<T>(3, 2100, 20, false, true));
  check(Operands<T>(26, 1030, 40, true, true));
  check(Operands<T>(26, 1030, 40, false, false));
  check(Operands<T>(300, 20, 40, false, true));
}

TEST_CASE_TEMPLATE("what is not a number stays in its row and its column", T, float, double) {
  for (const bool turned_b : {false, true}) {
    for (const std::int64_t m : {1, 2, 3, 14, 40}) {
      for (const Instructions set : instructions_here()) {
        Operands<T> x(m, 21, 17, false, turned_b);
        x.a[0] = static_cast<T>(nan);                             // of row 0
        x.b[turned_b ? 20 * 20 + 5 : 5 * 24 + 20] = T(INFINITY);  // of the last column
        for (std::size_t gap = 0; gap < 3; ++gap) {               // behind the rows of b
          for (std::size_t row = 0; row < (turned_b ? 21U : 17U); ++row)
            x.b[row * (turned_b ? 20 : 24) + (turned_b ? 17 : 21) + gap] = static_cast<T>(nan);
        }
        const std::vector<T> c = product(x.task(nullptr, nullptr), set);
        bool right = true;
        for (std::int64_t i = 0; i < m; ++i) {
          for (std::int64_t j = 0; j < 21; ++j) {
            const T element = c[static_cast<std::size_t>(i * 26 + j)];
            right = right && (i == 0    ? std::isnan(element)
                              : j == 20 ? !std::isfinite(element)
                                        : std::isfinite(element));
          }
        }
        CAPTURE(std::string(detail::name_of(set)));
        CAPTURE(m);
        CHECK(right);
      }
    }
  }
}

TEST_CASE("a product raises invalid for its own elements alone") {
  for (const Instructions set : instructions_here()) {
    for (const bool turned_b : {false, true}) {
      for (const std::int64_t m : {1, 2, 3, 13, 40}) {
        Operands<float> x(m, 19, 35, false, turned_b);
        // Beside every row of b lies an infinity; a has zeros, by which it must not be multiplied.
        for (std::size_t row = 0; row < (turned_b ? 19U : 35U); ++row) {
          for (std::size_t gap = 0; gap < 3; ++gap)
            x.b[row * (turned_b ? 38 : 22) + (turned_b ? 35 : 19) + gap] = INFINITY;
        }
        for (std::size_t i = 0; i < x.a.size(); i += 2) x.a[i] = 0;
        std::feclearexcept(FE_ALL_EXCEPT);
        const auto c = product(x.task(nullptr, nullptr), set);
        const int raised = std::fetestexcept(FE_INVALID);
        CAPTURE(std::string(detail::name_of(set)));
        CAPTURE(turned_b);
        CAPTURE(m);
        CHECK(raised == 0);
      }
    }
  }
}

TEST_CASE("a row of a product has the bits that it has alone") {
  const auto a = numbers<float>(200 * 150, 3), b = numbers<float>(150 * 90, 4);
  for (const bool turned_b : {false, true}) {
    std::vector<float> all(200 * 90), alone(90);
    detail::gemm({.m = 200, .n = 90, .k = 150, .transpose_b = turned_b}, a.data(), b.data(), all.data());
    bool same = true;
    for (std::size_t i = 0; i < 200; ++i) {
      detail::gemm({.m = 1, .n = 90, .k = 150, .transpose_b = turned_b}, &a[i * 150], b.data(), alone.data());
      same = same && std::memcmp(alone.data(), &all[i * 90], sizeof(float) * 90) == 0;
    }
    CHECK(same);
  }
}

}  // namespace
