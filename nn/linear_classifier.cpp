#include "xtgrad/nn/linear_classifier.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {
namespace {

Shape in_front(std::int64_t size, const Shape& rest) {
  Shape shape{size};
  for (const std::int64_t one : rest) shape.push_back(one);
  return shape;
}

}  // namespace

LinearClassifier::LinearClassifier(const LinearClassifierOptions& options) : options_(options) {
  if (options.input.rank() == 0) throw ValueError("LinearClassifier: input is required, and was not given");
  for (const std::int64_t size : options.input) detail::check_option("LinearClassifier", "input", size, 1);
  detail::check_option("LinearClassifier", "classes", options.classes, 1);
  const std::int64_t features = options.input.numel();
  const double bound = 1 / std::sqrt(static_cast<double>(features));
  weight = Parameter(uniform({options.classes, features + 1}, {.low = -bound, .high = bound}));
}

void LinearClassifier::members(Members& m) { m("weight", weight); }

Tensor LinearClassifier::forward(const Tensor& x) {
  const Tensor w = weight;  // [classes, features + 1]
  const std::int64_t features = w.shape()[1] - 1;
  const std::int64_t n = x.rank() == 0 ? 0 : x.size(0);
  if (x.rank() == 0 || (x.shape() != Shape{n, features} && x.shape() != in_front(n, options_.input))) {
    throw ShapeError(fmt::format("{}: samples must be {}, or flat with {} features: input is {}", label(),
                                 to_string(options_.input), features, to_string(x.shape())));
  }
  if (x.dtype() != w.dtype()) {
    throw DtypeError(fmt::format("{}: input is {}, weight is {}; convert the input or the model with to()",
                                 label(), to_string(x.dtype()), to_string(w.dtype())));
  }
  const Tensor flat = reshape(x, Shape{n, features});
  const Tensor with_one = concat({flat, ones({n, 1}, {.dtype = x.dtype()})}, 1);
  return matmul(with_one, w, {.transpose_b = true});
}

Tensor LinearClassifier::templates() const {
  const Tensor rows = slice(weight, {.axis = 1, .stop = options_.input.numel()});
  return reshape(rows, in_front(options_.classes, options_.input));
}

Tensor LinearClassifier::biases() const {
  return reshape(slice(weight, {.axis = 1, .start = options_.input.numel()}), Shape{options_.classes});
}

}  // namespace xtgrad::v1::nn
