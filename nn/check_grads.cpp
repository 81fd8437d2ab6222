#include "xtgrad/nn/check_grads.h"

#include <utility>

#include "xtgrad/nn/listing.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// A module as a function of its input and its parameters, and what the check must know about it.
struct Function {
  Function(Module& module, const Tensor& x, CheckGradsOptions given) : options(std::move(given)) {
    module.to(float64);
    inputs.push_back(x);
    options.input_names = {"input"};
    for (NamedParameter& named : module.named_parameters()) {
      inputs.push_back(named.parameter->tensor());
      options.input_names.push_back(std::move(named.name));
      parameters.push_back(std::move(named.parameter));
    }
    if (options.name == CheckGradsOptions{}.name) options.name = module.type_name();
  }

  std::vector<Tensor> inputs;
  std::vector<ParameterRef> parameters;
  CheckGradsOptions options;
};

/// Calls `check(f, inputs, options)` with the module as f.
template <class Check>
auto with_function(Module& module, const Tensor& x, CheckGradsOptions given, Check check) {
  Function function(module, x, std::move(given));
  const StateSnapshot state(module);
  function.options.before_evaluation = [&state, users = std::move(function.options.before_evaluation)] {
    state.restore();
    if (users) users();
  };
  const auto f = [&](std::span<const Tensor> inputs) -> std::vector<Tensor> {
    const WithParameters scope(function.parameters, inputs.subspan(1));
    return {module(inputs[0])};
  };
  return check(f, function.inputs, function.options);
}

}  // namespace

CheckGradsReport check_copy(Module& copy, const Tensor& x, CheckGradsOptions options) {
  return with_function(copy, x, std::move(options),
                       [](const TensorFunction& f, const auto& inputs, const auto& with) {
                         return xtgrad::check_grads(f, inputs, with);
                       });
}

void require_copy(Module& copy, const Tensor& x, CheckGradsOptions options) {
  with_function(copy, x, std::move(options),
                [](const TensorFunction& f, const auto& inputs, const auto& with) {
                  xtgrad::require_grads(f, inputs, with);
                });
}

}  // namespace xtgrad::inline v1::nn::detail
