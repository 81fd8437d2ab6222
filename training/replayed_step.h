#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/module_base.h"
#include "xtgrad/optim/optimizer.h"
#include "xtgrad/training/batch_loss.h"

namespace xtgrad::inline v1::training::detail {

/// A trainer's step of one batch as two programs: the loss with its gradients, and the optimizer's step. In
/// between the trainer looks at the loss. Captured at the first batch, and anew for batches of other shapes.
class ReplayedStep {
 public:
  /// All must outlive it.
  ReplayedStep(nn::ModuleBase& model, const BatchLoss& loss, optim::Optimizer& optimizer,
               std::optional<double> clip_norm, std::size_t metrics);

  /// Clears the gradients, and leaves those of the batch. Throws as `run_batch`, and as `capture` where the
  /// model or the loss cannot be captured.
  [[nodiscard]] BatchResult backward(const datasets::Batch& batch);
  /// Clips, if that was asked for, and makes the step.
  void step();

 private:
  using Tensors = std::vector<Tensor>;

  [[nodiscard]] std::vector<CapturedState> state() const;

  nn::ModuleBase& model_;
  const BatchLoss& loss_;
  optim::Optimizer& optimizer_;
  std::optional<double> clip_norm_;
  std::size_t metrics_;
  std::optional<Captured<Tensors, Tensors>> backward_;
  std::optional<Captured<void>> step_;
};

}  // namespace xtgrad::v1::training::detail
