// Samples of singular values, and of what is made of them.
#include <algorithm>
#include <cmath>

#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const Domain small{.low = -1, .high = 1};

/// Its singular values lie apart: elements below 1/2, and a diagonal of 3, 6, 9 beside.
Tensor spread(const Tensor& x) {
  if (!is_floating(x.dtype()) || x.rank() < 2) return x;
  const Tensor places = arange(x.size(-1), {}, {.dtype = x.dtype()}) * 3 + 3;
  return x * 0.5 + eye(x.size(-2), x.size(-1), {.dtype = x.dtype()}) * places;
}
Matrix spread(Matrix x) {
  for (Real& value : x.data) value /= 2;
  for (std::int64_t i = 0; i < std::min(x.rows, x.columns); ++i) x.at(i, i) += static_cast<Real>(3 * i + 3);
  return x;
}

const std::vector<Shape> shapes = {{1, 1}, {2, 2}, {3, 2}, {2, 3}, {2, 2, 2}, {0, 3}, {3, 0}, {0, 2, 2}};

const OpSamples svd_samples(OpId::svd, [](Op& op) {
  // Off by a few roundings of the largest singular value, up to 11; vectors by as much over a difference
  // of 1.
  op.accuracy = {.ulps = 16,
                 .floor = 16,
                 .signed_zeros = false,
                 .gradient_ulps = 32,
                 .gradient_floor = 0.25,
                 .float32_gradient_ulps = 64};
  for (const int part : {0, 1, 2}) {
    for (const Shape& shape : shapes) {
      op.sample({.attributes = to_string(shape) + (part == 0   ? " u"
                                                   : part == 1 ? " s"
                                                               : " vh"),
                 .inputs = {{.shape = shape, .domain = small}},
                 .apply =
                     [part](const Tensor& x) {
                       const auto [u, s, vh] = svd(spread(x));
                       return part == 0 ? u : part == 1 ? s : vh;
                     },
                 .reference =
                     [part](std::span<const Values> in) {
                       return of_each(
                           in[0],
                           [&](const Matrix& x) {
                             const auto [u, s, vh] = svd(spread(x));
                             return part == 0 ? u : part == 1 ? s : vh;
                           },
                           part == 1 ? 1 : 0);
                     },
                 .nasty = false});
    }
  }
  for (const Shape& shape : {Shape{2, 2, 3}, Shape{3, 2}}) {
    op.sample({.attributes = to_string(shape) + " all of them",
               .inputs = {{.shape = shape, .domain = small}},
               .apply =
                   [](const Tensor& x) {
                     const auto [u, s, vh] = svd(spread(x));
                     Dims sizes = s.shape();
                     if (s.rank() == 1) {
                       sizes = {1, s.size(0)};
                     } else {
                       sizes = {s.size(0), 1, s.size(1)};
                     }
                     return matmul(u * reshape(s, sizes), vh);
                   },
               .reference =
                   [](std::span<const Values> in) {
                     return of_each(in[0], [](const Matrix& x) { return spread(x); });
                   },
               .nasty = false,
               .combined = true});
  }
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return svd(x).s; },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return x; }, 1);
                 },
             .nasty = false});
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return svd(ones({3})).s; });
});

const OpSamples svdvals_samples(OpId::svdvals, [](Op& op) {
  op.accuracy = {
      .ulps = 8, .floor = 16, .signed_zeros = false, .gradient_ulps = 16, .float32_gradient_ulps = 32};
  for (const Shape& shape : shapes) {
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape, .domain = small}},
               .apply = [](const Tensor& x) { return svdvals(spread(x)); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_each(
                         in[0], [](const Matrix& x) { return svd(spread(x)).s; }, 1);
                   },
               .nasty = false});
  }
  op.exact({.what = "equal singular values",
            .inputs = {{{2, 2}, {0, 2, 2, 0}}},
            .apply = [](const Tensor& x) { return svdvals(x); },
            .value = row({2, 2}),
            .gradients = {{{2, 2}, {0, 1, 1, 0}}}});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return svdvals(x); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return x; }, 1);
                 },
             .nasty = false});
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return svdvals(ones({3})); });
});

/// (a'a)^-1 a', or a' (a a')^-1: of full rank.
Matrix pseudo_inverse(const Matrix& a) {
  if (a.rows < a.columns) return transpose(pseudo_inverse(transpose(a)));
  return solve(multiply(transpose(a), a), transpose(a));
}

const OpSamples pinv_samples(OpId::pinv, [](Op& op) {
  // Up to 1/2.5, of a matrix of condition 4.
  op.accuracy = {
      .ulps = 32, .floor = 0.5, .signed_zeros = false, .gradient_ulps = 16, .float32_gradient_ulps = 32};
  for (const Shape& shape : shapes) {
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape, .domain = small}},
               .apply = [](const Tensor& x) { return pinv(spread(x)); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_each(in[0], [](const Matrix& x) { return pseudo_inverse(spread(x)); });
                   },
               .nasty = false});
  }
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return pinv(x); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) { return inverse(x); });
                 },
             .nasty = false});
  op.throws<ValueError>("rcond must be at least 0: got -1", [] { return pinv(ones({2, 2}), {.rcond = -1}); });
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return pinv(ones({3})); });
});

const OpSamples lstsq_samples(OpId::lstsq, [](Op& op) {
  op.parts = {OpId::pinv, OpId::matmul};
  op.accuracy = {
      .ulps = 64, .floor = 1, .signed_zeros = false, .gradient_ulps = 16, .float32_gradient_ulps = 32};
  const auto of = [&op](const Shape& a, const Shape& b) {
    op.sample({.attributes = to_string(a) + to_string(b),
               .inputs = {{.shape = a, .domain = small}, {.shape = b}},
               .apply = [](const Tensor& x, const Tensor& y) { return lstsq(spread(x), y); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_pairs(in[0], in[1], [](const Matrix& x, const Matrix& y) {
                       return multiply(pseudo_inverse(spread(x)), y);
                     });
                   },
               .linear_in = {1},
               .linear_exactly = false,
               .nasty = false});
  };
  of({3, 2}, {3, 2});
  of({2, 3}, {2, 1});
  of({2, 3, 2}, {3, 2});
  of({0, 2, 2}, {2, 2});
  op.throws<ShapeError>("b must have as many rows as a: a is [3, 2], b is [2, 1]", [] {
    return lstsq(ones({3, 2}), ones({2, 1}));
  });
});

const OpSamples matrix_norm_samples(OpId::matrix_norm, [](Op& op) {
  op.parts = {OpId::svdvals};
  op.accuracy = {
      .ulps = 16, .floor = 1, .signed_zeros = false, .gradient_ulps = 8, .float32_gradient_ulps = 32};
  const auto one_number = [](Real x) {
    Matrix matrix(1, 1);
    matrix.at(0, 0) = x;
    return matrix;
  };
  const auto largest_row_sum = [](const Matrix& x) {
    Real largest = 0;
    for (std::int64_t i = 0; i < x.rows; ++i) {
      Real sum = 0;
      for (std::int64_t j = 0; j < x.columns; ++j) sum += std::abs(x.at(i, j));
      largest = std::max(largest, sum);
    }
    return largest;
  };
  const auto norm_of = [=](const Matrix& x, MatrixNorm norm) {
    Real sum = 0;
    if (norm == MatrixNorm::one) return largest_row_sum(transpose(x));
    if (norm == MatrixNorm::infinity) return largest_row_sum(x);
    if (norm == MatrixNorm::frobenius) {
      for (const Real value : x.data) sum += value * value;
      return std::sqrt(sum);
    }
    const Matrix s = svd(x).s;
    for (const Real value : s.data) sum += value;
    return norm == MatrixNorm::nuclear || s.data.empty() ? sum : s.data[0];
  };
  for (const MatrixNorm norm : {MatrixNorm::frobenius, MatrixNorm::nuclear, MatrixNorm::spectral,
                                MatrixNorm::one, MatrixNorm::infinity}) {
    for (const Shape& shape : {Shape{3, 2}, Shape{2, 2, 3}, Shape{0, 2}, Shape{0, 2, 2}}) {
      op.sample({.attributes = to_string(shape) + " norm " + std::to_string(static_cast<int>(norm)),
                 .inputs = {{.shape = shape, .domain = small}},
                 .apply = [=](const Tensor& x) { return matrix_norm(spread(x), norm); },
                 .reference =
                     [=](std::span<const Values> in) {
                       return of_each(
                           in[0], [&](const Matrix& x) { return one_number(norm_of(spread(x), norm)); }, 2);
                     },
                 .nasty = false});
    }
  }
  op.exact({.what = "of a zero matrix",
            .inputs = {{{2, 2}, {0, 0, 0, 0}}},
            .apply = [](const Tensor& x) { return matrix_norm(x); },
            .value = scalar(0),
            .gradients = {{{2, 2}, {0, 0, 0, 0}}}});
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return matrix_norm(ones({3})); });
});

}}  // namespace xtgrad::testing
