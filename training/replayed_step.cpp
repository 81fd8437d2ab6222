#include "xtgrad/training/replayed_step.h"

#include <tuple>
#include <utility>

#include "xtgrad/autograd/random.h"
#include "xtgrad/optim/clip.h"
#include "xtgrad/training/run_batch.h"

namespace xtgrad::inline v1::training::detail {
namespace {

std::vector<Tensor> tensors_of(const datasets::Batch& batch) {
  std::vector<Tensor> tensors{batch.inputs, batch.labels};
  tensors.insert(tensors.end(), batch.others.begin(), batch.others.end());
  return tensors;
}

datasets::Batch batch_of(const std::vector<Tensor>& tensors) {
  return {.inputs = tensors[0], .labels = tensors[1], .others = {tensors.begin() + 2, tensors.end()}};
}

}  // namespace

ReplayedStep::ReplayedStep(nn::ModuleBase& model, const BatchLoss& loss, optim::Optimizer& optimizer,
                           std::optional<double> clip_norm, std::size_t metrics)
    : model_(model), loss_(loss), optimizer_(optimizer), clip_norm_(clip_norm), metrics_(metrics) {}

std::vector<CapturedState> ReplayedStep::state() const { return {&model_, &optimizer_, &default_random()}; }

BatchResult ReplayedStep::backward(const datasets::Batch& batch) {
  if (!backward_) {
    const auto f = [this](const Tensors& tensors) -> Tensors {
      BatchResult result = run_batch("Trainer", loss_, batch_of(tensors), metrics_);
      optimizer_.zero_grad();
      result.loss.backward();
      return {result.loss.detach(), metrics_ == 0 ? Tensor() : result.outputs.detach(), result.labels};
    };
    backward_.emplace(capture(f, tensors_of(batch), state(), {.other_shapes = OtherShapes::capture}));
  }
  Tensors results = (*backward_)(tensors_of(batch));
  return {.loss = std::move(results[0]), .outputs = std::move(results[1]), .labels = std::move(results[2])};
}

void ReplayedStep::step() {
  if (!step_) {
    const auto f = [this] {
      if (clip_norm_) optim::clip_grad_norm(optimizer_.parameters(), *clip_norm_);
      optimizer_.step();
    };
    step_.emplace(capture(f, std::tuple<>(), state()));
  }
  (*step_)();
}

}  // namespace xtgrad::v1::training::detail
