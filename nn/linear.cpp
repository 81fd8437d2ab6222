#include "xtgrad/nn/linear.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/init.h"

namespace xtgrad::inline v1::nn {

Linear::Linear(const LinearOptions& options) {
  const auto [in, out, with_bias] = options;
  detail::check_option("Linear", "in_features", in, 0);
  detail::check_option("Linear", "out_features", out, 0);
  // U(-1/sqrt(in), 1/sqrt(in)) is kaiming_uniform with the gain of leaky_relu at slope sqrt(5).
  weight = Parameter(init::kaiming_uniform({out, in}, {.gain = 1 / std::sqrt(3.0)}));
  if (!with_bias) return;
  const double bound = in == 0 ? 0.0 : 1 / std::sqrt(static_cast<double>(in));
  bias = Parameter(uniform({out}, {.low = -bound, .high = bound}));
}

void Linear::members(Members& m) {
  m("weight", weight);
  m("bias", bias);
}

Tensor Linear::forward(const Tensor& x) {
  const Tensor w = weight;  // [out, in]
  const Shape& shape = x.shape();
  const std::int64_t in = w.shape()[1];
  if (shape.rank() == 0) {
    throw ShapeError(fmt::format("{}: input has no dimensions, weight is {}", label(), to_string(w.shape())));
  }
  if (shape.back() != in) {
    throw ShapeError(fmt::format("{}: input has {} features in its last dimension, weight is {}", label(),
                                 shape.back(), to_string(w.shape())));
  }
  if (x.dtype() != w.dtype()) {
    throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                                 label(), to_string(x.dtype()), to_string(w.dtype())));
  }
  // All leading dimensions as one: a single large product, and the weight is not broadcast over batches.
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < shape.rank(); ++i) rows *= shape[i];
  const Tensor flat = shape.rank() == 2 ? x : reshape(x, Shape{rows, in});
  Tensor y = matmul(flat, w, {.transpose_b = true});  // [rows, out]
  if (bias.defined()) y = y + bias;
  if (shape.rank() == 2) return y;
  Shape result = shape;
  result[shape.rank() - 1] = w.shape()[0];
  return reshape(y, result);
}

}  // namespace xtgrad::v1::nn
