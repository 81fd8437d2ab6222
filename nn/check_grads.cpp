#include "xtgrad/nn/check_grads.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/nn/listing.h"
#include "xtgrad/nn/state_snapshot.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// A module as a function of its inputs and its parameters, and what the check must know about it.
struct Function {
  Function(const ModuleFunction& f, CheckGradsOptions given) : inputs(f.inputs), options(std::move(given)) {
    f.module.to(float64);
    options.input_names.clear();
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      options.input_names.push_back(inputs.size() == 1 ? "input" : fmt::format("input {}", i));
    }
    for (NamedParameter& named : f.module.named_parameters()) {
      inputs.push_back(named.parameter->tensor());
      options.input_names.push_back(std::move(named.name));
      parameters.push_back(std::move(named.parameter));
    }
    if (options.name == CheckGradsOptions{}.name) options.name = f.module.type_name();
  }

  std::vector<Tensor> inputs;
  std::vector<ParameterRef> parameters;
  CheckGradsOptions options;
};

/// Calls `check(f, inputs, options)` with the module as f.
template <class Check>
auto with_function(const ModuleFunction& module, CheckGradsOptions given, Check check) {
  Function function(module, std::move(given));
  const StateSnapshot state(module.module);
  function.options.before_evaluation = [&state, users = std::move(function.options.before_evaluation)] {
    state.restore();
    if (users) users();
  };
  const std::size_t arguments = module.inputs.size();
  const auto f = [&](std::span<const Tensor> inputs) -> std::vector<Tensor> {
    const WithParameters scope(function.parameters, inputs.subspan(arguments));
    return module.run(inputs.first(arguments));
  };
  return check(f, function.inputs, function.options);
}

}  // namespace

CheckGradsReport check_copy(const ModuleFunction& copy, CheckGradsOptions options) {
  return with_function(copy, std::move(options),
                       [](const TensorFunction& f, const auto& inputs, const auto& with) {
                         return xtgrad::check_grads(f, inputs, with);
                       });
}

void require_copy(const ModuleFunction& copy, CheckGradsOptions options) {
  with_function(copy, std::move(options), [](const TensorFunction& f, const auto& inputs, const auto& with) {
    xtgrad::require_grads(f, inputs, with);
  });
}

}  // namespace xtgrad::v1::nn::detail
