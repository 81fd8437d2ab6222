#include "xtgrad/autograd/functions/distance.h"

#include <fmt/format.h>

#include <span>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// With a dimension of size 1 put in before the last one, or the one before that.
Tensor with_one(const Tensor& x, std::size_t before_last) {
  Shape shape;
  for (std::size_t d = 0; d < x.rank(); ++d) {
    if (d + before_last == x.rank()) shape.push_back(1);
    shape.push_back(x.shape()[d]);
  }
  return reshaped(x, shape);
}

}}  // namespace detail

Tensor cdist(const Tensor& a, const Tensor& b, double p) {
  constexpr detail::OpId op = detail::OpId::cdist;
  detail::check_floating(op, detail::array_of(a));
  detail::check_same_dtype(op, detail::array_of(a), detail::array_of(b));
  if (a.rank() < 2 || b.rank() < 2 || a.shape().back() != b.shape().back()) {
    throw ShapeError(fmt::format("cdist: needs points [..., n, d] and [..., m, d]: a is {}, b is {}",
                                 to_string(a.shape()), to_string(b.shape())));
  }
  if (!(p >= 0)) throw ValueError(fmt::format("cdist: p must be at least 0: got {}", p));
  const auto leading = [](const Tensor& x) { return Shape(std::span(x.shape().begin(), x.rank() - 2)); };
  static_cast<void>(detail::common_shape(op, leading(a), leading(b)));
  return norm(detail::with_one(a, 1) - detail::with_one(b, 2), {.p = p, .axes = {-1}});
}

}  // namespace xtgrad::v1
