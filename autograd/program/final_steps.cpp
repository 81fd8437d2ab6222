#include "xtgrad/autograd/program/final_steps.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace xtgrad::inline v1::detail {
namespace {

std::vector<char> read_by_steps(const ProgramSteps& program) {
  std::vector<char> is_read(program.values.size(), 0);
  for (const ProgramStep& step : program.steps) {
    for (const ProgramOperand& input : step.inputs) is_read[input.value] = 1;
  }
  return is_read;
}

/// How often a value is a result, or the next value of a state.
std::vector<int> ends_of(const ProgramSteps& program) {
  std::vector<int> ends(program.values.size(), 0);
  for (const ProgramOperand& result : program.results) ++ends[result.value];
  for (const ProgramState& state : program.state) {
    if (state.after.value != no_value) ++ends[state.after.value];
  }
  return ends;
}

/// Whether the step makes the state's next value and may do so over the one before.
bool writes_over(const ProgramStep& step, const ProgramState& state) {
  for (std::size_t k = 0; k < step.outputs.size(); ++k) {
    if (step.outputs[k].value != state.after.value) continue;
    const InputSet candidates = (*step).may_overwrite(static_cast<int>(k));
    std::size_t reads = 0;
    bool may = false;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      if (step.inputs[i].value != state.before.value) continue;
      ++reads;
      may = i < 32 && (candidates >> i & 1U) != 0 && same_spec(step.inputs[i].spec, step.outputs[k].spec);
    }
    return may && reads == 1 && same_spec(state.before.spec, step.outputs[k].spec);
  }
  return false;
}

}  // namespace

ProgramSteps with_final_steps_last(ProgramSteps program) {
  const std::vector<char> is_read = read_by_steps(program);
  const auto first =
      std::stable_partition(program.steps.begin(), program.steps.end(), [&](const ProgramStep& step) {
        const bool is_final =
            (*step).cannot_fail() && std::ranges::all_of(step.outputs, [&](const ProgramOperand& output) {
              return output.value == no_value || is_read[output.value] == 0;
            });
        return !is_final;
      });
  program.final_steps = static_cast<std::size_t>(program.steps.end() - first);
  return program;
}

std::vector<char> overwritten_states(const ProgramSteps& program) {
  const std::vector<int> ends = ends_of(program);
  const std::size_t first = program.steps.size() - program.final_steps;
  std::vector<char> is_overwritten(program.state.size(), 0);
  for (std::size_t i = 0; i < program.state.size(); ++i) {
    const ProgramState& state = program.state[i];
    if (state.before.value == no_value || state.after.value == no_value) continue;
    if (ends[state.before.value] != 0 || ends[state.after.value] != 1) continue;
    // Other state may be the same value only if two places share it, which they do not while it is recorded.
    for (std::size_t s = program.steps.size(); s-- > first;) {
      const ProgramStep& step = program.steps[s];
      if (writes_over(step, state)) is_overwritten[i] = 1;
      // The last step that reads it has to be the one that replaces it.
      const bool reads = std::ranges::any_of(
          step.inputs, [&](const ProgramOperand& input) { return input.value == state.before.value; });
      if (reads) break;
    }
  }
  return is_overwritten;
}

}  // namespace xtgrad::v1::detail
