#include "xtgrad/autograd/program_file/check_program.h"

#include <fmt/format.h>

#include <exception>
#include <string>
#include <unordered_set>

#include "xtgrad/autograd/core/known_primitives.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"

namespace xtgrad::inline v1::detail {
namespace {

std::string text_of(const Spec& spec) { return std::string(to_string(spec.dtype)) + to_string(spec.shape); }

class Checker {
 public:
  explicit Checker(const SavedProgram& program)
      : program_(program), steps_(program.steps), is_there_(steps_.values.size(), 0) {}

  void run() {
    check_state();
    for (std::size_t i = 0; i < steps_.values.size(); ++i) {
      // Inputs, constants and state are there from the beginning.
      is_there_[i] = steps_.values[i].source != ProgramValue::Source::step ? 1 : 0;
    }
    for (std::size_t s = 0; s < steps_.steps.size(); ++s) check_step(s);
    for (std::size_t i = 0; i < is_there_.size(); ++i) {
      if (is_there_[i] == 0) throw IoError(fmt::format("value {} comes from nowhere: no step makes it", i));
    }
    for (std::size_t k = 0; k < steps_.results.size(); ++k) check_read(steps_.results[k], "result {}", k);
    for (std::size_t i = 0; i < steps_.state.size(); ++i) {
      const ProgramState& state = steps_.state[i];
      if (state.before.value != no_value) check_read(state.before, "state {}, before", i);
      if (state.after.value != no_value) check_read(state.after, "state {}, after", i);
    }
  }

 private:
  void check_state() const {
    std::unordered_set<std::string_view> names;
    for (std::size_t i = 0; i < steps_.state.size(); ++i) {
      const auto& [name, before, after] = steps_.state[i];
      if (!names.insert(name).second)
        throw IoError(fmt::format("the state {} is there twice", in_quotes(name)));
      const bool is_read = before.value != no_value, is_written = after.value != no_value;
      if (is_read && is_written && !same_spec(before.spec, after.spec)) {
        throw IoError(
            fmt::format("the state {} is {} and becomes {}: the next call would not find what it reads",
                        in_quotes(name), text_of(before.spec), text_of(after.spec)));
      }
      const Tensor& now = program_.state[i];
      if (!now.defined()) {
        if (is_read) throw IoError(fmt::format("the state {} is read, and is not there", in_quotes(name)));
        continue;
      }
      const Spec& want = is_read ? before.spec : after.spec;
      if (same_spec(array_of(now), want)) continue;
      throw IoError(fmt::format("the state {} must be {}, it is {}", in_quotes(name), text_of(want),
                                text_of(array_of(now))));
    }
  }

  /// Of what steps, results and the state read: there, with its value's dtype and as many elements.
  void check_read(const ProgramOperand& operand, fmt::format_string<std::size_t&> place,
                  std::size_t k) const {
    const auto refuse = [&](const std::string& why) {
      throw IoError(fmt::format("{}: {}", fmt::format(place, k), why));
    };
    if (operand.value >= steps_.values.size())
      refuse(fmt::format("there is no value {}, there are {}", operand.value, steps_.values.size()));
    if (is_there_[operand.value] == 0) refuse(fmt::format("value {} is not made yet", operand.value));
    const Spec& spec = steps_.values[operand.value].spec;
    if (operand.spec.dtype != spec.dtype || operand.spec.shape.numel() != spec.shape.numel()) {
      refuse(fmt::format("value {} is {}, which cannot be seen as {}", operand.value, text_of(spec),
                         text_of(operand.spec)));
    }
  }

  void check_step(std::size_t s) {
    const ProgramStep& step = steps_.steps[s];
    const std::string place = fmt::format("step {} ({})", s, (*step).name());
    try {
      check_ends(step);
      if (const std::string refusal = known_.refusal_of(*step); !refusal.empty()) {
        throw IoError(
            fmt::format("{}; a primitive that is saved and loaded needs a default constructor and "
                        "check_loaded",
                        refusal));
      }
      check_call(step);
    } catch (const Error& error) {
      throw IoError(fmt::format("{}: {}", place, error.what()));
    }
    for (const ProgramOperand& output : step.outputs) {
      if (output.value != no_value) is_there_[output.value] = 1;
    }
  }

  void check_ends(const ProgramStep& step) const {
    for (std::size_t i = 0; i < step.inputs.size(); ++i) check_read(step.inputs[i], "input {}", i);
    std::unordered_set<ValueIndex> made;
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const auto& [value, spec] = step.outputs[k];
      if (value == no_value) continue;
      if (value >= steps_.values.size())
        throw IoError(
            fmt::format("output {}: there is no value {}, there are {}", k, value, steps_.values.size()));
      if (is_there_[value] != 0 || !made.insert(value).second)
        throw IoError(fmt::format("output {}: value {} is there already", k, value));
      if (!same_spec(spec, steps_.values[value].spec)) {
        throw IoError(fmt::format("output {}: value {} is {}, and is made as {}", k, value,
                                  text_of(steps_.values[value].spec), text_of(spec)));
      }
    }
    if (made.empty()) throw IoError("it makes nothing");
  }

  void check_call(const ProgramStep& step) const {
    std::vector<const Spec*> in, out;
    for (const ProgramOperand& input : step.inputs) in.push_back(&input.spec);
    for (const ProgramOperand& output : step.outputs)
      out.push_back(output.value == no_value ? nullptr : &output.spec);
    (*step).check_loaded(in, out);
    const Counts counts = (*step).counts(in);
    if (out.size() != counts.outputs + counts.auxiliaries) {
      throw IoError(
          fmt::format("there are {} outputs, expected {}", out.size(), counts.outputs + counts.auxiliaries));
    }
    std::vector<Spec> inferred(out.size());
    std::vector<Spec*> places;
    for (Spec& each : inferred) places.push_back(&each);
    (*step).infer(in, places);
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (out[k] == nullptr) continue;
      if ((*step).alias_of(static_cast<int>(k)) >= 0)
        throw IoError(fmt::format("output {} would be an input in another shape, which is no step", k));
      if (same_spec(*out[k], inferred[k])) continue;
      throw IoError(
          fmt::format("output {} is {}, the operation makes {}", k, text_of(*out[k]), text_of(inferred[k])));
    }
  }

  const SavedProgram& program_;
  const ProgramSteps& steps_;
  const KnownPrimitives known_;
  std::vector<char> is_there_;
};

}  // namespace

void check_program(const SavedProgram& program) { Checker(program).run(); }

}  // namespace xtgrad::v1::detail
