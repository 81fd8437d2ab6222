#include "xtgrad/autograd/grad.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/core/recording.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/sweep/sweep.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

void check_floating(std::string_view function, std::string_view what, std::size_t i, const Tensor& x) {
  if (is_floating(x.dtype())) return;
  throw DtypeError(
      fmt::format("{}: {} {} must be float32 or float64: got {}", function, what, i, to_string(x.dtype())));
}

Tensor seed_cotangent(std::string_view function, const Tensor& output, const std::vector<Tensor>& cotangents,
                      std::size_t i) {
  if (!output.requires_grad()) {
    check_floating(function, "output", i, output);
    throw GraphError(fmt::format(
        "{}: output {} was not computed from a tensor that requires a gradient, or was computed "
        "under NoGrad. If it was computed from gradients: these can be differentiated if the grad "
        "or backward that found them is passed {{.create_graph = true}}",
        function, i));
  }
  if (i < cotangents.size() && cotangents[i].defined()) {
    const Tensor& given = cotangents[i];
    if (given.shape() != output.shape()) {
      throw ShapeError(fmt::format("{}: the cotangent of output {} has shape {}, the output has {}", function,
                                   i, to_string(given.shape()), to_string(output.shape())));
    }
    if (given.dtype() != output.dtype()) {
      throw DtypeError(fmt::format("{}: the cotangent of output {} is {}, the output is {}", function, i,
                                   to_string(given.dtype()), to_string(output.dtype())));
    }
    return given;
  }
  if (output.numel() != 1) {
    throw ShapeError(
        fmt::format("{}: output {} has shape {}, and only one element has an obvious cotangent; give "
                    "one of that shape, or reduce the output first",
                    function, i, to_string(output.shape())));
  }
  return ones_like(output);
}

void check_cotangent_count(std::string_view function, std::size_t outputs, const GradOptions& options) {
  if (!options.cotangents.empty() && options.cotangents.size() != outputs) {
    throw ValueError(
        fmt::format("{}: got {} cotangents for {} outputs", function, options.cotangents.size(), outputs));
  }
}

}}  // namespace detail

std::vector<Tensor> grad(const TensorList& outputs, const TensorList& inputs, const GradOptions& options) {
  using namespace detail;
  check_cotangent_count("grad", outputs.size(), options);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) {
      check_floating("grad", "input", i, inputs[i]);
      throw GraphError(
          fmt::format("grad: input {} does not require a gradient; call set_requires_grad() on it "
                      "before computing with it",
                      i));
    }
  }
  const SweepInputs positions(inputs.tensors());
  std::vector<Tensor> gradients(inputs.size());
  {
    Sweep sweep("grad", options.keep_graph, options.create_graph);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      sweep.seed(outputs[i], seed_cotangent("grad", outputs[i], options.cotangents, i));
    }
    const std::span<const Tensor> found = sweep.to_inputs(positions);
    for (std::size_t i = 0; i < inputs.size(); ++i) gradients[i] = found[positions.position(i)];
    // What is another's, too, a given cotangent or another input's gradient, gets a tensor of its own. The
    // sweep and the list have a handle each.
    for (Tensor& gradient : gradients) {
      if (gradient.defined() && node_of(gradient).values.load() > 2) gradient = alias(gradient);
    }
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (gradients[i].defined()) continue;
    if (options.materialize_grads) {
      gradients[i] = zeros_like(inputs[i]).set_requires_grad(options.create_graph);
    } else if (!options.allow_unused) {
      throw GraphError(fmt::format(
          "grad: no gradient reaches input {}: no output was computed from it by a differentiable "
          "way; pass {{.materialize_grads = true}} for zeros, or {{.allow_unused = true}} for an "
          "empty handle",
          i));
    }
  }
  return gradients;
}

void backward(const TensorList& outputs, const GradOptions& options) {
  using namespace detail;
  check_cotangent_count("backward", outputs.size(), options);
  Sweep sweep("backward", options.keep_graph, options.create_graph);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    sweep.seed(outputs[i], seed_cotangent("backward", outputs[i], options.cotangents, i));
  }
  sweep.to_leaves();
}

bool is_recording() { return detail::thread_state.records(); }

NoGrad::NoGrad() : scope_(detail::begin_recording_scope(false)) {}
NoGrad::~NoGrad() { detail::end_recording_scope(scope_); }
EnableGrad::EnableGrad() : scope_(detail::begin_recording_scope(true)) {}
EnableGrad::~EnableGrad() { detail::end_recording_scope(scope_); }

}  // namespace xtgrad::v1
