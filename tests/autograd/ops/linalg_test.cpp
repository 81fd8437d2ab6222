// What the walk over the registry does not reach of linear algebra: singular matrices and equal eigenvalues,
// batches of large ones, what is not finite, threads.
#include "xtgrad/autograd/functions/linalg.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "tests/support/message_of.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/graph.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/transforms.h"

namespace xtgrad { namespace {

using testing::values;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor doubles(const Shape& shape, std::vector<double> elements) {
  return from_span(std::span<const double>(elements), shape, {.dtype = float64});
}

double largest_difference(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  const std::vector<double> all = values(amax(abs(a - b)));
  return all[0];
}

bool all_nan(const Tensor& x) {
  for (const double value : values(x)) {
    if (!std::isnan(value)) return false;
  }
  return true;
}

Tensor gradient_of(const TensorFunction& f, const Tensor& at) {
  const Tensor x = at.detach().set_requires_grad();
  return grad(f(std::vector{x})[0], x);
}

/// A matrix of normal numbers, of float64.
Tensor drawn(const Shape& shape, std::uint64_t seed) {
  Random random(seed);
  return randn(shape, random, {.dtype = float64});
}

TEST_CASE("det: first and second derivatives are exact where it is 0") {
  // Rank 2 of 3, rank 1 of 3, and rank 0 of 2.
  for (const Tensor& a :
       {doubles({3, 3}, {1, 2, 3, 4, 5, 6, 5, 7, 9}), doubles({3, 3}, {1, 2, 3, 2, 4, 6, 3, 6, 9}),
        doubles({2, 2}, {0, 0, 0, 0}), eye(3, std::nullopt, {.dtype = float64})}) {
    CAPTURE(values(a));
    const auto f = [](const Tensor& x) { return det(x); };
    const std::int64_t n = a.size(0);
    // The cofactors, and theirs, by the formula of Leibniz: by differences of a polynomial of degree at most
    // 1 in an element.
    const auto moved = [&](std::int64_t i, double step) {
      std::vector<double> elements = values(a);
      elements[static_cast<std::size_t>(i)] += step;
      return doubles(a.shape(), elements);
    };
    const Tensor h = hessian(f, a);
    const Tensor g = gradient_of([&](std::span<const Tensor> x) { return std::vector{det(x[0])}; }, a);
    for (std::int64_t i = 0; i < n * n; ++i) {
      const double slope = values(det(moved(i, 1)))[0] - values(det(a))[0];
      CHECK(values(g)[static_cast<std::size_t>(i)] == doctest::Approx(slope).epsilon(1e-12).scale(10));
      const auto gradient_at = [&](const Tensor& x) {
        return gradient_of([&](std::span<const Tensor> in) { return std::vector{det(in[0])}; }, x);
      };
      const std::vector<double> row = values(gradient_at(moved(i, 1)) - gradient_at(a));
      for (std::int64_t j = 0; j < n * n; ++j) {
        CHECK(values(h)[static_cast<std::size_t>(i * n * n + j)] ==
              doctest::Approx(row[static_cast<std::size_t>(j)]).epsilon(1e-12).scale(10));
      }
    }
  }
}

TEST_CASE("det and slogdet of matrices whose products leave the range on the way") {
  const Tensor a = eye(40, std::nullopt, {.dtype = float64}) * 1e20;
  CHECK(values(det(a))[0] == infinity);
  CHECK(values(slogdet(a).logabs)[0] == doctest::Approx(40 * std::log(1e20)));
  // Half of the pivots are 1e20, the other 1e-20.
  std::vector<double> diagonal(1600, 0);
  for (std::size_t i = 0; i < 40; ++i) diagonal[i * 41] = i < 20 ? 1e20 : 1e-20;
  CHECK(values(det(doubles({40, 40}, diagonal)))[0] == doctest::Approx(1));
  CHECK(values(det(doubles({40, 40}, diagonal).to(float32)))[0] == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("slogdet's sign has a gradient of 0") {
  const Tensor x = drawn({3, 3}, 1).set_requires_grad();
  CHECK(values(grad(slogdet(x).sign, x)) == std::vector<double>(9, 0.0));
}

TEST_CASE("eigenvalues that are equal") {
  // A projector onto a plane, turned: eigenvalues 0, 1, 1 but for rounding.
  const Tensor q = qr(drawn({3, 3}, 2)).q;
  const Tensor plane = matmul(q * doubles({3}, {0, 1, 1}), q, {.transpose_b = true});
  const Tensor c = drawn({3, 3}, 3);
  const Tensor symmetric_c = (c + transpose(c)) * 0.5;

  SUBCASE("losses of the values alone") {
    // The sum of squares is that of the elements.
    const auto loss = [](std::span<const Tensor> in) { return std::vector{sum(square(eigvalsh(in[0])))}; };
    CHECK(largest_difference(gradient_of(loss, plane), plane * 2) < 1e-14);
    const auto by_eigh = [](std::span<const Tensor> in) {
      return std::vector{sum(square(eigh(in[0]).values))};
    };
    CHECK(largest_difference(gradient_of(by_eigh, plane), plane * 2) < 1e-14);
  }
  SUBCASE("losses that treat the vectors of equal values alike") {
    const auto loss = [&](std::span<const Tensor> in) {
      const Tensor v = eigh(in[0]).vectors;
      const Tensor of_plane = slice(v, {.axis = 1, .start = 1});
      return std::vector{sum(matmul(of_plane, of_plane, {.transpose_b = true}) * c)};
    };
    // The projector moves by p da (1 - p) / 1 and its transpose.
    const Tensor other = eye(3, std::nullopt, {.dtype = float64}) - plane;
    const Tensor half = matmul(matmul(plane, symmetric_c), other);
    CHECK(largest_difference(gradient_of(loss, plane), half + transpose(half)) < 1e-13);
  }
  SUBCASE("second derivatives are NaN, not wrong") {
    const Tensor x = plane.detach().set_requires_grad();
    const Tensor g = grad(sum(square(eigvalsh(x))), x, {.create_graph = true});
    CHECK(all_nan(grad(sum(g * c), x)));
    const Tensor h = grad(sum(square(eigh(x).values)), x, {.create_graph = true});
    CHECK(all_nan(grad(sum(h * c), x)));
    const Tensor zero = zeros({3, 3}, {.dtype = float64, .requires_grad = true});
    const Tensor at_zero = grad(sum(square(eigvalsh(zero))), zero, {.create_graph = true});
    CHECK(all_nan(grad(sum(at_zero * c), zero)));
  }
}

TEST_CASE("singular values that are equal, or 0") {
  const Tensor u = qr(drawn({3, 2}, 4)).q;
  const Tensor v = qr(drawn({2, 2}, 5)).q;
  const Tensor c = drawn({3, 2}, 6);
  SUBCASE("equal ones") {
    const Tensor a = matmul(u, v) * 2;
    const auto nuclear = [](std::span<const Tensor> in) {
      return std::vector{matrix_norm(in[0], MatrixNorm::nuclear)};
    };
    CHECK(largest_difference(gradient_of(nuclear, a), matmul(u, v)) < 1e-14);
    const Tensor x = a.detach().set_requires_grad();
    const Tensor g = grad(matrix_norm(x, MatrixNorm::nuclear), x, {.create_graph = true});
    CHECK(all_nan(grad(sum(g * c), x)));
  }
  SUBCASE("the leading vectors of a matrix without full rank have a gradient") {
    const Tensor a = matmul(u * doubles({2}, {3, 0}), v);
    const auto loss = [&](std::span<const Tensor> in) {
      const Tensor first = slice(svd(in[0]).u, {.axis = 1, .stop = 1});
      return std::vector{sum(square(matmul(first, c, {.transpose_a = true})))};
    };
    for (const double value : values(gradient_of(loss, a))) CHECK(std::isfinite(value));
  }
}

TEST_CASE("pinv at constant rank, and where singular values are equal") {
  const auto f = [](std::span<const Tensor> in) { return std::vector{pinv(in[0])}; };
  const Tensor turned = qr(drawn({3, 3}, 7)).q;
  CHECK(check_grads(f, std::vector{turned}, {.order = 2}).ok());
  // Of rank 1: along what keeps it so.
  const auto of_rank_one = [](std::span<const Tensor> in) {
    return std::vector{pinv(matmul(in[0], in[1]), {.rcond = 1e-8})};
  };
  CHECK(check_grads(of_rank_one, std::vector{drawn({3, 1}, 8), drawn({1, 4}, 9)}, {.order = 2}).ok());
  const Tensor a = matmul(drawn({4, 2}, 10), drawn({2, 3}, 11));
  const Tensor y = pinv(a);
  CHECK(largest_difference(matmul(matmul(a, y), a), a) < 1e-12);
  CHECK(largest_difference(matmul(matmul(y, a), y), y) < 1e-12);
  CHECK(values(pinv(zeros({2, 3}))) == std::vector<double>(6, 0.0));
}

TEST_CASE("lstsq has the residual that is orthogonal to the columns, and the least norm") {
  const Tensor a = drawn({5, 3}, 12);
  const Tensor b = drawn({5}, 13);
  const Tensor x = lstsq(a, b);
  CHECK(x.shape() == Shape{3});
  CHECK(values(amax(abs(matmul(matmul(a, x) - b, a))))[0] < 1e-13);
  const Tensor wide = lstsq(transpose(a), drawn({3}, 14));
  // Of least norm: in the space of the rows.
  const Tensor projected = matmul(a, matmul(pinv(a), wide));
  CHECK(largest_difference(projected, wide) < 1e-13);
}

TEST_CASE("vectors stand for columns") {
  const Tensor a = drawn({2, 3, 3}, 15) + eye(3, std::nullopt, {.dtype = float64}) * 5;
  const Tensor b = drawn({3}, 16);
  const Tensor column = reshape(b, {3, 1});
  CHECK(testing::same_bits(solve(a, b), reshape(solve(a, column), {2, 3})));
  CHECK(testing::same_bits(solve_triangular(a, b), reshape(solve_triangular(a, column), {2, 3})));
  CHECK(testing::same_bits(cholesky_solve(a, b), reshape(cholesky_solve(a, column), {2, 3})));
}

TEST_CASE("a matrix that is not finite is NaN all over, and its neighbours are not") {
  for (const double bad : {nan, infinity}) {
    Tensor a = drawn({3, 2, 2}, 17);
    a = matmul(a, a, {.transpose_b = true}) + eye(2, std::nullopt, {.dtype = float64});
    std::vector<double> elements = values(a);
    elements[4] = bad;
    const Tensor x = doubles({3, 2, 2}, elements);
    const auto looked_at = [&](const Tensor& y) {
      const std::vector<Tensor> parts = unbind(y);
      for (const double value : values(parts[0])) CHECK(std::isfinite(value));
      CHECK(all_nan(parts[1]));
      for (const double value : values(parts[2])) CHECK(std::isfinite(value));
    };
    looked_at(cholesky(x));
    looked_at(inverse(x));
    looked_at(solve(x, ones({2, 1}, {.dtype = float64})));
    looked_at(det(x));
    looked_at(slogdet(x).sign);
    looked_at(slogdet(x).logabs);
    looked_at(lu(x).u);
    looked_at(qr(x).q);
    looked_at(qr(x).r);
    looked_at(eigh(x).values);
    looked_at(eigh(x).vectors);
    looked_at(eigvalsh(x));
    looked_at(svd(x).u);
    looked_at(svd(x).s);
    looked_at(svd(x).vh);
    looked_at(svdvals(x));
    looked_at(pinv(x));
    looked_at(matrix_exp(x));
  }
}

TEST_CASE("conventions of signs and order") {
  const Tensor a = drawn({4, 3}, 18);
  const auto [q, r] = qr(a);
  for (std::int64_t i = 0; i < 3; ++i) CHECK(values(r)[static_cast<std::size_t>(i * 3 + i)] > 0);
  const auto [u, s, vh] = svd(a);
  CHECK(values(greater(slice(s, {.stop = 2}), slice(s, {.start = 1}))) == std::vector<double>(2, 1));
  CHECK(values(equal(amax(u, {.axes = 0}), amax(abs(u), {.axes = 0}))) == std::vector<double>(3, 1));
  const auto [w, v] = eigh(matmul(a, a, {.transpose_a = true}));
  CHECK(values(less(slice(w, {.stop = 2}), slice(w, {.start = 1}))) == std::vector<double>(2, 1));
  CHECK(values(equal(amax(v, {.axes = 0}), amax(abs(v), {.axes = 0}))) == std::vector<double>(3, 1));
  // The first of two components of one size.
  CHECK(values(eigh(doubles({2, 2}, {0, 1, 1, 0})).vectors)[0] > 0);
}

TEST_CASE("lu takes the largest pivot, and its permutation puts rows back") {
  const Tensor a = doubles({3, 2}, {1, 2, 0, 3, 4, 8});
  const auto [p, l, u] = lu(a);
  CHECK(values(matmul(p, matmul(l, u))) == values(a));
  CHECK(values(u) == std::vector<double>{4, 8, 0, 3});
  CHECK(values(amax(abs(l)))[0] == 1);
  CHECK(values(sum(p, {.axes = 0})) == std::vector<double>(3, 1));
}

TEST_CASE("large matrices and many small ones") {
  const std::int64_t n = 200;
  const Tensor a = drawn({n, n}, 19);
  const Tensor spd = matmul(a, a, {.transpose_b = true}) + eye(n, std::nullopt, {.dtype = float64});
  const Tensor l = cholesky(spd);
  CHECK(largest_difference(matmul(l, l, {.transpose_b = true}), spd) < 1e-10);
  CHECK(largest_difference(matmul(a, solve(a, spd)), spd) < 1e-7);
  CHECK(largest_difference(matmul(qr(a).q, qr(a).r), a) < 1e-11);
  const auto [w, v] = eigh(spd);
  CHECK(largest_difference(matmul(v * w, v, {.transpose_b = true}), spd) < 1e-10);
  const auto [u, s, vh] = svd(a);
  CHECK(largest_difference(matmul(u * s, vh), a) < 1e-11);
  CHECK(largest_difference(matrix_exp(a * 0.01), inverse(matrix_exp(a * -0.01))) < 1e-10);
  const Tensor many = drawn({1000, 2, 2}, 20) + eye(2, std::nullopt, {.dtype = float64}) * 6;
  const std::vector<Tensor> first = unbind(slice(many, {.stop = 1}));
  CHECK(testing::same_bits(unbind(inverse(many))[0], inverse(first[0])));
}

TEST_CASE("matrix_exp of large and small norms") {
  for (const double size : {1e-6, 0.1, 1.0, 30.0, 300.0}) {
    // A rotation by `size`.
    const Tensor y = matrix_exp(doubles({2, 2}, {0, -size, size, 0}));
    CHECK(values(y)[0] == doctest::Approx(std::cos(size)).epsilon(1e-12 * (1 + size)));
    CHECK(values(y)[2] == doctest::Approx(std::sin(size)).epsilon(1e-12 * (1 + size)));
  }
  CHECK(values(matrix_exp(doubles({1, 1}, {-1e300})))[0] == 0);
  CHECK(values(matrix_exp(doubles({1, 1}, {1e300})))[0] == infinity);
  CHECK(values(matrix_exp(zeros({2, 2}))) == std::vector<double>{1, 0, 0, 1});
}

TEST_CASE("matrix_norm neither leaves the range nor vanishes on the way") {
  CHECK(values(matrix_norm(doubles({1, 2}, {3e-200, 4e-200})))[0] == doctest::Approx(5e-200));
  CHECK(values(matrix_norm(doubles({1, 2}, {3e200, 4e200})))[0] == doctest::Approx(5e200));
  CHECK(values(matrix_norm(doubles({1, 2}, {infinity, 1})))[0] == infinity);
  CHECK(std::isnan(values(matrix_norm(doubles({1, 2}, {nan, 1})))[0]));
}

TEST_CASE("matrix_power of 0 is the identity, which has no gradient") {
  const Tensor x = drawn({2, 3, 3}, 21).set_requires_grad();
  const Tensor y = matrix_power(x, 0);
  CHECK_FALSE(y.requires_grad());
  CHECK(y.shape() == x.shape());
  CHECK(values(y)[4] == 1);
}

TEST_CASE("linear algebra by several threads at once") {
  // A serial OpenBLAS gives two concurrent calls one buffer: calls take turns.
  const Tensor a = drawn({40, 40}, 22);
  const Tensor spd = matmul(a, a, {.transpose_b = true}) + eye(40, std::nullopt, {.dtype = float64});
  const Tensor l = cholesky(spd);
  const Tensor w = eigvalsh(spd);
  const Tensor x = solve(a, spd);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        if (!testing::same_bits(cholesky(spd), l)) ++count;
        if (!testing::same_bits(eigvalsh(spd), w)) ++count;
        if (!testing::same_bits(solve(a, spd), x)) ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
}

}}  // namespace xtgrad
