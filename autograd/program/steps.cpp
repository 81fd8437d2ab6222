#include "xtgrad/autograd/program/steps.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/program/fused.h"
#include "xtgrad/autograd/program/fused_rows.h"
#include "xtgrad/autograd/program/scalar_block.h"

namespace xtgrad::inline v1::detail {
namespace {

ProgramOperand operand_of(const TracedOperand& traced) {
  if (traced.value == TracedOperand::none) return {};
  return {static_cast<ValueIndex>(traced.value), traced.spec};
}

std::vector<ProgramOperand> operands_of(const std::vector<TracedOperand>& traced) {
  std::vector<ProgramOperand> operands;
  operands.reserve(traced.size());
  for (const TracedOperand& each : traced) operands.push_back(operand_of(each));
  return operands;
}

/// False for a reshape and its like, which make nothing.
bool makes_something(const TracedStep& step) {
  for (std::size_t k = 0; k < step.outputs.size(); ++k) {
    if (step.outputs[k].value != TracedOperand::none && step.primitive->alias_of(static_cast<int>(k)) < 0)
      return true;
  }
  return false;
}

std::string spec_text(const Spec& spec) {
  return fmt::format("{}{}", to_string(spec.dtype), to_string(spec.shape));
}

std::string names_of(const ProgramSteps& program, const std::vector<ProgramOperand>& operands) {
  std::string list;
  for (const ProgramOperand& operand : operands) {
    if (!list.empty()) list += ", ";
    list += name_of(program, operand);
  }
  return list;
}

/// What a step that is several does, a line each; what it hands on is "t0", "t1" and so on.
template <class Inner>
std::string inner_text(const ProgramSteps& program, const ProgramStep& step,
                       const std::vector<Inner>& steps) {
  const auto name = [&](std::size_t place) {
    if (place < step.inputs.size()) return name_of(program, step.inputs[place]);
    place -= step.inputs.size();
    if (place < step.outputs.size()) return name_of(program, step.outputs[place]);
    return fmt::format("t{}", place - step.outputs.size());
  };
  std::string text;
  for (const Inner& inner : steps) {
    const std::string attributes = attribute_text(**inner.primitive);
    std::string operands;
    for (const std::uint32_t operand : inner.operands)
      operands += (operands.empty() ? "" : ", ") + name(operand);
    text += fmt::format("  {} = {}{}({})\n", name(inner.result), (*inner.primitive)->name(),
                        attributes.empty() ? "" : "[" + attributes + "]", operands);
  }
  return text;
}

std::string declared(const ProgramSteps& program, const ProgramOperand& operand) {
  return fmt::format("{}:{}", name_of(program, operand), spec_text(operand.spec));
}

}  // namespace

std::string name_of(const ProgramSteps& program, const ProgramOperand& operand) {
  if (operand.value == no_value) return "_";
  const ProgramValue& value = program.values[operand.value];
  std::string name = value.name.empty() ? fmt::format("%{}", operand.value) : value.name;
  if (!same_spec(value.spec, operand.spec)) name += to_string(operand.spec.shape);
  return name;
}

std::size_t steps_in(const ProgramStep& step) {
  if (const auto* const fused = dynamic_cast<const Fused*>(&*step)) return fused->steps().steps.size();
  if (const auto* const rows = dynamic_cast<const FusedRows*>(&*step)) return rows->steps().steps.size();
  if (const auto* const block = dynamic_cast<const ScalarBlock*>(&*step)) return block->code().steps;
  return 1;
}

std::string step_text(const ProgramSteps& program, const ProgramStep& step) {
  // Of what is several in one, the attributes are its lines.
  const std::string attributes = steps_in(step) > 1 ? std::string() : attribute_text(*step);
  std::string made;
  for (const ProgramOperand& output : step.outputs) {
    if (!made.empty()) made += ", ";
    made += output.value == no_value ? "_" : declared(program, output);
  }
  return fmt::format("{} = {}{}({})", made, (*step).name(), attributes.empty() ? "" : "[" + attributes + "]",
                     names_of(program, step.inputs));
}

ProgramSteps steps_of(Trace&& trace, const TracedRoles& roles, TracedOrigins&& origins) {
  ProgramSteps program;
  program.values.resize(trace.values.size());
  for (std::size_t i = 0; i < trace.values.size(); ++i) {
    TracedValue& traced = trace.values[i];
    ProgramValue& value = program.values[i];
    value.bytes = traced.bytes;
    if (traced.is_made) continue;
    value.source = ProgramValue::Source::constant;
    value.elements = std::move(traced.buffer);
  }
  const auto declare = [&](const TracedOperand& operand, ProgramValue::Source source, std::string name) {
    if (operand.value == TracedOperand::none) return;
    ProgramValue& value = program.values[operand.value];
    value.source = source;
    value.name = std::move(name);
    value.spec = operand.spec;
    value.elements = {};
  };
  for (std::size_t k = 0; k < roles.inputs.size(); ++k)
    declare(roles.inputs[k], ProgramValue::Source::input, fmt::format("in{}", k));
  for (const TracedRoles::State& state : roles.state)
    declare(state.before, ProgramValue::Source::state, state.name);
  std::vector<char> has_spec(program.values.size(), 0);
  const auto see = [&](const std::vector<ProgramOperand>& operands) {
    for (const ProgramOperand& operand : operands) {
      if (operand.value == no_value || has_spec[operand.value] != 0) continue;
      has_spec[operand.value] = 1;
      ProgramValue& value = program.values[operand.value];
      if (value.name.empty()) value.spec = operand.spec;
    }
  };
  for (const auto& [value, cotangent] : origins.cotangents)
    program.values[value].cotangent = static_cast<ValueIndex>(cotangent);
  for (std::size_t s = 0; s < trace.steps.size(); ++s) {
    TracedStep& step = trace.steps[s];
    if (!makes_something(step)) continue;
    program.steps.push_back({std::make_shared<const PrimitiveCopy>(std::move(step.primitive)),
                             operands_of(step.inputs), operands_of(step.outputs),
                             std::move(origins.steps[s])});
    see(program.steps.back().inputs);
    see(program.steps.back().outputs);
  }
  program.inputs = operands_of(roles.inputs);
  program.results = operands_of(roles.results);
  for (const TracedRoles::State& state : roles.state) {
    program.state.push_back({state.name, operand_of(state.before), operand_of(state.after)});
    see({program.state.back().after});
  }
  see(program.results);
  return program;
}

std::vector<std::size_t> uses_of(const ProgramSteps& program) {
  std::vector<std::size_t> uses(program.values.size(), 0);
  for (const ProgramStep& step : program.steps) {
    for (const ProgramOperand& input : step.inputs) ++uses[input.value];
  }
  for (const ProgramOperand& result : program.results) ++uses[result.value];
  for (const ProgramState& state : program.state) {
    if (state.after.value != no_value) ++uses[state.after.value];
  }
  return uses;
}

std::string ProgramSteps::text() const {
  std::string text;
  for (const ProgramOperand& input : inputs) text += fmt::format("input {}\n", declared(*this, input));
  for (const ProgramState& each : state) {
    if (each.before.value != no_value) text += fmt::format("state {}\n", declared(*this, each.before));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].source != ProgramValue::Source::constant) continue;
    text += fmt::format("constant {}\n", declared(*this, {static_cast<ValueIndex>(i), values[i].spec}));
  }
  for (const ProgramStep& step : steps) {
    text += step_text(*this, step) + '\n';
    if (const auto* const fused = dynamic_cast<const Fused*>(&*step))
      text += inner_text(*this, step, fused->steps().steps);
    if (const auto* const rows = dynamic_cast<const FusedRows*>(&*step))
      text += inner_text(*this, step, rows->steps().steps);
    if (const auto* const block = dynamic_cast<const ScalarBlock*>(&*step)) text += block->code().text("  ");
  }
  for (const ProgramState& each : state) {
    if (each.after.value == no_value || each.after.value == each.before.value) continue;
    text += fmt::format("{} <- {}\n", each.name, name_of(*this, each.after));
  }
  return text + fmt::format("return {}\n", names_of(*this, results));
}

}  // namespace xtgrad::v1::detail
