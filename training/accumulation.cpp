#include "xtgrad/training/accumulation.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::training {

GradientAccumulation::GradientAccumulation(optim::Optimizer& optimizer, GradientAccumulationOptions options)
    : optimizer_(optimizer), options_(std::move(options)) {
  nn::detail::check_option("GradientAccumulation", "batches", options_.batches, 1);
}

bool GradientAccumulation::backward(const Tensor& loss, double weight) {
  if (!(weight > 0) || !std::isfinite(weight)) {
    throw ValueError(fmt::format("GradientAccumulation: weight must be finite and positive: got {}", weight));
  }
  if (waiting_ == 0) optimizer_.zero_grad();
  // Of a mean times its number of samples, a sum: only the sum of all is divided.
  (options_.batches == 1 ? loss : loss * weight).backward();
  ++waiting_;
  weight_ += weight;
  if (waiting_ < options_.batches) return false;
  step();
  return true;
}

bool GradientAccumulation::finish() {
  if (waiting_ == 0) return false;
  step();
  return true;
}

void GradientAccumulation::reset() {
  waiting_ = 0;
  weight_ = 0;
}

void GradientAccumulation::step() {
  if (options_.batches > 1) {
    const NoGrad no_grad;
    for (const nn::ParameterRef& parameter : optimizer_.parameters()) {
      if (const Tensor gradient = parameter->grad(); gradient.defined())
        parameter->set_grad(gradient / weight_);
    }
  }
  reset();
  if (options_.before_step) options_.before_step();
  optimizer_.step();
}

}  // namespace xtgrad::v1::training
