#include "xtgrad/nn/captured_run.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/program/final_steps.h"
#include "xtgrad/nn/plain_values.h"

namespace xtgrad::inline v1::detail {

CapturedRun::CapturedRun(const CalledFunction& f, const Arguments& arguments, const StateRoots& roots)
    : places_(nn::detail::state_places(roots)),
      recorded_(record_function(f, arguments, places_, roots)),
      runner_(recorded_.program.steps()) {
  list_ends();
}

namespace {

/// New places know what they stand on now, so it must be what it was.
const RecordedFunction& checked(const RecordedFunction& recorded, const StatePlaces& places) {
  for (const auto& place : places) place->check(replayer);
  return recorded;
}

}  // namespace

CapturedRun::CapturedRun(const CapturedRun& other, const StateRoots& roots)
    : places_(nn::detail::state_places(roots)),
      recorded_(checked(other.recorded_, other.places_)),
      runner_(recorded_.program.steps()) {
  list_ends();
}

bool CapturedRun::takes(Given inputs) const {
  if (inputs.size() != recorded_.inputs.size()) return false;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    const auto& [want, wants] = recorded_.inputs[k];
    if (!same_spec(array_of(*inputs[k]), want) || (inputs[k]->requires_grad() && !wants)) return false;
  }
  return true;
}

void CapturedRun::check_input(std::size_t number, const Tensor& input) const {
  const Array& array = array_of(input);
  const auto& [want, wants] = recorded_.inputs[number];
  if (!same_spec(array, want)) {
    throw ShapeError(fmt::format(
        "{}: input {} was {} {} when the function was captured, got {} {}: capture it anew", replayer, number,
        to_string(want.dtype), to_string(want.shape), to_string(array.dtype), to_string(array.shape)));
  }
  if (input.requires_grad() && !wants) {
    throw GraphError(
        fmt::format("{}: input {} wants a gradient, and wanted none when the function was captured: "
                    "results of a replay have no "
                    "history; detach() the input, or capture what takes the gradient",
                    replayer, number));
  }
}

namespace {

/// What must not be given twice; null for an input that wants no gradient.
const void* leaf_of(const Tensor& input) { return input.requires_grad() ? input.node() : nullptr; }

}  // namespace

void CapturedRun::check(Given inputs) {
  if (inputs.size() != recorded_.inputs.size()) {
    throw ValueError(fmt::format("{}: got {} tensors, the function was captured with {}", replayer,
                                 inputs.size(), recorded_.inputs.size()));
  }
  bool are_known = distinct_.size() == inputs.size();
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    check_input(k, *inputs[k]);
    are_known = are_known && distinct_[k] == leaf_of(*inputs[k]);
  }
  if (!are_known) {
    refuse_aliases(inputs, replayer);
    distinct_.clear();
    for (const Tensor* input : inputs) distinct_.push_back(leaf_of(*input));
  }
  for (const nn::detail::StatePlace* place : checked_) place->check(replayer);
  for (nn::detail::StatePlace* place : empty_) {
    if (place->peek() == nullptr) continue;
    throw GraphError(
        fmt::format("{}: \"{}\" is there; it was empty when the function was captured: capture it anew",
                    replayer, place->name()));
  }
}

void CapturedRun::run(Given inputs, const Outcome* expected) {
  check(inputs);
  const ProgramSteps& steps = *recorded_.program.steps();
  inputs_ = inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) runner_.bind(steps.inputs[k], array_of(*inputs[k]));
  bind_state(expected == nullptr);
  runner_.begin();
  // What is made later has its memory already; from the final steps on nothing fails.
  take_results();
  prepare_state();
  runner_.finish();
  if (expected != nullptr) compare(*expected);
  write_state();
}

const Array& CapturedRun::state_before(nn::detail::StatePlace& place, const Spec& want) const {
  const Array* const array = place.peek();
  if (array == nullptr) {
    throw GraphError(
        fmt::format("{}: \"{}\" is empty; it was there when the function was captured, which reads it",
                    replayer, place.name()));
  }
  if (!same_spec(*array, want)) {
    throw ShapeError(
        fmt::format("{}: \"{}\" was {} {} when the function was captured and is {} {}: capture it anew",
                    replayer, place.name(), to_string(want.dtype), to_string(want.shape),
                    to_string(array->dtype), to_string(array->shape)));
  }
  return *array;
}

std::vector<NamedTensor> CapturedRun::state() const {
  std::vector<NamedTensor> state;
  const ProgramSteps& steps = *recorded_.program.steps();
  for (std::size_t i = 0; i < steps.state.size(); ++i) {
    const auto& [name, before, after] = steps.state[i];
    if (before.value == no_value) continue;
    const Array& array = state_before(*places_[i], before.spec);
    Array copy = Array::uninitialized(array.shape, array.dtype);
    std::memcpy(copy.buffer.data(), array.buffer.data(), array.buffer.bytes());
    state.push_back({name, make_constant(std::move(copy))});
  }
  return state;
}

void CapturedRun::bind_state(bool writes_over) {
  for (const Read& read : reads_) {
    const Array& array = state_before(*read.place, read.operand.spec);
    runner_.bind(read.operand, array);
    if (read.next == nullptr) continue;
    read.next->is_over = writes_over && read.place->is_own();
    if (read.next->is_over) runner_.write_over(read.next->operand, array);
  }
}

Tensor CapturedRun::value_of(const ProgramOperand& operand, bool is_first) {
  const ProgramValue& value = recorded_.program.steps()->values[operand.value];
  const auto seen = [&](const Array& array) {
    return make_constant(Array(operand.spec.shape, operand.spec.dtype, array.buffer));
  };
  switch (value.source) {
    case ProgramValue::Source::step: {
      const Tensor& made = runner_.made(operand);
      return is_first && array_of(made).shape == operand.spec.shape ? made : seen(array_of(made));
    }
    case ProgramValue::Source::constant:
      return make_constant(Array(operand.spec.shape, operand.spec.dtype, value.elements));
    case ProgramValue::Source::input:
      return seen(array_of(*inputs_[source_of_[operand.value]]));
    case ProgramValue::Source::state:
      return seen(*places_[source_of_[operand.value]]->peek());
  }
  throw InternalError("a program's result that comes from nowhere");
}

void CapturedRun::take_results() {
  const ProgramSteps& steps = *recorded_.program.steps();
  for (std::size_t k = 0; k < steps.results.size(); ++k)
    results_[k] = value_of(steps.results[k], is_first_[k] != 0);
  for (Write& write : writes_) {
    if (!write.is_sole) write.next = value_of(write.operand, true);
  }
}

void CapturedRun::prepare_state() {
  for (Write& write : writes_) {
    if (!write.is_over) write.place->prepare(next_of(write), write.is_sole);
  }
}

void CapturedRun::write_state() {
  for (Write& write : writes_) {
    if (write.is_over) continue;
    // Of a place's own, the handle that the runner keeps, whose memory it may exchange for what it has.
    write.place->write(next_of(write), write.is_sole);
    write.next = Tensor();
  }
}

/// Runs on the list of operations, before any were fused.
ProgramRun CapturedRun::watch(Given inputs) {
  check(inputs);
  const std::shared_ptr<const ProgramSteps>& steps = recorded_.program.unfused();
  return watch_run(steps, given_by(*steps, inputs));
}

ProgramProfile CapturedRun::profile(Given inputs, std::size_t runs) {
  check(inputs);
  const std::shared_ptr<const ProgramSteps>& steps = recorded_.program.steps();
  return profile_runs(steps, given_by(*steps, inputs), runs);
}

ValueReader CapturedRun::given_by(const ProgramSteps& steps, Given inputs) const {
  return [this, &steps, inputs](const ProgramOperand& operand) -> const Array& {
    for (std::size_t k = 0; k < steps.inputs.size(); ++k) {
      if (steps.inputs[k].value == operand.value) return array_of(*inputs[k]);
    }
    for (std::size_t i = 0; i < steps.state.size(); ++i) {
      if (steps.state[i].before.value == operand.value) return state_before(*places_[i], operand.spec);
    }
    throw InternalError("a program's value that is given by nobody");
  };
}

/// What a run reads first and writes last.
void CapturedRun::list_ends() {
  const ProgramSteps& steps = *recorded_.program.steps();
  results_.resize(steps.results.size());
  std::vector<int> takers(steps.values.size(), 0);
  const auto take = [&](const ProgramOperand& operand) {
    if (operand.value != no_value) ++takers[operand.value];
  };
  for (const ProgramOperand& result : steps.results) {
    // Equal results are tensors of their own, over the same elements.
    is_first_.push_back(takers[result.value] == 0 ? 1 : 0);
    take(result);
  }
  for (const ProgramState& each : steps.state) take(each.after);
  source_of_.assign(steps.values.size(), 0);
  for (std::size_t k = 0; k < steps.inputs.size(); ++k) source_of_[steps.inputs[k].value] = k;
  for (std::size_t i = 0; i < steps.state.size(); ++i) {
    if (steps.state[i].before.value != no_value) source_of_[steps.state[i].before.value] = i;
  }
  const std::vector<char> is_overwritten = overwritten_states(steps);
  writes_.reserve(places_.size());  // reads point at them
  for (std::size_t i = 0; i < places_.size(); ++i) {
    nn::detail::StatePlace* const place = places_[i].get();
    const auto& [name, before, after] = steps.state[i];
    if (place->has_check()) checked_.push_back(place);
    if (after.value != no_value) {
      const ProgramValue& value = steps.values[after.value];
      const bool is_sole = value.source == ProgramValue::Source::step && takers[after.value] == 1 &&
                           after.spec.shape == value.spec.shape;
      writes_.push_back({.place = place, .operand = after, .number = i, .is_sole = is_sole});
    }
    if (recorded_.was_empty[i] != 0) empty_.push_back(place);
    if (before.value == no_value) continue;
    reads_.push_back(
        {place, before, is_overwritten[i] != 0 && writes_.back().is_sole ? &writes_.back() : nullptr});
  }
}

namespace {

/// Where two tensors differ in bits, in words; empty if nowhere. NaNs are equal.
std::string difference_of(const Tensor& replayed, const Tensor& computed) {
  const Array &a = array_of(replayed), &b = array_of(computed);
  if (!same_spec(a, b)) {
    return fmt::format("is {} {} in the replay and {} {} of the function", to_string(a.dtype),
                       to_string(a.shape), to_string(b.dtype), to_string(b.shape));
  }
  return visit(a.dtype, [&](auto zero) -> std::string {
    using T = decltype(zero);
    const T *x = a.data<T>(), *y = b.data<T>();
    for (std::int64_t i = 0; i < a.shape.numel(); ++i) {
      if (PlainValues<T>::same(x[i], y[i])) continue;
      return fmt::format("has {} at element {} in the replay and {} of the function", x[i], i, y[i]);
    }
    return {};
  });
}

}  // namespace

void CapturedRun::compare(const Outcome& expected) {
  const auto check = [](const std::string& what, const Tensor& replayed, const Tensor& computed) {
    const std::string difference = difference_of(replayed, computed);
    if (difference.empty()) return;
    throw GraphError(fmt::format("{}: verify: {} {}", replayer, what, difference));
  };
  if (expected.results.size() != results_.size()) {
    throw GraphError(
        fmt::format("{}: verify: the function returns {} tensors, and returned {} when it was "
                    "captured",
                    replayer, expected.results.size(), results_.size()));
  }
  for (std::size_t k = 0; k < results_.size(); ++k)
    check(fmt::format("result {}", k), results_[k], expected.results[k]);
  std::vector<Write*> write_of(places_.size(), nullptr);
  for (Write& write : writes_) write_of[write.number] = &write;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Tensor after = write_of[i] != nullptr ? next_of(*write_of[i]) : places_[i]->read();
    const std::string what = fmt::format("\"{}\"", places_[i]->name());
    if (after.defined() != expected.state[i].defined()) {
      throw GraphError(fmt::format("{}: verify: {} is {} after the replay and {} after the function",
                                   replayer, what, after.defined() ? "there" : "empty",
                                   expected.state[i].defined() ? "there" : "empty"));
    }
    if (after.defined()) check(what, after, expected.state[i]);
  }
}

}  // namespace xtgrad::v1::detail
