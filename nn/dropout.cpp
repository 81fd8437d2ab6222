#include "xtgrad/nn/dropout.h"

#include <fmt/format.h>

#include <string_view>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::nn {

namespace {

double checked_p(std::string_view module, double p) {
  if (p >= 0 && p <= 1) return p;
  throw ValueError(fmt::format("{}: p must be in [0, 1]: got {}", module, p));
}

/// x where `kept`, which broadcasts to it, is true, divided by 1 - p; 0 elsewhere.
Tensor keep(const Tensor& x, const Tensor& kept, double p) {
  // where, not a product: an infinity that is dropped becomes 0, not NaN; and nothing is divided by 0 at p
  // = 1.
  return where(kept, p == 1 ? x : x * (1 / (1 - p)), 0);
}

}  // namespace

Dropout::Dropout(const DropoutOptions& options)
    : stream(default_random().split()), p_(checked_p("Dropout", options.p)) {}

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || p_ == 0) return alias(x);
  return keep(x, bernoulli(x.shape(), 1 - p_, stream), p_);
}

Dropout2d::Dropout2d(const DropoutOptions& options)
    : stream(default_random().split()), p_(checked_p("Dropout2d", options.p)) {}

Tensor Dropout2d::forward(const Tensor& x) {
  if (x.rank() != 4) {
    throw ShapeError(fmt::format("{}: input must be [n, c, h, w]: got {}", label(), to_string(x.shape())));
  }
  if (!is_training() || p_ == 0) return alias(x);
  return keep(x, bernoulli({x.size(0), x.size(1), 1, 1}, 1 - p_, stream), p_);
}

}  // namespace xtgrad::v1::nn
