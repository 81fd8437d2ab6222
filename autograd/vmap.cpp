#include "xtgrad/autograd/vmap.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "xtgrad/autograd/batched_call.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::detail {
namespace {

void check_axes(std::string_view option, std::size_t given, std::string_view what, std::size_t needed) {
  if (given <= 1 || given == needed) return;
  throw ValueError(fmt::format("vmap: {} has {} entries, the function has {} {}; one stands for all", option,
                               given, needed, what));
}

/// Entry i of a list that may have one for all, or none.
template <class T>
T entry_of(const std::vector<T>& all, std::size_t i) {
  if (all.empty()) return T(0);
  return all.size() == 1 ? all[0] : all[i];
}

struct Batch {
  std::vector<BatchInput> inputs;
  std::int64_t size = 0;
};

/// The inputs with their examples along axis 0.
Batch batch_of(std::span<const Tensor> inputs, const VmapOptions& options) {
  check_axes("in_axes", options.in_axes.size(), "inputs", inputs.size());
  Batch batch;
  std::size_t first = inputs.size();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) throw ValueError(fmt::format("vmap: input {} is an empty handle", i));
    const std::optional<std::int64_t> axis = entry_of(options.in_axes, i);
    if (!axis) {
      batch.inputs.push_back({inputs[i], false});
      continue;
    }
    if (inputs[i].rank() == 0) {
      throw ShapeError(
          fmt::format("vmap: input {} is 0-d and has no axis of examples; not_batched in in_axes makes it "
                      "the same for all",
                      i));
    }
    const std::int64_t size =
        inputs[i].size(static_cast<std::int64_t>(normalize_axis("vmap", *axis, inputs[i].rank())));
    if (first == inputs.size()) {
      first = i;
      batch.size = size;
    } else if (size != batch.size) {
      throw ShapeError(
          fmt::format("vmap: input {} has {} examples, input {} has {}", first, batch.size, i, size));
    }
    batch.inputs.push_back({*axis == 0 ? inputs[i] : movedim(inputs[i], *axis, 0), true});
  }
  if (first == inputs.size()) {
    throw ValueError(
        "vmap: no input is batched, so there is no number of examples; call the function itself");
  }
  return batch;
}

/// An output with its axis of examples where it was asked for.
Tensor placed(const BatchInput& output, std::int64_t size, std::int64_t axis) {
  Tensor result = output.tensor;
  if (!output.is_batched) {
    if (result.rank() == Shape::max_rank) {
      throw ShapeError(fmt::format("vmap: an output of shape {} for each example would have {} dimensions",
                                   to_string(result.shape()), result.rank() + 1));
    }
    Shape shape{size};
    for (const std::int64_t each : result.shape()) shape.push_back(each);
    result = broadcast_to(result, shape);
  }
  return normalize_axis("vmap", axis, result.rank()) == 0 ? result : movedim(result, 0, axis);
}

}  // namespace

std::vector<Tensor> call_vmap(const TensorFunction& f, std::span<const Tensor> inputs,
                              const VmapOptions& options) {
  const Batch batch = batch_of(inputs, options);
  const BatchedCall call("vmap", f, batch.inputs, batch.size, ExampleGuard::Refusal::throws);
  const std::vector<BatchInput> results = call.run(batch.inputs, batch.size);
  check_axes("out_axes", options.out_axes.size(), "outputs", results.size());
  std::vector<Tensor> outputs;
  for (std::size_t k = 0; k < results.size(); ++k)
    outputs.push_back(placed(results[k], batch.size, entry_of(options.out_axes, k)));
  return outputs;
}

Tensor only_output(std::vector<Tensor> outputs) {
  if (outputs.size() != 1)
    throw ValueError(fmt::format("vmap: the function returned {} tensors, not one", outputs.size()));
  return std::move(outputs[0]);
}

}  // namespace xtgrad::v1::detail
