// Samples of eigenvalues and eigenvectors of symmetric matrices.
#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

const Domain small{.low = -1, .high = 1};

/// Its eigenvalues lie apart: off the diagonal elements are below 1/2, and on it they differ by at least 3.
Tensor spread(const Tensor& x) {
  if (!is_floating(x.dtype()) || x.rank() < 2) return x;
  const std::int64_t n = x.size(-1);
  const Tensor places = arange(n, {}, {.dtype = x.dtype()}) * 4;
  return symmetric(x) * 0.5 + eye(n, std::nullopt, {.dtype = x.dtype()}) * places;
}
Matrix spread(const Matrix& x) {
  Matrix a = symmetric(x);
  for (Real& value : a.data) value /= 2;
  for (std::int64_t i = 0; i < x.rows; ++i) a.at(i, i) += static_cast<Real>(4 * i);
  return a;
}

Matrix eighth_of_square(const Matrix& x) {
  Matrix square = multiply(x, x);
  for (Real& value : square.data) value /= 8;
  return square;
}

const OpSamples eigh_samples(OpId::eigh, [](Op& op) {
  // Off by a few roundings of the largest eigenvalue, 13; vectors by as much over a difference of 3,
  // and so are their gradients, of terms that cancel.
  op.accuracy = {.ulps = 8,
                 .floor = 16,
                 .signed_zeros = false,
                 .gradient_ulps = 16,
                 .gradient_floor = 0.25,
                 .float32_gradient_ulps = 32};
  for (const bool vectors : {false, true}) {
    for (const Shape& shape : {Shape{1, 1}, Shape{2, 2}, Shape{3, 3}, Shape{2, 2, 2}, Shape{0, 0},
                               Shape{0, 2, 2}, Shape{2, 0, 0}}) {
      op.sample({.attributes = to_string(shape) + (vectors ? " vectors" : " values"),
                 .inputs = {{.shape = shape, .domain = small}},
                 .apply =
                     [=](const Tensor& x) {
                       const auto [w, v] = eigh(spread(x));
                       return vectors ? v : w;
                     },
                 .reference =
                     [=](std::span<const Values> in) {
                       return of_each(
                           in[0],
                           [&](const Matrix& x) {
                             const auto [w, v] = eigh(spread(x));
                             return vectors ? v : w;
                           },
                           vectors ? 0 : 1);
                     },
                 .nasty = false});
    }
  }
  op.sample({.attributes = "a function of the matrix",
             .inputs = {{.shape = {2, 3, 3}, .domain = small}},
             .apply =
                 [](const Tensor& x) {
                   const auto [w, v] = eigh(spread(x));
                   const Tensor row = reshape(square(w) * 0.125, {2, 1, 3});
                   return matmul(v * row, v, {.transpose_b = true});
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) { return eighth_of_square(spread(x)); });
                 },
             .nasty = false,
             .combined = true});
  op.exact({.what = "equal eigenvalues, of which alone the loss is made",
            .inputs = {{{2, 2}, {3, 0, 0, 3}}},
            .apply = [](const Tensor& x) { return eigh(x).values; },
            .value = row({3, 3}),
            .gradients = {{{2, 2}, {1, 0, 0, 1}}}});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return eigh(x).values; },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return x; }, 1);
                 },
             .nasty = false});
  op.throws<ShapeError>("needs square matrices [..., n, n]: a is [2, 3]", [] {
    return eigh(ones({2, 3})).values;
  });
  op.throws<ValueError>("the matrix is not symmetric: element [1, 0] is 3, [0, 1] is 2", [] {
    return eigh(tensor({{4, 2}, {3, 4}}, {.dtype = float32})).values;
  });
});

const OpSamples eigvalsh_samples(OpId::eigvalsh, [](Op& op) {
  op.accuracy = {
      .ulps = 8, .floor = 16, .signed_zeros = false, .gradient_ulps = 16, .float32_gradient_ulps = 32};
  for (const Shape& shape : {Shape{1, 1}, Shape{3, 3}, Shape{2, 2, 2}, Shape{0, 0}, Shape{0, 2, 2}}) {
    op.sample({.attributes = to_string(shape),
               .inputs = {{.shape = shape, .domain = small}},
               .apply = [](const Tensor& x) { return eigvalsh(spread(x)); },
               .reference =
                   [](std::span<const Values> in) {
                     return of_each(
                         in[0], [](const Matrix& x) { return eigh(spread(x)).first; }, 1);
                   },
               .nasty = false});
  }
  op.exact({.what = "equal eigenvalues",
            .inputs = {{{2, 2}, {3, 0, 0, 3}}},
            .apply = [](const Tensor& x) { return eigvalsh(x); },
            .value = row({3, 3}),
            .gradients = {{{2, 2}, {1, 0, 0, 1}}}});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return eigvalsh(x); },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(
                       in[0], [](const Matrix& x) { return x; }, 1);
                 },
             .nasty = false});
  op.throws<ValueError>("the matrix [1] of the batch is not symmetric: element [1, 0] is 0, [0, 1] is 1", [] {
    return eigvalsh(reshape(tensor({1, 0, 0, 1, 1, 1, 0, 1}, {.dtype = float32}), {2, 2, 2}));
  });
});

}}  // namespace xtgrad::testing
