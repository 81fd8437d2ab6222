#include "xtgrad/autograd/emit/groups.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

const TextOf& checked_text(const ProgramSteps& program, const ProgramStep& step, std::size_t number,
                           std::string_view caller) {
  const TextOf* text = text_of(*step);
  const std::string why = text == nullptr            ? ""
                          : text->refusal == nullptr ? std::string()
                                                     : text->refusal(StepView(step));
  if (text == nullptr || !why.empty()) {
    throw Error(fmt::format("{}: {}{}{} has no C++ text yet: step {} is {}", caller, (*step).name(),
                            why.empty() ? "" : " ", why, number, step_text(program, step)));
  }
  for (const auto* operands : {&step.inputs, &step.outputs}) {
    for (const ProgramOperand& operand : *operands) {
      if (operand.spec.shape.numel() <= std::numeric_limits<std::int32_t>::max()) continue;
      throw Error(fmt::format("{}: more than 2^31 - 1 elements: step {} is {}", caller, number,
                              step_text(program, step)));
    }
  }
  return *text;
}

/// Whether an operand is neither one element for all nor an element for each.
bool broadcasts(const Spec& operand, std::int64_t elements) {
  const std::int64_t n = operand.shape.numel();
  return n != 1 && n != elements;
}

bool is_list(const TextOf& text, std::size_t k) { return (text.lists >> k & 1U) != 0; }

/// Whether the group makes a value.
bool makes(const ProgramSteps& program, const StepGroup& group, ValueIndex value) {
  for (std::size_t s = group.begin; s < group.end; ++s) {
    for (const ProgramOperand& output : program.steps[s].outputs) {
      if (output.value == value) return true;
    }
  }
  return false;
}

StepGroup alone(const StepView& step, const TextOf& text, std::size_t number) {
  StepGroup group{.begin = number, .end = number + 1, .is_whole = text.writes_whole()};
  group.refuses = text.refuses;
  for (std::size_t k = step.outputs(); k-- > 0;) {
    if (step.has_out(k)) group.elements = step.out(k).shape.numel();
  }
  if (group.is_whole) return group;
  for (std::size_t k = 0; k < step.inputs(); ++k) {
    if (is_list(text, k) || !broadcasts(step.in(k), group.elements)) continue;
    for (std::size_t o = 0; o < step.outputs(); ++o) {
      if (step.has_out(o)) group.shape = step.out(o).shape;
    }
  }
  return group;
}

/// Whether a step can be written in the group's loop.
bool joins(const ProgramSteps& program, const StepGroup& group, const StepGroup& next, const TextOf& text) {
  if (group.is_whole || next.is_whole || group.elements != next.elements) return false;
  if (group.shape && next.shape && !(*group.shape == *next.shape)) return false;
  const ProgramStep& step = program.steps[next.begin];
  for (std::size_t k = 0; k < step.inputs.size(); ++k) {
    const bool is_element = !is_list(text, k) && step.inputs[k].spec.shape.numel() == group.elements;
    if (!is_element && makes(program, group, step.inputs[k].value)) return false;
  }
  return true;
}

}  // namespace

std::vector<StepGroup> grouped(const ProgramSteps& program, std::string_view caller) {
  std::vector<StepGroup> groups;
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    const ProgramStep& step = program.steps[s];
    const TextOf& text = checked_text(program, step, s, caller);
    StepGroup next = alone(StepView(step), text, s);
    if (!groups.empty() && joins(program, groups.back(), next, text)) {
      StepGroup& group = groups.back();
      group.end = next.end;
      group.refuses = group.refuses || next.refuses;
      if (next.shape) group.shape = next.shape;
    } else {
      groups.push_back(std::move(next));
    }
  }
  return groups;
}

}  // namespace xtgrad::v1::detail
