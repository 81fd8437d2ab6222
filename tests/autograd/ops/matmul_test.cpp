#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "tests/support/thread_count.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/gemm.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;
using xtgrad::testing::same_bits;
using xtgrad::testing::ThreadCount;

namespace {

/// Sum and sum of magnitudes of the terms of one element of a product.
struct Dot {
  long double value = 0;
  long double magnitude = 0;
};

Shape stored_shape(const Shape& leading, std::int64_t rows, std::int64_t columns, bool transposed) {
  Shape shape = leading;
  shape.push_back(transposed ? columns : rows);
  shape.push_back(transposed ? rows : columns);
  return shape;
}

/// Offset, in matrices, of an operand for one index into the broadcast leading dimensions.
std::int64_t batch_offset(const Shape& leading, const Shape& out, std::int64_t index) {
  std::int64_t offset = 0;
  std::int64_t stride = 1;
  for (std::size_t d = out.rank(); d-- > 0; index /= out[d]) {
    if (d < out.rank() - leading.rank()) continue;
    const std::int64_t size = leading[d - (out.rank() - leading.rank())];
    offset += (size == 1 ? 0 : index % out[d]) * stride;
    stride *= size;
  }
  return offset;
}

struct Case {
  Shape leading_a, leading_b;
  std::int64_t m, k, n;
};

/// Compares a product with three nested loops, in every combination of transposes. Each element may be off by
/// k roundings of its terms at most, whatever the order of the sum.
template <class T>
void check_product(const Case& c, Dtype dtype) {
  Random random(3);
  const Shape leading = broadcast_shapes("test", c.leading_a, c.leading_b);
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      CAPTURE(to_string(c.leading_a));
      CAPTURE(to_string(c.leading_b));
      CAPTURE(c.m);
      CAPTURE(c.k);
      CAPTURE(c.n);
      CAPTURE(ta);
      CAPTURE(tb);
      const Tensor a = randn(stored_shape(c.leading_a, c.m, c.k, ta), random, {.dtype = dtype});
      const Tensor b = randn(stored_shape(c.leading_b, c.k, c.n, tb), random, {.dtype = dtype});
      const Tensor y = matmul(a, b, {.transpose_a = ta, .transpose_b = tb});
      REQUIRE(y.shape() == stored_shape(leading, c.m, c.n, false));
      REQUIRE(y.dtype() == dtype);
      const auto va = a.data<T>();
      const auto vb = b.data<T>();
      const auto vy = y.data<T>();
      double worst = 0;  // in units of what rounding may do
      for (std::int64_t batch = 0; batch < leading.numel(); ++batch) {
        const std::int64_t offset_a = batch_offset(c.leading_a, leading, batch) * c.m * c.k;
        const std::int64_t offset_b = batch_offset(c.leading_b, leading, batch) * c.k * c.n;
        for (std::int64_t i = 0; i < c.m; ++i) {
          for (std::int64_t j = 0; j < c.n; ++j) {
            Dot dot;
            for (std::int64_t l = 0; l < c.k; ++l) {
              const auto left = static_cast<std::size_t>(offset_a + (ta ? l * c.m + i : i * c.k + l));
              const auto right = static_cast<std::size_t>(offset_b + (tb ? j * c.k + l : l * c.n + j));
              const long double term =
                  static_cast<long double>(va[left]) * static_cast<long double>(vb[right]);
              dot.value += term;
              dot.magnitude += std::abs(term);
            }
            const T got = vy[static_cast<std::size_t>((batch * c.m + i) * c.n + j)];
            const auto error = static_cast<double>(std::abs(static_cast<long double>(got) - dot.value));
            const auto unit =
                static_cast<double>(dot.magnitude) * double(std::numeric_limits<T>::epsilon()) / 2;
            if (unit == 0) {
              CHECK(error == 0);
            } else {
              worst = std::max(worst, error / unit);
            }
          }
        }
      }
      CHECK(worst <= static_cast<double>(c.k));
    }
  }
}

std::string error_of(const Tensor& a, const Tensor& b, const MatmulOptions& options = {}) {
  try {
    (void)matmul(a, b, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<double> to_doubles(const Tensor& x) {
  const Tensor wide = x.to(float64);
  return {wide.data<double>().begin(), wide.data<double>().end()};
}

}  // namespace

TEST_CASE("matmul agrees with nested loops for every transpose, batch and size") {
  const std::vector<Case> cases{
      {{}, {}, 1, 1, 1},         {{}, {}, 2, 3, 4},
      {{}, {}, 1, 7, 5},         {{}, {}, 5, 7, 1},
      {{}, {}, 1, 9, 1},         {{}, {}, 8, 8, 8},
      {{}, {}, 33, 65, 17},      {{}, {}, 16, 1, 16},
      {{3}, {}, 2, 3, 4},        {{}, {3}, 2, 3, 4},
      {{3}, {3}, 2, 3, 4},       {{3}, {1}, 2, 3, 4},
      {{2, 1}, {3}, 2, 3, 4},    {{2, 1, 2}, {3, 1}, 2, 3, 2},
      {{1}, {1}, 2, 3, 4},       {{2, 3}, {1, 1}, 2, 3, 4},
      {{2, 2}, {2, 2}, 1, 3, 1}, {{1, 1}, {}, 4, 2, 3},
  };
  for (const Case& c : cases) {
    check_product<float>(c, float32);
    check_product<double>(c, float64);
  }
}

TEST_CASE("matmul agrees with nested loops where it is cut into panels") {
  check_product<float>({{}, {}, 300, 200, 150}, float32);  // halves of the rows
  check_product<float>({{}, {}, 150, 200, 300}, float32);  // halves of the columns
  check_product<double>({{}, {}, 700, 64, 200}, float64);  // panels of 256 rows, the last one shorter
  check_product<float>({{3}, {3}, 180, 150, 170}, float32);
  check_product<float>({{600}, {600}, 20, 20, 10}, float32);  // many batches, several a tile
}

TEST_CASE("matmul's sums of a million terms do not drift, though all their roundings go one way") {
  for (const Dtype dtype : {float32, float64}) {
    const double rounding = dtype == float32 ? 0x1p-24 : 0x1p-53;
    for (const std::int64_t k : {6144, 6145, 100'000, 1'000'003}) {
      for (const double value : {0.1, 0.7}) {
        for (const std::int64_t n : {1, 3, 20}) {
          CAPTURE(dtype);
          CAPTURE(k);
          CAPTURE(value);
          CAPTURE(n);
          const Tensor one_value = full({}, value, {.dtype = dtype});
          const double want = one_value.item() * static_cast<double>(k);
          const Tensor a = ones({2, k}, {.dtype = dtype}), b = broadcast_to(one_value, {k, n});
          const Tensor by_rows = matmul(a, b);
          const Tensor by_columns =
              matmul(transpose(a), transpose(b), {.transpose_a = true, .transpose_b = true});
          for (const Tensor& c : {by_rows, by_columns})
            CHECK(amax(abs(c - want)).item() <= 80 * rounding * want);
        }
      }
    }
  }
}

TEST_CASE("matmul of empty operands") {
  const Tensor no_terms = matmul(zeros({2, 0}), zeros({0, 3}));
  CHECK(no_terms.shape() == Shape{2, 3});
  CHECK(to_doubles(no_terms) == std::vector<double>(6, 0.0));
  const Tensor batch_no_terms = matmul(zeros({4, 2, 0}), zeros({4, 3, 0}), {.transpose_b = true});
  CHECK(batch_no_terms.shape() == Shape{4, 2, 3});
  CHECK(to_doubles(batch_no_terms) == std::vector<double>(24, 0.0));
  CHECK(matmul(zeros({0, 2}), zeros({2, 3})).shape() == Shape{0, 3});
  CHECK(matmul(zeros({2, 2}), zeros({2, 0})).shape() == Shape{2, 0});
  CHECK(matmul(zeros({0, 2, 2}), zeros({2, 3})).shape() == Shape{0, 2, 3});
  CHECK(matmul(zeros({0, 2, 2}), zeros({1, 2, 3})).shape() == Shape{0, 2, 3});
}

TEST_CASE("matmul's gradients of empty operands have their shapes") {
  Tensor a = ones({2, 0}, {.requires_grad = true});
  Tensor b = ones({0, 3}, {.requires_grad = true});
  sum(matmul(a, b)).backward();
  CHECK(a.grad().shape() == Shape{2, 0});
  CHECK(b.grad().shape() == Shape{0, 3});

  Tensor no_rows = ones({0, 2}, {.requires_grad = true});
  Tensor weight = ones({2, 3}, {.requires_grad = true});
  sum(matmul(no_rows, weight)).backward();
  CHECK(no_rows.grad().shape() == Shape{0, 2});
  CHECK(to_doubles(weight.grad()) == std::vector<double>(6, 0.0));
}

TEST_CASE("matmul lets NaN and infinities through, times 0 too") {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor a = tensor({{0, 1}, {2, 3}});
  const auto with_inf = to_doubles(matmul(a, tensor({{inf, 1}, {1, 1}})));
  CHECK(std::isnan(with_inf[0]));
  CHECK(with_inf[1] == 1);
  CHECK(with_inf[2] == inf);
  CHECK(with_inf[3] == 5);
  const auto with_nan = to_doubles(matmul(a, tensor({{1, nan}, {1, 1}})));
  CHECK(with_nan[0] == 1);
  CHECK(std::isnan(with_nan[1]));
  CHECK(with_nan[2] == 5);
  CHECK(std::isnan(with_nan[3]));
}

TEST_CASE("matmul has the same bits for one thread and for two") {
  const auto run = [](int threads) {
    const ThreadCount scope(threads);
    Random random(11);
    std::vector<Tensor> results;
    results.push_back(matmul(randn({300, 200}, random), randn({200, 150}, random)));
    results.push_back(matmul(randn({1000, 90}, random), randn({100, 90}, random), {.transpose_b = true}));
    results.push_back(matmul(randn({600, 20, 20}, random), randn({600, 20, 10}, random)));
    results.push_back(
        matmul(randn({3, 150, 180}, random), randn({3, 150, 170}, random), {.transpose_a = true}));
    return results;
  };
  const std::vector<Tensor> one = run(1);
  const std::vector<Tensor> two = run(2);
  for (std::size_t i = 0; i < one.size(); ++i) {
    CAPTURE(i);
    CHECK(same_bits(one[i], two[i]));
  }
}

TEST_CASE("matmul is right when several threads call it at once") {
  // Calls of a serial OpenBLAS that overlap get a few of these thousands wrong; a product must not be such a
  // call.
  Random random(13);
  const Tensor a = randn({200, 200}, random);
  const Tensor b = randn({200, 200}, random);
  const Tensor small_a = randn({20, 20}, random);
  const Tensor small_b = randn({10, 20}, random);
  const Tensor large = matmul(a, b, {.transpose_b = true});
  const Tensor small = matmul(small_a, small_b, {.transpose_b = true});
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& mine : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        mine += same_bits(matmul(a, b, {.transpose_b = true}), large) ? 0 : 1;
        for (int k = 0; k < 20; ++k)
          mine += same_bits(matmul(small_a, small_b, {.transpose_b = true}), small) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>{0, 0, 0, 0});
}

TEST_CASE("matmul's first derivatives, by hand") {
  Tensor a = tensor({{1, 2, 3}, {4, 5, 6}}, {.dtype = float64, .requires_grad = true});
  Tensor b = tensor({{1, -1}, {2, 0}, {-3, 4}}, {.dtype = float64, .requires_grad = true});
  const Tensor g = tensor({{1, 10}, {100, 1000}}, {.dtype = float64});
  const auto grads = grad({matmul(a, b)}, {a, b}, {.cotangents = {g}});
  CHECK(to_doubles(grads[0]) == std::vector<double>{-9, 2, 37, -900, 200, 3700});
  CHECK(to_doubles(grads[1]) == std::vector<double>{401, 4010, 502, 5020, 603, 6030});
}

TEST_CASE("matmul's gradients sum over broadcast batches, with transposes too") {
  Random random(5);
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      CAPTURE(ta);
      CAPTURE(tb);
      const MatmulOptions flags{.transpose_a = ta, .transpose_b = tb};
      Tensor a = randn(stored_shape({4, 1}, 2, 3, ta), random, {.dtype = float64, .requires_grad = true});
      Tensor b = randn(stored_shape({}, 3, 5, tb), random, {.dtype = float64, .requires_grad = true});
      const Tensor g = randn({4, 1, 2, 5}, random, {.dtype = float64});
      const auto grads = grad({matmul(a, b, flags)}, {a, b}, {.cotangents = {g}});
      // <g, A B> is linear in each operand: its gradient times the operand is the value itself.
      const double value = sum(g * matmul(a, b, flags)).item();
      CHECK(sum(grads[0] * a).item() == doctest::Approx(value).epsilon(1e-12));
      CHECK(sum(grads[1] * b).item() == doctest::Approx(value).epsilon(1e-12));
      // And the sum over the batch, one matrix at a time.
      Tensor total = zeros(b.shape(), {.dtype = float64});
      for (std::int64_t i = 0; i < 4; ++i) {
        const Tensor ai =
            reshape(slice(a.detach(), {.axis = 0, .start = i, .stop = i + 1}), stored_shape({}, 2, 3, ta));
        const Tensor gi = reshape(slice(g, {.axis = 0, .start = i, .stop = i + 1}), Shape{2, 5});
        const Tensor di = matmul(ai, gi, {.transpose_a = !ta});  // [3, 5]
        total = total + (tb ? transpose(di) : di);
      }
      CHECK(amax(abs(total - grads[1])).item() < 1e-13);
    }
  }
}

TEST_CASE("matmul computes no gradient that nobody wants") {
  Tensor a = ones({2, 3}, {.requires_grad = true});
  const Tensor b = full({3, 2}, 2);
  sum(matmul(a, b)).backward();
  CHECK(to_doubles(a.grad()) == std::vector<double>(6, 4.0));
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("matmul's errors name both shapes") {
  CHECK(error_of(zeros({2, 3}), zeros({4, 5})) == "matmul: inner sizes differ: a is [2, 3], b is [4, 5]");
  CHECK(error_of(zeros({2, 3}), zeros({3, 4}), {.transpose_a = true}) ==
        "matmul: inner sizes differ: a is [2, 3] transposed, b is [3, 4]");
  CHECK(error_of(zeros({2, 3}), zeros({3, 4}), {.transpose_b = true}) ==
        "matmul: inner sizes differ: a is [2, 3], b is [3, 4] transposed");
  CHECK(error_of(zeros({4}), zeros({3, 4})) == "matmul: inner sizes differ: a is [4], b is [3, 4]");
  CHECK(error_of(zeros({3, 4}), zeros({})) ==
        "matmul: operands need at least 1 dimension: a is [3, 4], b is []");
  CHECK(error_of(zeros({2, 3, 4}), zeros({5, 4, 3})) ==
        "matmul: leading dimensions do not broadcast: a is [2, 3, 4], b is [5, 4, 3]");
  CHECK(error_of(zeros({2, 2}), zeros({2, 2}, {.dtype = float64})) ==
        "matmul: dtypes differ: a is float32, b is float64; convert one with to()");
  CHECK(error_of(zeros({2, 2}, {.dtype = int64}), zeros({2, 2}, {.dtype = int64})) ==
        "matmul: needs float32 or float64, got int64; convert with to(float32)");
  CHECK(error_of(zeros({2, 2}, {.dtype = boolean}), zeros({2, 2}, {.dtype = boolean})) ==
        "matmul: needs float32 or float64, got bool; convert with to(float32)");
  CHECK_THROWS_AS((void)matmul(zeros({2, 3}), zeros({4, 5})), ShapeError);
  CHECK_THROWS_AS((void)matmul(Tensor(), zeros({4, 5})), ValueError);
}

TEST_CASE("gemm reads no result that it overwrites, and a sum of no terms is 0") {
  const std::vector<double> a{1, 2, 3, 4};
  const std::vector<double> b{5, 6, 7, 8};
  std::vector<double> c(4, std::numeric_limits<double>::quiet_NaN());
  detail::gemm({.m = 2, .n = 2, .k = 2}, a.data(), b.data(), c.data());
  CHECK(c == std::vector<double>{19, 22, 43, 50});
  detail::gemm({.m = 2, .n = 2, .k = 0}, a.data(), b.data(), c.data());
  CHECK(c == std::vector<double>{0, 0, 0, 0});
}
