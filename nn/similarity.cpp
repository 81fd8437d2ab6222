#include "xtgrad/nn/similarity.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/cosine.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {
namespace {

/// Throws unless both are floating, of one dtype, and broadcast; gives the common shape.
Shape common_shape(std::string_view function, const Tensor& a, const Tensor& b) {
  detail::check_operands(function, {{"a", a}, {"b", b}});
  if (a.dtype() != b.dtype()) {
    throw DtypeError(fmt::format("{}: dtypes differ: a is {}, b is {}; convert with to()", function,
                                 to_string(a.dtype()), to_string(b.dtype())));
  }
  return broadcast_shapes(function, a.shape(), b.shape());
}

}  // namespace

Tensor cosine_similarity(const Tensor& a, const Tensor& b, const CosineSimilarityOptions& options) {
  constexpr std::string_view function = "cosine_similarity";
  const Shape shape = common_shape(function, a, b);
  if (!(options.eps > 0 && std::isfinite(options.eps))) {
    throw ValueError(fmt::format("{}: eps must be positive and finite: got {}", function, options.eps));
  }
  const auto axis = static_cast<std::int64_t>(normalize_axis(function, options.axis, shape.rank()));
  return detail::cosine(broadcast_to(a, shape), broadcast_to(b, shape), axis, options.eps);
}

Tensor pairwise_distance(const Tensor& a, const Tensor& b, const PairwiseDistanceOptions& options) {
  constexpr std::string_view function = "pairwise_distance";
  const Shape shape = common_shape(function, a, b);
  if (!(options.p >= 1))
    throw ValueError(fmt::format("{}: p must be at least 1: got {}", function, options.p));
  if (!(options.eps >= 0 && std::isfinite(options.eps))) {
    throw ValueError(fmt::format("{}: eps must be finite and at least 0: got {}", function, options.eps));
  }
  if (shape.rank() == 0) {
    throw ShapeError(fmt::format("{}: needs vectors in the last dimension: a is {}, b is {}", function,
                                 to_string(a.shape()), to_string(b.shape())));
  }
  return norm(a - b + options.eps, {.p = options.p, .axes = {-1}, .keepdim = options.keepdim});
}

}  // namespace xtgrad::v1::nn
