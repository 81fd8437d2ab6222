#include "xtgrad/training/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/training/run_batch.h"

namespace xtgrad::inline v1::training {

namespace {

thread_local constinit EvalMode* innermost = nullptr;

}  // namespace

EvalMode::EvalMode(nn::ModuleBase& model) : outer_(nullptr) {
  class Find final : public nn::Members {
   public:
    explicit Find(std::vector<Mode>& modes) : modes_(modes) {}
    void on_object(const std::string&, nn::Stateful& object) override {
      if (auto* module = dynamic_cast<nn::ModuleBase*>(&object))
        modes_.push_back({module, module->is_training()});
    }

   private:
    std::vector<Mode>& modes_;
  };
  Find(modes_).visit(model);
  model.eval();
  outer_ = std::exchange(innermost, this);
}

EvalMode::~EvalMode() {
  EvalMode** at = &innermost;
  while (*at != nullptr && *at != this) at = &(*at)->outer_;
  if (*at != nullptr) *at = outer_;
  // A module that a later scope has found in use stays so: that scope puts back what this one would have.
  for (Mode& mine : modes_) {
    Mode* next = nullptr;
    for (EvalMode* inner = innermost; inner != outer_; inner = inner->outer_) {
      const auto its = std::find_if(inner->modes_.begin(), inner->modes_.end(),
                                    [&](const Mode& mode) { return mode.module == mine.module; });
      if (its != inner->modes_.end()) next = &*its;
    }
    if (next != nullptr) next->training = std::exchange(mine.training, mine.module->is_training());
  }
  // Outer modules come first, and take their parts with them, which come later.
  for (const Mode& mode : modes_) mode.module->train(mode.training);
}

Tensor predict(nn::Module& model, const Tensor& inputs, const PredictOptions& options) {
  nn::detail::check_option("predict", "batch_size", options.batch_size, 1);
  if (!inputs.defined()) throw ValueError("predict: inputs: the handle is empty");
  if (inputs.rank() == 0 || inputs.size(0) == 0) {
    throw ShapeError(fmt::format("predict: inputs must be samples [n, ...], at least one: got {}",
                                 to_string(inputs.shape())));
  }
  const NoGrad no_grad;
  const EvalMode eval(model);
  const std::int64_t n = inputs.size(0);
  std::vector<Tensor> parts;
  for (std::int64_t first = 0; first < n; first += options.batch_size) {
    parts.push_back(model(slice(inputs, {.start = first, .stop = std::min(first + options.batch_size, n)})));
    if (!parts.back().defined())
      throw GraphError(fmt::format("predict: the {} returned an empty handle", model.type_name()));
  }
  return parts.size() == 1 ? parts[0] : concat(parts);
}

std::vector<NamedValue> evaluate(nn::Module& model, const Loss& loss, const datasets::Loader& loader,
                                 const std::vector<std::shared_ptr<Metric>>& metrics) {
  return evaluate(model, detail::loss_of_outputs(model, loss), loader, metrics);
}

std::vector<NamedValue> evaluate(nn::ModuleBase& model, const BatchLoss& loss, const datasets::Loader& loader,
                                 const std::vector<std::shared_ptr<Metric>>& metrics) {
  return detail::evaluate(model, loss, loader, metrics, {});
}

std::vector<NamedValue> detail::evaluate(nn::ModuleBase& model, const BatchLoss& loss,
                                         datasets::Loader loader,
                                         const std::vector<std::shared_ptr<Metric>>& metrics,
                                         const std::function<void()>& before_batch) {
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (metrics[i] == nullptr) {
      throw ValueError(fmt::format("evaluate: metric {} of {} is null", i, metrics.size()));
    }
  }
  detail::check_outputs("evaluate", loss, metrics.size());
  for (const auto& metric : metrics) metric->reset();
  const NoGrad no_grad;
  const EvalMode eval(model);
  double sum = 0;
  double samples = 0;
  for (const datasets::Batch& batch : loader) {
    if (before_batch) before_batch();
    const BatchResult result = detail::run_batch("evaluate", loss, batch, metrics.size());
    const auto n = static_cast<double>(batch.inputs.size(0));
    sum += result.loss.item() * n;
    samples += n;
    for (const auto& metric : metrics) metric->update(result.outputs, result.labels);
  }
  std::vector<NamedValue> values{{"loss", sum / samples}};
  for (const auto& metric : metrics) values.push_back({metric->name(), metric->value()});
  return values;
}

}  // namespace xtgrad::v1::training
