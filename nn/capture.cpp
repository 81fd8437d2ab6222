#include "xtgrad/nn/capture.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/program/final_steps.h"
#include "xtgrad/autograd/program/runner.h"
#include "xtgrad/nn/recorded_function.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

constexpr std::string_view replayer = "Captured";

std::vector<nn::detail::StateRoot> roots_of(const std::vector<CapturedState>& state) {
  std::vector<nn::detail::StateRoot> roots;
  for (std::size_t i = 0; i < state.size(); ++i) {
    const CapturedState& each = state[i];
    if (each.object() == nullptr && each.stream() == nullptr && each.counter() == nullptr &&
        each.parameter() == nullptr && !each.leaf().defined()) {
      throw ValueError(
          fmt::format("{}: state {} is a null pointer, or an empty parameter or tensor", "capture", i));
    }
    if (each.leaf().defined() && !each.leaf().is_leaf()) {
      throw GraphError(fmt::format(
          "{}: state {} is a tensor that was computed; state is what computations start from: a leaf",
          "capture", i));
    }
    roots.push_back({each.object(), each.stream(), each.counter(), each.parameter(), each.leaf()});
  }
  return roots;
}

}  // namespace

class CapturedRun {
 public:
  CapturedRun(const Callable<std::vector<Tensor*>()>& f, std::vector<Tensor*> inputs,
              const std::vector<CapturedState>& state)
      : places_(nn::detail::state_places(roots_of(state))),
        recorded_(record_function(f, std::move(inputs), places_, roots_of(state))),
        runner_(recorded_.program.steps()) {
    list_ends();
    inputs_.reserve(recorded_.inputs.size());
  }

  [[nodiscard]] const Program& program() const { return recorded_.program; }

  void give(const Tensor& input) {
    const std::size_t number = inputs_.size();
    if (number == recorded_.inputs.size()) throw_wrong_number(number + 1);
    const Array& array = array_of(input);
    const auto& [want, wants] = recorded_.inputs[number];
    if (!same_spec(array, want)) {
      inputs_.clear();
      throw ShapeError(
          fmt::format("{}: input {} was {} {} when the function was captured, got {} {}: capture it anew",
                      replayer, number, to_string(want.dtype), to_string(want.shape), to_string(array.dtype),
                      to_string(array.shape)));
    }
    if (input.requires_grad() && !wants) {
      inputs_.clear();
      throw GraphError(
          fmt::format("{}: input {} wants a gradient, and wanted none when the function was captured: "
                      "results of a replay have no "
                      "history; detach() the input, or capture what takes the gradient",
                      replayer, number));
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
    if (inputs_.size() != recorded_.inputs.size()) throw_wrong_number(inputs_.size());
    const ProgramSteps& steps = *recorded_.program.steps();
    refuse_aliases(inputs_, replayer);
    for (const nn::detail::StatePlace* place : checked_) place->check(replayer);
    for (std::size_t k = 0; k < inputs_.size(); ++k) runner_.bind(steps.inputs[k], array_of(*inputs_[k]));
    bind_state();
    runner_.begin();
    // What is made later has its memory already; from the final steps on nothing fails.
    take_results(steps);
    prepare_state();
    runner_.finish();
    write_state();
  }

  [[nodiscard]] Tensor result(std::size_t number) { return std::exchange(results_[number], Tensor()); }

 private:
  struct Write;
  struct Read {
    nn::detail::StatePlace* place;
    ProgramOperand operand;
    Write* next = nullptr;  // that may be made over it
  };
  struct Write {
    nn::detail::StatePlace* place;
    ProgramOperand operand;
    bool is_sole;          // nothing else becomes of the value
    Tensor next = {};      // unless it is
    bool is_over = false;  // in this run it is made over the one before
  };

  [[noreturn]] void throw_wrong_number(std::size_t given) {
    inputs_.clear();
    throw ValueError(fmt::format("{}: got {} tensors{}, the function was captured with {}", replayer, given,
                                 given > recorded_.inputs.size() ? " or more" : "", recorded_.inputs.size()));
  }

  void bind_state() {
    for (nn::detail::StatePlace* place : empty_) {
      if (place->peek() == nullptr) continue;
      throw GraphError(
          fmt::format("{}: \"{}\" is there; it was empty when the function was captured: capture it anew",
                      replayer, place->name()));
    }
    for (const Read& read : reads_) {
      const Array* const array = read.place->peek();
      if (array == nullptr) {
        throw GraphError(
            fmt::format("{}: \"{}\" is empty; it was there when the function was captured, which reads it",
                        replayer, read.place->name()));
      }
      const Spec& want = read.operand.spec;
      if (!same_spec(*array, want)) {
        throw ShapeError(
            fmt::format("{}: \"{}\" was {} {} when the function was captured and is {} {}: capture it anew",
                        replayer, read.place->name(), to_string(want.dtype), to_string(want.shape),
                        to_string(array->dtype), to_string(array->shape)));
      }
      runner_.bind(read.operand, *array);
      if (read.next == nullptr) continue;
      read.next->is_over = read.place->is_own();
      if (read.next->is_over) runner_.write_over(read.next->operand, *array);
    }
  }

  [[nodiscard]] Tensor value_of(const ProgramSteps& steps, const ProgramOperand& operand, bool is_first) {
    const ProgramValue& value = steps.values[operand.value];
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

  void take_results(const ProgramSteps& steps) {
    for (std::size_t k = 0; k < steps.results.size(); ++k)
      results_[k] = value_of(steps, steps.results[k], is_first_[k] != 0);
    for (Write& write : writes_) {
      if (!write.is_sole) write.next = value_of(steps, write.operand, true);
    }
  }

  [[nodiscard]] Tensor& next_of(Write& write) {
    return write.is_sole ? runner_.made(write.operand) : write.next;
  }

  void prepare_state() {
    for (Write& write : writes_) {
      if (!write.is_over) write.place->prepare(next_of(write), write.is_sole);
    }
  }

  void write_state() {
    for (Write& write : writes_) {
      if (write.is_over) continue;
      // Of a place's own, the handle that the runner keeps, whose memory it may exchange for what it has.
      write.place->write(next_of(write), write.is_sole);
      write.next = Tensor();
    }
  }

  /// What a run reads first and writes last.
  void list_ends() {
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
        writes_.push_back({.place = place, .operand = after, .is_sole = is_sole});
      }
      if (recorded_.was_empty[i] != 0) empty_.push_back(place);
      if (before.value == no_value) continue;
      reads_.push_back(
          {place, before, is_overwritten[i] != 0 && writes_.back().is_sole ? &writes_.back() : nullptr});
    }
  }

  std::vector<std::unique_ptr<nn::detail::StatePlace>> places_;
  RecordedFunction recorded_;
  ProgramRunner runner_;
  std::vector<Read> reads_;
  std::vector<Write> writes_;
  std::vector<nn::detail::StatePlace*> checked_, empty_;
  std::vector<Tensor> results_;
  std::vector<char> is_first_;          // of each result, whether none before is the same value
  std::vector<std::size_t> source_of_;  // of each value, the number of its input or place
  std::vector<const Tensor*> inputs_;   // of the run that is to come, so far
};

}  // namespace detail

CapturedCall::CapturedCall(const Callable<std::vector<Tensor*>()>& f, std::vector<Tensor*> inputs,
                           const std::vector<CapturedState>& state)
    : run_(std::make_unique<detail::CapturedRun>(f, std::move(inputs), state)) {}
CapturedCall::~CapturedCall() = default;
CapturedCall::CapturedCall(CapturedCall&&) noexcept = default;
CapturedCall& CapturedCall::operator=(CapturedCall&&) noexcept = default;

const Program& CapturedCall::program() const& { return run_->program(); }
void CapturedCall::give(const Tensor& input) { run_->give(input); }
void CapturedCall::run() { run_->run(); }
Tensor CapturedCall::result(std::size_t number) { return run_->result(number); }

void CapturedCall::throw_other_value() {
  throw ValueError(
      fmt::format("{}: an argument that is no tensor, a number of tensors or which of them are empty differs "
                  "from when the function was captured, of which it is a constant: capture it anew",
                  detail::replayer));
}

}  // namespace xtgrad::v1
