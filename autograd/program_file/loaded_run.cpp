#include "xtgrad/autograd/program_file/loaded_run.h"

#include <fmt/format.h>

#include <string_view>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/program/final_steps.h"
#include "xtgrad/autograd/program/joined.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view caller = "LoadedProgram";
using Source = ProgramValue::Source;

Program program_of(const SavedProgram& saved) {
  const auto unfused = std::make_shared<const ProgramSteps>(saved.steps);
  return Program(std::make_shared<const ProgramSteps>(joined(*unfused)), unfused, saved.recorded_steps);
}

}  // namespace

std::uint64_t bytes_to_run(const ProgramSteps& program) {
  // All of them, as if none shared a place, can be counted; so can those that do.
  std::uint64_t all = 0, kept = 0;
  const auto add = [](std::uint64_t& sum, const ProgramValue& value) {
    // A value's own bytes fit int64.
    if (__builtin_add_overflow(sum, std::uint64_t{arena_bytes(value)}, &sum))
      throw IoError("its values have more than 2^64 - 1 bytes");
  };
  for (const ProgramValue& value : program.values) {
    if (value.source == Source::step) add(all, value);
  }
  const ArenaPlan plan = plan_arena(program);
  for (std::size_t i = 0; i < program.values.size(); ++i) {
    if (program.values[i].source == Source::step && plan.offsets[i] == ArenaPlan::nowhere)
      add(kept, program.values[i]);
  }
  return plan.bytes + kept;
}

LoadedRun::LoadedRun(SavedProgram saved)
    : saved_(std::move(saved)), program_(program_of(saved_)), runner_(program_.steps()) {
  list_ends();
}

/// What a call reads first and writes last.
void LoadedRun::list_ends() {
  const ProgramSteps& steps = *program_.steps();
  std::vector<int> takers(steps.values.size(), 0);
  for (const ProgramOperand& result : steps.results) {
    // Equal results are tensors of their own, over the same elements.
    is_first_.push_back(takers[result.value] == 0 ? 1 : 0);
    ++takers[result.value];
  }
  for (const ProgramState& state : steps.state) {
    if (state.after.value != no_value) ++takers[state.after.value];
  }
  source_of_.assign(steps.values.size(), 0);
  for (std::size_t k = 0; k < steps.inputs.size(); ++k) source_of_[steps.inputs[k].value] = k;
  const std::vector<char> is_overwritten = overwritten_states(steps);
  for (std::size_t i = 0; i < steps.state.size(); ++i) {
    const auto& [name, before, after] = steps.state[i];
    if (before.value != no_value) source_of_[before.value] = i;
    if (after.value == no_value) continue;
    const ProgramValue& value = steps.values[after.value];
    const bool is_sole =
        value.source == Source::step && takers[after.value] == 1 && after.spec.shape == value.spec.shape;
    writes_.push_back(
        {.state = i, .operand = after, .is_sole = is_sole, .may_be_over = is_sole && is_overwritten[i] != 0});
  }
}

void LoadedRun::check_inputs(std::span<const Tensor> inputs) const {
  const std::vector<ProgramOperand>& wanted = saved_.steps.inputs;
  if (inputs.size() != wanted.size()) {
    throw ValueError(
        fmt::format("{}: got {} tensors, the program takes {}", caller, inputs.size(), wanted.size()));
  }
  std::unordered_set<const NodeCounts*> wanting;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (!inputs[k].defined()) throw ValueError(fmt::format("{}: input {} is an empty handle", caller, k));
    const Array& array = array_of(inputs[k]);
    const Spec& want = wanted[k].spec;
    if (!same_spec(array, want)) {
      throw ShapeError(fmt::format("{}: input {} must be {} {}, got {} {}", caller, k, to_string(want.dtype),
                                   to_string(want.shape), to_string(array.dtype), to_string(array.shape)));
    }
    if (!inputs[k].requires_grad()) continue;
    if (saved_.wants_gradient[k] == 0) {
      throw GraphError(fmt::format(
          "{}: input {} wants a gradient, and wanted none when the function was captured: results "
          "have no history; detach() the input",
          caller, k));
    }
    if (!wanting.insert(inputs[k].node()).second) {
      throw GraphError(
          fmt::format("{}: input {} is a tensor that is given twice and wants a gradient", caller, k));
    }
  }
}

void LoadedRun::bind(std::span<const Tensor> inputs) {
  const ProgramSteps& steps = *program_.steps();
  for (std::size_t k = 0; k < inputs.size(); ++k) runner_.bind(steps.inputs[k], array_of(inputs[k]));
  for (std::size_t i = 0; i < steps.state.size(); ++i) {
    if (steps.state[i].before.value != no_value)
      runner_.bind(steps.state[i].before, array_of(saved_.state[i]));
  }
  for (Write& write : writes_) {
    const Tensor& now = saved_.state[write.state];
    write.is_over = write.may_be_over && may_change(node_of(now));
    if (write.is_over) runner_.write_over(write.operand, array_of(now));
  }
}

Tensor LoadedRun::value_of(std::span<const Tensor> inputs, const ProgramOperand& operand, bool is_first) {
  const ProgramValue& value = program_.steps()->values[operand.value];
  const auto seen = [&](const BufferRef& buffer) {
    return make_constant(Array(operand.spec.shape, operand.spec.dtype, buffer));
  };
  switch (value.source) {
    case Source::step: {
      const Tensor& made = runner_.made(operand);
      return is_first && array_of(made).shape == operand.spec.shape ? made : seen(array_of(made).buffer);
    }
    case Source::constant:
      return seen(value.elements);
    case Source::input:
      return seen(array_of(inputs[source_of_[operand.value]]).buffer);
    case Source::state:
      return seen(array_of(saved_.state[source_of_[operand.value]]).buffer);
  }
  throw InternalError("a program's result that comes from nowhere");
}

std::vector<Tensor> LoadedRun::operator()(std::span<const Tensor> inputs) {
  if (is_listed_for_others()) {
    throw GraphError(fmt::format(
        "{}: called while a function is captured, whose list would lack what this computes", caller));
  }
  check_inputs(inputs);
  bind(inputs);
  runner_.begin();
  // What is made later has its memory already; from the final steps on nothing fails.
  const ProgramSteps& steps = *program_.steps();
  std::vector<Tensor> results;
  for (std::size_t k = 0; k < steps.results.size(); ++k)
    results.push_back(value_of(inputs, steps.results[k], is_first_[k] != 0));
  for (Write& write : writes_) {
    if (!write.is_sole) write.next = value_of(inputs, write.operand, true);
  }
  runner_.finish();
  for (Write& write : writes_) {
    if (write.is_over) continue;
    Tensor& state = saved_.state[write.state];
    if (write.is_sole) {
      std::swap(state, runner_.made(write.operand));  // whose memory the runner may use again
    } else {
      state = std::exchange(write.next, Tensor());
    }
  }
  return results;
}

}  // namespace xtgrad::v1::detail
