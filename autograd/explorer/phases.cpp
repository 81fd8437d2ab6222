#include "xtgrad/autograd/explorer/phases.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace xtgrad::inline v1::detail {
namespace {

/// By name, outside of modules, which count batches, too: nothing else says that a step is an optimizer's.
bool is_of_optimizer(const ProgramRun::Step& step) {
  const std::string_view operation = step.operation;
  if (!step.module.empty()) return false;
  static constexpr std::array<std::string_view, 5> others{"grad_norm", "clip_factor", "clip_scale",
                                                          "clip_value", "advance_counter"};
  return operation.ends_with("_step") || operation.ends_with("_rates") ||
         std::find(others.begin(), others.end(), operation) != others.end();
}

}  // namespace

std::vector<std::string_view> phases_of(const ProgramRun& run) {
  std::vector<char> is_cotangent(run.values.size(), 0);
  for (const ProgramRun::Value& value : run.values) {
    if (value.cotangent) is_cotangent[*value.cotangent] = 1;
  }
  std::vector<std::string_view> phases;
  for (const ProgramRun::Step& step : run.steps) {
    // A sweep adds up cotangents outside of all rules.
    const bool makes_cotangent =
        std::any_of(step.outputs.begin(), step.outputs.end(),
                    [&](const auto& output) { return is_cotangent[output.value] != 0; });
    phases.push_back(is_of_optimizer(step)                   ? "optimizer"
                     : !step.rule.empty() || makes_cotangent ? "backward"
                                                             : "forward");
  }
  return phases;
}

}  // namespace xtgrad::v1::detail
