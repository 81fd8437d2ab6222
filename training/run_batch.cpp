#include "xtgrad/training/run_batch.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::training::detail {

BatchLoss loss_of_outputs(nn::Module& model, Loss loss) {
  return [&model, loss = std::move(loss)](const datasets::Batch& batch) {
    BatchResult result{.loss = {}, .outputs = model(batch.inputs), .labels = batch.labels};
    result.loss = loss(result.outputs, result.labels);
    return result;
  };
}

void check_outputs(std::string_view function, const BatchLoss& loss, std::size_t metrics) {
  if (metrics == 0 || loss.has_outputs()) return;
  throw ValueError(fmt::format(
      "{}: metrics look at outputs, which the loss must return with itself, as a BatchResult: got {} metrics "
      "for a loss alone",
      function, metrics));
}

BatchResult run_batch(std::string_view function, const BatchLoss& loss, const datasets::Batch& batch,
                      std::size_t metrics) {
  BatchResult result = loss(batch);
  if (!result.loss.defined()) {
    throw ValueError(fmt::format("{}: the loss must have one element: got an empty handle", function));
  }
  if (result.loss.numel() != 1) {
    throw ShapeError(
        fmt::format("{}: the loss must have one element: got {}", function, to_string(result.loss.shape())));
  }
  if (metrics > 0 && !result.outputs.defined()) {
    throw ValueError(
        fmt::format("{}: metrics look at outputs: got {} metrics, and an empty handle for the "
                    "outputs of a batch",
                    function, metrics));
  }
  // Detached: a model may have computed them, and metrics would keep its graph.
  result.labels = result.labels.defined() ? result.labels.detach() : batch.labels;
  return result;
}

}  // namespace xtgrad::v1::training::detail
