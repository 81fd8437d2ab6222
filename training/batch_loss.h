#pragma once

#include <type_traits>
#include <utility>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/loader.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// What a batch came to, where metrics are to look at it, too.
struct BatchResult {
  Tensor loss;          ///< a mean over the samples, of one element
  Tensor outputs = {};  ///< what metrics are given, [b, ...]
  Tensor labels = {};   ///< what metrics compare them with; empty: the batch's
};

/// A loss of a whole batch, of any number of tensors, by a model of any signature: a function of the batch
/// that runs the model, and returns the loss, or a BatchResult.
///
///   training::BatchLoss plain = [&](const datasets::Batch& batch) {
///     return nn::mse_loss(model(batch.inputs, batch.others[0]), batch.labels);
///   };
///   training::BatchLoss for_metrics = [&](const datasets::Batch& batch) -> training::BatchResult {
///     Tensor scores = model(batch.inputs, batch.others[0]);
///     return {.loss = nn::cross_entropy(scores, batch.labels), .outputs = scores};
///   };
///
/// Throws ValueError for an empty function.
class BatchLoss {
 public:
  template <class F>
  requires(std::is_invocable_r_v<Tensor, F&, const datasets::Batch&> &&
           !std::is_same_v<std::remove_cvref_t<F>, BatchLoss>)
      BatchLoss(F function)  // NOLINT(google-explicit-constructor): is a loss
      : has_outputs_(false) {
    xtgrad::detail::check_function("BatchLoss", !xtgrad::detail::is_empty_function(function));
    function_ = [loss = Callable<Tensor(const datasets::Batch&)>(std::move(function))](
                    const datasets::Batch& batch) { return BatchResult{.loss = loss(batch)}; };
  }
  template <class F>
  requires(std::is_invocable_r_v<BatchResult, F&, const datasets::Batch&> &&
           !std::is_same_v<std::remove_cvref_t<F>, BatchLoss>)
      BatchLoss(F function)  // NOLINT(google-explicit-constructor): as above
      : function_(std::move(function)), has_outputs_(true) {
    xtgrad::detail::check_function("BatchLoss", static_cast<bool>(function_));
  }

  BatchResult operator()(const datasets::Batch& batch) const { return function_(batch); }
  /// Whether metrics can look at its results: it returns a BatchResult.
  [[nodiscard]] bool has_outputs() const { return has_outputs_; }

 private:
  Callable<BatchResult(const datasets::Batch&)> function_;
  bool has_outputs_;
};

}}}  // namespace xtgrad::v1::training
