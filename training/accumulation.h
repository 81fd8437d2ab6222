#pragma once

#include <cstdint>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/optimizer.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct GradientAccumulationOptions {
  std::int64_t batches = nn::required;  ///< to a step, at least 1
  /// Called before each step, when the gradients are those of all its batches, for instance to clip them.
  Callable<void()> before_step = {};
};

/// Makes one optimizer's step of several batches, the same as of one that holds all their samples, where
/// memory has no room for that one. Each loss is a mean over its samples; the batches weigh by their numbers
/// of them, so that a smaller last batch is right, too. Gradients differ from those of the one batch by the
/// rounding of sums alone, and where these are exact and the number of samples is a power of two, not at all.
/// Batch normalisation has the statistics of each batch, and other draws of dropout are other numbers.
///
///   training::GradientAccumulation accumulation(adam, {.batches = 4});
///   for (auto& [x, y] : loader) accumulation.backward(nn::cross_entropy(model(x), y), x.size(0));
///   accumulation.finish();
///
/// With one batch to a step it does what a loop without it does, to the same bits.
class GradientAccumulation {
 public:
  /// The optimizer must outlive it. Throws ValueError for fewer than one batch.
  GradientAccumulation(optim::Optimizer& optimizer, GradientAccumulationOptions options);

  /// Clears the gradients if a step begins here, adds those of `loss`, and makes the step if it is complete:
  /// true then. `weight` is what the loss's mean divided by: the number of samples, or the sum of their
  /// weights. Throws ValueError, and adds nothing, unless it is finite and positive.
  bool backward(const Tensor& loss, double weight);
  bool backward(const Tensor& loss, std::int64_t samples) {
    return backward(loss, static_cast<double>(samples));
  }
  /// Makes the step of the batches that wait for more, if there are any: true then.
  bool finish();
  /// Forgets those batches.
  void reset();
  /// Batches that wait for more.
  [[nodiscard]] std::int64_t waiting() const { return waiting_; }

 private:
  void step();

  optim::Optimizer& optimizer_;
  GradientAccumulationOptions options_;
  std::int64_t waiting_ = 0;
  double weight_ = 0;  // of those
};

}}}  // namespace xtgrad::v1::training
