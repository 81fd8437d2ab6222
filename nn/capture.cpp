#include "xtgrad/nn/capture.h"

#include <fmt/format.h>

#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/program/fusion.h"
#include "xtgrad/autograd/program/passes.h"
#include "xtgrad/autograd/program/recorder.h"
#include "xtgrad/autograd/program/runner.h"
#include "xtgrad/nn/state_places.h"

namespace xtgrad::inline v1::detail {
namespace {

constexpr std::string_view caller = "capture";
constexpr std::string_view replayer = "Captured";

using Function = Callable<std::vector<Tensor*>()>;
using Places = std::vector<std::unique_ptr<nn::detail::StatePlace>>;

std::vector<nn::detail::StateRoot> roots_of(const std::vector<CapturedState>& state) {
  std::vector<nn::detail::StateRoot> roots;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const CapturedState& each = state[i];
    if (each.object() == nullptr && each.stream() == nullptr && each.counter() == nullptr &&
        each.parameter() == nullptr && !each.leaf().defined()) {
      throw ValueError(
          fmt::format("{}: state {} is a null pointer, or an empty parameter or tensor", caller, i));
    }
    if (each.leaf().defined() && !each.leaf().is_leaf()) {
      throw GraphError(fmt::format(
          "{}: state {} is a tensor that was computed; state is what computations start from: a leaf", caller,
          i));
    }
    roots.push_back({each.object(), each.stream(), each.counter(), each.parameter(), each.leaf()});
  }
  return roots;
}

/// Puts the state back where its scope ends.
class Keep {
 public:
  explicit Keep(const Places& places) : places_(places) {
    for (const auto& place : places_) place->keep();
  }
  ~Keep() {
    if (!is_lost_) {
      for (const auto& place : places_) place->restore();
    }
  }
  /// Throws GraphError if a place is not where it was: what it refers to may be gone, and is not put back.
  void check_where(const std::vector<nn::detail::StateRoot>& roots) {
    const nn::detail::StatePlace* const moved = nn::detail::first_moved(places_, roots);
    if (moved == nullptr) return;
    is_lost_ = true;
    throw GraphError(
        fmt::format("{}: \"{}\" lies elsewhere after the function was called, and the state cannot be put "
                    "back: assign to "
                    "what `members` lists, and do not replace what holds it",
                    caller, moved->name()));
  }
  Keep(const Keep&) = delete;
  Keep& operator=(const Keep&) = delete;

 private:
  const Places& places_;
  bool is_lost_ = false;
};

/// A leaf of the same elements, in memory of its own, which wants a gradient if the other does.
Tensor input_like(const Tensor& tensor) {
  const Array& from = array_of(tensor);
  Array to = Array::uninitialized(from.shape, from.dtype);
  std::memcpy(to.buffer.data(), from.buffer.data(), bytes_of(from.shape, from.dtype));
  Tensor copy = make_constant(std::move(to));
  if (tensor.requires_grad()) copy.set_requires_grad();
  return copy;
}

/// The arguments of a function, in which each call finds tensors of its own.
class Arguments {
 public:
  explicit Arguments(std::vector<Tensor*> places) : places_(std::move(places)) {
    for (const Tensor* place : places_) values_.push_back(*place);
  }
  void renew() const {
    for (std::size_t k = 0; k < places_.size(); ++k) *places_[k] = input_like(values_[k]);
  }
  /// Leaves handles that hold nothing large.
  void empty() const {
    const Tensor nothing = make_constant(Array::uninitialized({0}, Dtype::float32));
    for (Tensor* place : places_) *place = nothing;
  }
  [[nodiscard]] const std::vector<Tensor*>& tensors() const { return places_; }
  [[nodiscard]] std::vector<Spec> specs() const {
    std::vector<Spec> specs;
    for (const Tensor& value : values_) specs.push_back(array_of(value));
    return specs;
  }

 private:
  std::vector<Tensor*> places_;
  std::vector<Tensor> values_;
};

void refuse_gradients_of_inputs(const Arguments& arguments) {
  for (std::size_t k = 0; k < arguments.tensors().size(); ++k) {
    if (!arguments.tensors()[k]->grad().defined()) continue;
    throw GraphError(fmt::format(
        "{}: the function leaves a gradient on input {}, of which a replay could leave none on its own: "
        "return it, by grad(), or clear it",
        caller, k));
  }
}

/// One call of the function as a list.
ProgramSteps record(const Function& f, const Places& places, const Arguments& arguments) {
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
  for (const Tensor* result : f()) results.push_back(*result);
  recorder.check_used();
  refuse_gradients_of_inputs(arguments);
  for (const Tensor& result : results) roles.results.push_back(recorder.end(result));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Tensor after = places[i]->read();
    TracedRoles::State& state = roles.state[i];
    if (after.defined()) state.after = recorder.end(after);
    state.is_cleared = !after.defined() && state.before.value != TracedOperand::none;
  }
  return steps_of(recorder.take(), roles);
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

class CapturedCall::Impl {
 public:
  Impl(const Function& f, std::vector<Tensor*> inputs, const std::vector<CapturedState>& state)
      : places_(nn::detail::state_places(roots_of(state))),
        program_(captured(f, Arguments(std::move(inputs)), roots_of(state))),
        runner_(program_.steps()) {
    list_ends();
    inputs_.reserve(specs_.size());
  }

  [[nodiscard]] const Program& program() const { return program_; }

  void give(const Tensor& input) {
    const std::size_t number = inputs_.size();
    if (number == specs_.size()) throw_wrong_number(number + 1);
    const Array& array = array_of(input);
    const Spec& want = specs_[number];
    if (array.dtype != want.dtype || !(array.shape == want.shape)) {
      inputs_.clear();
      throw ShapeError(
          fmt::format("{}: input {} was {} {} when the function was captured, got {} {}: capture it anew",
                      replayer, number, to_string(want.dtype), to_string(want.shape), to_string(array.dtype),
                      to_string(array.shape)));
    }
    inputs_.push_back(&input);
  }

  void run() {
    struct Forget {
      std::vector<const Tensor*>& inputs;
      ~Forget() { inputs.clear(); }
    };
    const Forget at_the_end{inputs_};
    if (is_listed_for_others()) {
      throw GraphError(
          fmt::format("{}: called while another function is captured, whose list would lack what a replay "
                      "computes: call the function "
                      "itself",
                      replayer));
    }
    if (inputs_.size() != specs_.size()) throw_wrong_number(inputs_.size());
    const ProgramSteps& steps = *program_.steps();
    for (const nn::detail::StatePlace* place : checked_) place->check(replayer);
    for (std::size_t k = 0; k < inputs_.size(); ++k) runner_.bind(steps.inputs[k], array_of(*inputs_[k]));
    bind_state();
    runner_.run();
    take_results(steps);
    write_state();
  }

  [[nodiscard]] Tensor result(std::size_t number) { return std::exchange(results_[number], Tensor()); }

 private:
  Program captured(const Function& f, const Arguments& arguments,
                   const std::vector<nn::detail::StateRoot>& roots) {
    specs_ = arguments.specs();
    Keep state(places_);
    arguments.renew();
    static_cast<void>(f());
    state.check_where(roots);
    ProgramSteps steps = record(f, places_, arguments);
    state.check_where(roots);
    const ProgramSteps again = record(f, places_, arguments);
    state.check_where(roots);
    arguments.empty();
    if (const std::string difference = first_difference(steps, again); !difference.empty())
      throw_differs(difference);
    for (const auto& place : places_) place->check(caller);
    check_presence(steps);
    forget_unchanged(steps);
    const std::size_t recorded = steps.steps.size();
    return {std::make_shared<const ProgramSteps>(with_elementwise_steps_fused(simplified(std::move(steps)))),
            recorded};
  }

  [[noreturn]] void throw_wrong_number(std::size_t given) {
    inputs_.clear();
    throw ValueError(fmt::format("{}: got {} tensors{}, the function was captured with {}", replayer, given,
                                 given > specs_.size() ? " or more" : "", specs_.size()));
  }

  void bind_state() {
    for (const Read& read : reads_) {
      const Array* const array = read.place->peek();
      if (array == nullptr) {
        throw GraphError(
            fmt::format("{}: \"{}\" is empty; it was there when the function was captured, which reads it",
                        replayer, read.place->name()));
      }
      const Spec& want = read.operand.spec;
      if (array->dtype != want.dtype || !(array->shape == want.shape)) {
        throw ShapeError(
            fmt::format("{}: \"{}\" was {} {} when the function was captured and is {} {}: capture it anew",
                        replayer, read.place->name(), to_string(want.dtype), to_string(want.shape),
                        to_string(array->dtype), to_string(array->shape)));
      }
      runner_.bind(read.operand, *array);
    }
  }

  [[nodiscard]] Tensor value_of(const ProgramSteps& steps, const ProgramOperand& operand) {
    const ProgramValue& value = steps.values[operand.value];
    const auto seen = [&](const Array& array) {
      return make_constant(Array(operand.spec.shape, operand.spec.dtype, array.buffer));
    };
    switch (value.source) {
      case ProgramValue::Source::step: {
        const Tensor& made = runner_.made(operand);
        return array_of(made).shape == operand.spec.shape ? made : seen(array_of(made));
      }
      case ProgramValue::Source::constant:
        return make_constant(Array(operand.spec.shape, operand.spec.dtype, value.elements));
      case ProgramValue::Source::input:
        for (std::size_t k = 0; k < inputs_.size(); ++k) {
          if (steps.inputs[k].value == operand.value) return seen(array_of(*inputs_[k]));
        }
        break;
      case ProgramValue::Source::state:
        for (std::size_t i = 0; i < places_.size(); ++i) {
          if (steps.state[i].before.value == operand.value) return seen(array_of(places_[i]->read()));
        }
        break;
    }
    throw InternalError("a program's result that comes from nowhere");
  }

  void take_results(const ProgramSteps& steps) {
    for (std::size_t k = 0; k < steps.results.size(); ++k) results_[k] = value_of(steps, steps.results[k]);
    for (Write& write : writes_) {
      if (!write.is_sole) write.next = value_of(steps, write.operand);
    }
  }

  /// Nothing fails once the first place is written.
  void write_state() {
    const auto next_of = [&](Write& write) -> Tensor& {
      return write.is_sole ? runner_.made(write.operand) : write.next;
    };
    for (Write& write : writes_) write.place->prepare(next_of(write), write.is_sole);
    for (Write& write : writes_) {
      // Of a place's own, the handle that the runner keeps, whose memory it may exchange for what it has.
      write.place->write(next_of(write), write.is_sole);
      write.next = Tensor();
    }
    for (nn::detail::StatePlace* place : cleared_) {
      Tensor nothing;
      place->write(nothing, false);
    }
  }

  /// What a run reads first and writes last.
  void list_ends() {
    const ProgramSteps& steps = *program_.steps();
    results_.resize(steps.results.size());
    std::vector<int> takers(steps.values.size(), 0);
    const auto take = [&](const ProgramOperand& operand) {
      if (operand.value != no_value) ++takers[operand.value];
    };
    for (const ProgramOperand& result : steps.results) take(result);
    for (const ProgramState& each : steps.state) take(each.after);
    for (std::size_t i = 0; i < places_.size(); ++i) {
      nn::detail::StatePlace* const place = places_[i].get();
      const auto& [name, before, after, clears] = steps.state[i];
      if (place->has_check()) checked_.push_back(place);
      if (before.value != no_value) reads_.push_back({place, before});
      if (clears) cleared_.push_back(place);
      if (after.value == no_value) continue;
      const ProgramValue& value = steps.values[after.value];
      const bool is_sole = value.source == ProgramValue::Source::step && takers[after.value] == 1 &&
                           after.spec.shape == value.spec.shape;
      writes_.push_back({place, after, is_sole, Tensor()});
    }
  }

  struct Read {
    nn::detail::StatePlace* place;
    ProgramOperand operand;
  };
  struct Write {
    nn::detail::StatePlace* place;
    ProgramOperand operand;
    bool is_sole;  // nothing else becomes of the value
    Tensor next;   // unless it is
  };

  Places places_;
  std::vector<Spec> specs_;  // of the inputs
  Program program_;
  ProgramRunner runner_;
  std::vector<Read> reads_;
  std::vector<Write> writes_;
  std::vector<nn::detail::StatePlace*> checked_, cleared_;
  std::vector<Tensor> results_;
  std::vector<const Tensor*> inputs_;  // of the run that is to come, so far
};

CapturedCall::CapturedCall(const Callable<std::vector<Tensor*>()>& f, std::vector<Tensor*> inputs,
                           const std::vector<CapturedState>& state)
    : impl_(std::make_unique<Impl>(f, std::move(inputs), state)) {}
CapturedCall::~CapturedCall() = default;
CapturedCall::CapturedCall(CapturedCall&&) noexcept = default;
CapturedCall& CapturedCall::operator=(CapturedCall&&) noexcept = default;

const Program& CapturedCall::program() const { return impl_->program(); }
void CapturedCall::give(const Tensor& input) { impl_->give(input); }
void CapturedCall::run() { impl_->run(); }
Tensor CapturedCall::result(std::size_t number) const { return impl_->result(number); }

void CapturedCall::throw_other_value() {
  throw ValueError(
      fmt::format("{}: an argument that is no tensor, a number of tensors or which of them are empty differs "
                  "from when the function "
                  "was captured, of which it is a constant: capture it anew",
                  replayer));
}

}  // namespace xtgrad::v1::detail
