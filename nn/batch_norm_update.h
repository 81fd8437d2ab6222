#pragma once

#include <optional>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/batch_norm.h"
#include "xtgrad/nn/module_base.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace nn {

/// Takes a model's batch statistics anew, for weights that no forward has seen, such as averaged ones. While
/// it lives, the model is in training mode, and every batch that goes through it counts alike in running
/// statistics that have forgotten what was before; at its end modes and momenta are what they were. If none
/// comes through, the statistics are those of a new model.
///
///   {
///     const nn::BatchNormUpdate update(model);
///     const NoGrad no_grad;
///     for (const auto& batch : loader) model(batch.x);
///   }
class BatchNormUpdate {
 public:
  /// Where it throws, std::bad_alloc or what the model's `members` throws, the model is as it was.
  explicit BatchNormUpdate(ModuleBase& model);
  ~BatchNormUpdate();
  BatchNormUpdate(const BatchNormUpdate&) = delete;
  BatchNormUpdate& operator=(const BatchNormUpdate&) = delete;

 private:
  void put_back() noexcept;

  struct Norm {
    BatchNorm* module;
    std::optional<double> momentum;
    Tensor mean;  // the statistics before
    Tensor variance;
    Counter batches;
  };
  struct Mode {
    ModuleBase* module;
    bool training;
  };
  std::vector<Norm> norms_;
  std::vector<Mode> modes_;
};

}}}  // namespace xtgrad::v1::nn
