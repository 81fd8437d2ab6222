// Samples of the QR decomposition.
#include "tests/support/op_samples.h"
#include "tests/support/reference_matrices.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/linalg.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::testing { namespace {

Tensor moved(const Tensor& x) { return plus_identity(x, 3); }
Matrix moved(const Matrix& x) { return plus_identity(x, 3); }

const OpSamples qr_samples(OpId::qr, [](Op& op) {
  // Columns far from dependent: a few roundings for each of up to four terms, at the size of the elements. In
  // the gradient the terms of q and of what is orthogonal to it cancel, each a cotangent
  // over r's diagonal of 2 to 4.
  op.accuracy = {.ulps = 16,
                 .floor = 4,
                 .signed_zeros = false,
                 .gradient_ulps = 8,
                 .gradient_floor = 0.25,
                 .float32_gradient_ulps = 32};
  for (const bool first : {true, false}) {
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 3}, Shape{4, 2}, Shape{2, 4}, Shape{2, 2, 2},
                               Shape{0, 3}, Shape{3, 0}, Shape{0, 2, 2}}) {
      op.sample({.attributes = to_string(shape) + (first ? " q" : " r"),
                 .inputs = {{.shape = shape, .domain = {.low = -1, .high = 1}}},
                 .apply =
                     [first](const Tensor& x) {
                       const auto [q, r] = qr(moved(x));
                       return first ? q : r;
                     },
                 .reference =
                     [first](std::span<const Values> in) {
                       return of_each(in[0], [&](const Matrix& x) {
                         const auto [q, r] = qr(moved(x));
                         return first ? q : r;
                       });
                     },
                 .nasty = false});
    }
  }
  op.sample({.attributes = "both",
             .inputs = {{.shape = {2, 3, 2}, .domain = {.low = -1, .high = 1}}},
             .apply =
                 [](const Tensor& x) {
                   const auto [q, r] = qr(moved(x));
                   return matmul(q, r);
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) { return moved(x); });
                 },
             .nasty = false,
             .combined = true});
  // Of q r itself the terms of the rule cancel.
  op.sample({.attributes = "both, each with a cotangent of its own",
             .inputs = {{.shape = {2, 3, 2}, .domain = {.low = -1, .high = 1}}},
             .apply =
                 [](const Tensor& x) {
                   const auto [q, r] = qr(moved(x));
                   return matmul(q, transpose(r, -2, -1));
                 },
             .reference =
                 [](std::span<const Values> in) {
                   return of_each(in[0], [](const Matrix& x) {
                     const auto [q, r] = qr(moved(x));
                     return multiply(q, transpose(r));
                   });
                 },
             .nasty = false,
             .combined = true});
  op.exact({.what = "the diagonal of r is not negative",
            .inputs = {{{2, 2}, {0, -3, -2, 4}}},
            .apply = [](const Tensor& x) { return qr(x).r; },
            .value = {{2, 2}, {2, -4, 0, 3}}});
  op.sample({.attributes = "one number, as it is",
             .inputs = {one_number_above_zero},
             .apply = [](const Tensor& x) { return qr(x).r; },
             .reference =
                 [](std::span<const Values> in) { return of_each(in[0], [](const Matrix& x) { return x; }); },
             .nasty = false});
  op.throws<ShapeError>("needs matrices [..., m, n]: a is [3]", [] { return qr(ones({3})).q; });
});

}}  // namespace xtgrad::testing
