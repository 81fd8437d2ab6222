#include "xtgrad/training/accumulation.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

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
    const std::vector<nn::ParameterRef> parameters = optimizer_.parameters();
    std::vector<Tensor> means;
    means.reserve(parameters.size());
    for (const nn::ParameterRef& parameter : parameters) {
      const Tensor sum = parameter->grad();
      means.push_back(sum.defined() ? sum / weight_ : Tensor());
    }
    // All of them, or none: sums and means side by side would be a gradient of nothing.
    for (std::size_t i = 0; i < means.size(); ++i) {
      if (means[i].defined()) parameters[i]->set_grad(means[i]);
    }
  }
  reset();
  if (options_.before_step) options_.before_step();
  optimizer_.step();
}

}  // namespace xtgrad::v1::training
