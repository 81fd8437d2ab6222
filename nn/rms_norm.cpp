#include "xtgrad/nn/rms_norm.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/functions/normalization.h"
#include "xtgrad/nn/floating_input.h"
#include "xtgrad/nn/options.h"

namespace xtgrad::inline v1::nn {

RMSNorm::RMSNorm(const RMSNormOptions& options) : options_(options) {
  const Shape& shape = options.normalized_shape;
  if (shape.rank() == 0) throw ValueError("RMSNorm: normalized_shape is required, and was not given");
  for (const std::int64_t size : shape) detail::check_option("RMSNorm", "normalized_shape", size, 1);
  const double eps = options.eps.value_or(0);
  if (!(eps >= 0 && std::isfinite(eps)))
    throw ValueError(fmt::format("RMSNorm: eps must be finite and at least 0: got {}", eps));
  if (options.affine) weight = Parameter(ones(shape));
}

void RMSNorm::members(Members& m) { m("weight", weight); }

Tensor RMSNorm::forward(const Tensor& x) {
  detail::check_floating([this] { return label(); }, x);
  const Shape& end = options_.normalized_shape;
  const bool fits =
      end.rank() <= x.rank() &&
      std::equal(end.begin(), end.end(), x.shape().end() - static_cast<std::ptrdiff_t>(end.rank()));
  if (!fits) {
    throw ShapeError(fmt::format("{}: the last dimensions of the input must be {}: input is {}", label(),
                                 to_string(end), to_string(x.shape())));
  }
  if (weight.defined() && weight.dtype() != x.dtype()) {
    throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                                 label(), to_string(x.dtype()), to_string(weight.dtype())));
  }
  const Tensor scale = weight.defined() ? weight.tensor() : ones(end, {.dtype = x.dtype()});
  return rms_norm(x, scale, {.eps = options_.eps});
}

}  // namespace xtgrad::v1::nn
