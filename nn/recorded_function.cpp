#include "xtgrad/nn/recorded_function.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/program/joined.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/program/recorder.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view caller = "capture";

void refuse_gradients_of_inputs(const Arguments& arguments) {
  for (std::size_t k = 0; k < arguments.tensors().size(); ++k) {
    if (!arguments.tensors()[k]->grad().defined()) continue;
    throw GraphError(fmt::format(
        "{}: the function leaves a gradient on input {}, of which a replay could leave none on its own: "
        "return it, by grad(), or clear it",
        caller, k));
  }
}

/// One call of the function: its list, and the numbers of the buffers that it has made.
struct Recorded {
  ProgramSteps steps;
  std::unordered_set<std::uint64_t> made = {};
};

/// Throws GraphError if the later call reads what the earlier one has left where no list sees it. What was
/// left by the first call of all, which warms up, and is the same ever since is a constant.
void refuse_left_over(const Recorded& earlier, const ProgramSteps& later) {
  for (const ProgramValue& value : later.values) {
    if (value.source != ProgramValue::Source::constant || !earlier.made.contains(value.elements.number()))
      continue;
    throw GraphError(fmt::format(
        "{}: the function reads a tensor that the call before has left in a variable: a replay leaves none; "
        "make it an input and a result, or state",
        caller));
  }
}

Recorded record(const CalledFunction& f, const StatePlaces& places, const Arguments& arguments) {
  arguments.renew();
  for (const auto& place : places) place->separate();
  ProgramRecorder recorder(caller);
  TracedRoles roles;
  for (std::size_t k = 0; k < arguments.tensors().size(); ++k)
    roles.inputs.push_back(recorder.declare(fmt::format("in{}", k), *arguments.tensors()[k]));
  for (const auto& place : places) {
    const Tensor before = place->read();
    roles.state.push_back(
        {place->name(), before.defined() ? recorder.declare(place->name(), before) : TracedOperand(), {}});
  }
  std::vector<Tensor> results;
  const std::vector<Tensor*> results_of_f = f();
  for (Tensor* result : results_of_f) results.push_back(*result);
  refuse_gradients_of_inputs(arguments);
  for (const Tensor& result : results) roles.results.push_back(recorder.end(result));
  // The places of results stay, and must not keep a graph alive.
  for (Tensor* result : results_of_f) *result = nothing_there();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Tensor after = places[i]->read();
    TracedRoles::State& state = roles.state[i];
    if (after.defined()) state.after = recorder.end(after);
  }
  Recorded recorded;
  for (const TracedValue& value : recorder.trace().values) {
    if (value.is_made || !value.name.empty()) recorded.made.insert(value.held.number());
  }
  recorded.steps = recorder.take(roles);
  return recorded;
}

[[noreturn]] void throw_differs(const std::string& difference) {
  throw GraphError(fmt::format(
      "{}: the function computes something else when it is called again: {}. A program is one list of steps: "
      "choose by where(), list what changes as state, or give it as an input",
      caller, difference));
}

/// Whether something is in a place, before and after.
void check_presence(const ProgramSteps& program) {
  for (const ProgramState& state : program.state) {
    const bool before = state.before.value != no_value, after = state.after.value != no_value;
    if (before == after) continue;
    throw GraphError(
        fmt::format("{}: \"{}\" is {} when the function is called and {} afterwards, each time: a step must "
                    "find what the one before "
                    "it left; clear it at the beginning of the function, or call the function once before",
                    caller, state.name, before ? "there" : "empty", after ? "there" : "empty"));
  }
}

/// State that no step changes is not written.
void forget_unchanged(ProgramSteps& program) {
  for (ProgramState& state : program.state) {
    if (state.after.value == state.before.value) state.after = {};
  }
}

}  // namespace

void refuse_aliases(std::span<const Tensor* const> inputs, std::string_view function) {
  std::unordered_map<const void*, std::size_t> first;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i]->requires_grad()) continue;
    const auto [place, is_new] = first.try_emplace(inputs[i]->node(), i);
    if (is_new) continue;
    throw GraphError(fmt::format("{}: inputs {} and {} are one tensor that wants a gradient: give it once",
                                 function, place->second, i));
  }
}

RecordedFunction record_function(const CalledFunction& f, const Arguments& arguments,
                                 const StatePlaces& places, const StateRoots& roots) {
  std::vector<const Tensor*> values;
  std::vector<RecordedFunction::Input> known;
  for (const Tensor& value : arguments.values()) {
    values.push_back(&value);
    known.push_back({array_of(value), value.requires_grad()});
  }
  refuse_aliases(values, caller);
  const Arguments::Emptied at_the_end(arguments);
  KeptState state(places);
  // The first call warms up; it is watched, too, so that what is refused is refused before it has done
  // anything.
  static_cast<void>(record(f, places, arguments));
  state.check_where(roots, caller);
  Recorded first = record(f, places, arguments);
  state.check_where(roots, caller);
  const ProgramSteps again = record(f, places, arguments).steps;
  state.check_where(roots, caller);
  if (const std::string difference = first_difference(first.steps, again); !difference.empty())
    throw_differs(difference);
  refuse_left_over(first, again);
  for (const auto& place : places) place->check(caller);
  ProgramSteps& steps = first.steps;
  check_presence(steps);
  std::vector<char> was_empty;
  for (const ProgramState& each : steps.state) was_empty.push_back(each.before.value == no_value ? 1 : 0);
  forget_unchanged(steps);
  const std::size_t count = steps.steps.size();
  steps = simplified(std::move(steps));
  const auto unfused = std::make_shared<const ProgramSteps>(std::move(steps));
  const auto run = std::make_shared<const ProgramSteps>(joined(*unfused));
  return {Program(run, unfused, count), std::move(known), std::move(was_empty)};
}

}  // namespace xtgrad::v1::detail
