#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/module.h"
#include "xtgrad/nn/module_base.h"
#include "xtgrad/training/batch_loss.h"
#include "xtgrad/training/loss.h"
#include "xtgrad/training/metric.h"
#include "xtgrad/training/named_value.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// While it lives, a model behaves as in use: dropout is off, and batch normalisation has its running
/// statistics. At its end every part of the model has the mode that it had before, or
/// keeps that of another EvalMode of this thread that still lives. They end on the thread where they began,
/// in any order.
class EvalMode {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] explicit EvalMode(
      nn::ModuleBase& model);
  ~EvalMode();
  EvalMode(const EvalMode&) = delete;
  EvalMode& operator=(const EvalMode&) = delete;

 private:
  struct Mode {
    nn::ModuleBase* module;
    bool training;
  };
  std::vector<Mode> modes_;
  EvalMode* outer_;  // of this thread's, as they began
};

struct PredictOptions {
  /// All at once, the feature maps of 10,000 images would take half a gigabyte.
  std::int64_t batch_size = 500;
};

/// The model's outputs for inputs [n, ...], as in use; records nothing. Throws ShapeError for no samples, and
/// ValueError for a batch size below 1.
[[nodiscard]] Tensor predict(nn::Module& model, const Tensor& inputs, const PredictOptions& options = {});

/// Mean loss over all samples of one pass, called "loss", and the metrics over them, by their names: the
/// model as in use; records nothing. The metrics are reset before and keep what they came to. Without samples
/// the loss is NaN. Throws ValueError for a null pointer among the metrics.
///
///   auto values = training::evaluate(model, nn::cross_entropy, datasets::Loader(test),
///                                    {{std::make_shared<training::Accuracy>()}});
std::vector<NamedValue> evaluate(nn::Module& model, const Loss& loss, const datasets::Loader& loader,
                                 const std::vector<std::shared_ptr<Metric>>& metrics = {});
/// The same for a loss of batches of any number of tensors, which runs `model`, of any signature. Throws
/// ValueError, too, for metrics where the loss gives no outputs.
std::vector<NamedValue> evaluate(nn::ModuleBase& model, const BatchLoss& loss, const datasets::Loader& loader,
                                 const std::vector<std::shared_ptr<Metric>>& metrics = {});

namespace detail {

/// The second, which calls `before_batch`, if there is one, before it runs each batch.
std::vector<NamedValue> evaluate(nn::ModuleBase& model, const BatchLoss& loss, datasets::Loader loader,
                                 const std::vector<std::shared_ptr<Metric>>& metrics,
                                 const std::function<void()>& before_batch);

}  // namespace detail

}}}  // namespace xtgrad::v1::training
