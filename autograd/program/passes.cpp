#include "xtgrad/autograd/program/passes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/ieee_arithmetic.h"

namespace xtgrad::inline v1::detail {
namespace {

/// Calls f(ValueIndex&) for each operand of what a program reads at its end.
template <class F>
void for_each_end(ProgramSteps& program, const F& f) {
  for (ProgramOperand& result : program.results) f(result.value);
  for (ProgramState& state : program.state) {
    if (state.after.value != no_value) f(state.after.value);
  }
}

template <class F>
void for_each_operand(ProgramSteps& program, const F& f) {
  for (ProgramStep& step : program.steps) {
    for (ProgramOperand& input : step.inputs) f(input.value);
    for (ProgramOperand& output : step.outputs) {
      if (output.value != no_value) f(output.value);
    }
  }
  for_each_end(program, f);
  for (ProgramOperand& input : program.inputs) f(input.value);
  for (ProgramState& state : program.state) {
    if (state.before.value != no_value) f(state.before.value);
  }
}

/// Gives values that are used new numbers, in their order, and forgets the others.
void renumber(ProgramSteps& program) {
  std::vector<ValueIndex> number(program.values.size(), no_value);
  for_each_operand(program, [&](ValueIndex& value) { number[value] = 0; });
  if (std::ranges::find(number, no_value) == number.end()) return;
  std::vector<ProgramValue> kept;
  for (std::size_t i = 0; i < number.size(); ++i) {
    if (number[i] == no_value) continue;
    number[i] = static_cast<ValueIndex>(kept.size());
    kept.push_back(std::move(program.values[i]));
  }
  const auto rename = [&](ValueIndex& value) {
    if (value != no_value) value = number[value];
  };
  for_each_operand(program, rename);
  // What is only told of values does not keep them.
  for (ProgramStep& step : program.steps) rename(step.origin.of);
  for (ProgramValue& value : kept) rename(value.cotangent);
  program.values = std::move(kept);
}

/// Takes out the steps that go, and what only they were for.
void remove(ProgramSteps& program, const std::vector<char>& goes) {
  if (std::ranges::find(goes, 1) == goes.end()) return;
  std::size_t at = 0;
  std::erase_if(program.steps, [&](const ProgramStep&) { return goes[at++] != 0; });
}

template <class T>
void append_bytes(std::string& key, T number) {
  std::array<char, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &number, sizeof(T));
  key.append(bytes.data(), bytes.size());
}

/// What a step computes, as bytes that no other computation has: its primitive with all attributes, and its
/// operands.
std::string key_of(const ProgramStep& step) {
  std::string key;
  const auto add_text = [&](std::string_view text) {
    append_bytes(key, text.size());
    key += text;
  };
  add_text((*step).name());
  for (const NamedAttribute& attribute : attributes_of(*step)) {
    add_text(attribute.name);
    add_text(exact_text(attribute.value));
  }
  const auto add = [&](const ProgramOperand& operand, ValueIndex value) {
    append_bytes(key, value);
    append_bytes(key, operand.spec.dtype);
    append_bytes(key, operand.spec.shape.rank());
    for (const std::int64_t size : operand.spec.shape) append_bytes(key, size);
  };
  append_bytes(key, step.inputs.size());
  for (const ProgramOperand& input : step.inputs) add(input, input.value);
  for (const ProgramOperand& output : step.outputs) add(output, no_value);
  return key;
}

}  // namespace

ProgramSteps without_dead_steps(ProgramSteps program) {
  std::vector<char> is_read(program.values.size(), 0);
  for_each_end(program, [&](ValueIndex value) { is_read[value] = 1; });
  std::vector<char> is_dead(program.steps.size(), 1);
  for (std::size_t s = program.steps.size(); s-- > 0;) {
    ProgramStep& step = program.steps[s];
    for (const ProgramOperand& output : step.outputs) {
      if (output.value != no_value && is_read[output.value] != 0) is_dead[s] = 0;
    }
    if (is_dead[s] != 0) continue;
    for (const ProgramOperand& input : step.inputs) is_read[input.value] = 1;
  }
  remove(program, is_dead);
  // State that nothing reads and that stays what it is is none of the program's.
  for (ProgramState& state : program.state) {
    if (state.before.value == no_value || is_read[state.before.value] != 0) continue;
    state.before = {};
  }
  renumber(program);
  return program;
}

ProgramSteps with_equal_steps_merged(ProgramSteps program) {
  std::unordered_map<std::string, std::size_t> first;
  std::vector<ValueIndex> stands_for(program.values.size());
  for (std::size_t i = 0; i < stands_for.size(); ++i) stands_for[i] = static_cast<ValueIndex>(i);
  std::vector<char> goes(program.steps.size(), 0);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    ProgramStep& step = program.steps[s];
    for (ProgramOperand& input : step.inputs) input.value = stands_for[input.value];
    const auto [known, is_new] = first.try_emplace(key_of(step), s);
    if (is_new) continue;
    ProgramStep& before = program.steps[known->second];
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const ValueIndex later = step.outputs[k].value;
      if (later == no_value) continue;
      ValueIndex& earlier = before.outputs[k].value;
      // Of an output that only the later one wanted: it is the earlier one's now.
      if (earlier == no_value) earlier = later;
      stands_for[later] = earlier;
    }
    goes[s] = 1;
  }
  const auto replace = [&](ValueIndex& value) {
    if (value != no_value) value = stands_for[value];
  };
  for_each_end(program, replace);
  for (ProgramStep& step : program.steps) replace(step.origin.of);
  for (ProgramValue& value : program.values) replace(value.cotangent);
  remove(program, goes);
  renumber(program);
  return program;
}

ProgramSteps with_constants_folded(ProgramSteps program, std::size_t most_bytes) {
  const IeeeArithmetic as_recorded;
  std::vector<char> goes(program.steps.size(), 0);
  for (std::size_t s = 0; s < program.steps.size(); ++s) {
    ProgramStep& step = program.steps[s];
    bool is_constant = true;
    for (const ProgramOperand& input : step.inputs)
      is_constant = is_constant && program.values[input.value].source == ProgramValue::Source::constant;
    for (const ProgramOperand& output : step.outputs)
      is_constant =
          is_constant && (output.value == no_value || program.values[output.value].bytes <= most_bytes);
    if (!is_constant) continue;
    std::vector<Array> arrays;
    for (const ProgramOperand& input : step.inputs)
      arrays.emplace_back(input.spec.shape, input.spec.dtype, program.values[input.value].elements);
    for (const ProgramOperand& output : step.outputs) {
      arrays.push_back(output.value == no_value ? Array()
                                                : Array::uninitialized(output.spec.shape, output.spec.dtype));
    }
    std::vector<const Array*> in;
    std::vector<Array*> out;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) in.push_back(&arrays[i]);
    for (std::size_t k = 0; k < step.outputs.size(); ++k)
      out.push_back(step.outputs[k].value == no_value ? nullptr : &arrays[in.size() + k]);
    (*step).eval(in, out);
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (out[k] == nullptr) continue;
      ProgramValue& value = program.values[step.outputs[k].value];
      value.source = ProgramValue::Source::constant;
      value.elements = out[k]->buffer;
    }
    goes[s] = 1;
  }
  remove(program, goes);
  renumber(program);
  return program;
}

ProgramSteps simplified(ProgramSteps program, std::size_t most_bytes) {
  return without_dead_steps(
      with_constants_folded(with_equal_steps_merged(without_dead_steps(std::move(program))), most_bytes));
}

}  // namespace xtgrad::v1::detail
