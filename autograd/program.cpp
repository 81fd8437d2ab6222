#include "xtgrad/autograd/program.h"

#include <fmt/format.h>

#include <utility>

#include "xtgrad/autograd/program/arena_plan.h"
#include "xtgrad/autograd/program/program_graph.h"
#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1 {

std::string ProgramPlan::to_string() const {
  std::string text = fmt::format("{} steps, of {} recorded", steps, recorded_steps);
  if (fused_steps > 0) text += fmt::format("; {} of these in {} that are fused", joined_steps, fused_steps);
  text += fmt::format(
      "\narena: {} bytes for {} values of {} bytes\nresults and next state: {} bytes\nconstants: {} bytes\n",
      arena_bytes, arena_values, unshared_bytes, kept_bytes, constant_bytes);
  for (const std::string& constant : constants) text += fmt::format("  {}\n", constant);
  return text;
}

Program::Program(std::shared_ptr<const detail::ProgramSteps> steps,
                 std::shared_ptr<const detail::ProgramSteps> unfused, std::size_t recorded_steps)
    : steps_(std::move(steps)), unfused_(std::move(unfused)), recorded_steps_(recorded_steps) {}

std::string Program::to_string() const { return steps_->text(); }

Graph Program::graph() const { return detail::graph_of_steps(*unfused_); }

ProgramPlan Program::plan() const {
  const detail::ArenaPlan arena = detail::plan_arena(*steps_);
  ProgramPlan plan{.steps = steps_->steps.size(),
                   .recorded_steps = recorded_steps_,
                   .arena_bytes = arena.bytes,
                   .arena_values = arena.values};
  for (const detail::ProgramStep& step : steps_->steps) {
    const std::size_t operations = detail::steps_in(step);
    if (operations == 1) continue;
    ++plan.fused_steps;
    plan.joined_steps += operations;
  }
  for (std::size_t i = 0; i < steps_->values.size(); ++i) {
    const detail::ProgramValue& value = steps_->values[i];
    if (value.source == detail::ProgramValue::Source::constant) {
      plan.constant_bytes += value.bytes;
      plan.constants.push_back(fmt::format("%{}:{}{}", i, xtgrad::to_string(value.spec.dtype),
                                           xtgrad::to_string(value.spec.shape)));
    } else if (arena.offsets[i] != detail::ArenaPlan::nowhere) {
      plan.unshared_bytes += value.bytes;
    } else if (value.source == detail::ProgramValue::Source::step) {
      plan.kept_bytes += value.bytes;
    }
  }
  return plan;
}

}  // namespace xtgrad::v1
