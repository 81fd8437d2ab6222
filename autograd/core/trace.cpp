#include "xtgrad/autograd/core/trace.h"

#include <fmt/format.h>

#include <cstring>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

BufferRef copy_of(const BufferRef& buffer, std::size_t bytes) {
  BufferRef copy = BufferRef::allocate(bytes);
  std::memcpy(copy.data(), buffer.data(), bytes);
  return copy;
}

}  // namespace

Tracer::Tracer(Keeps keeps) : keeps_(keeps), scope_(*this) {}
Tracer::~Tracer() = default;

void Tracer::declare(std::string_view name, const Tensor& tensor) {
  const Array& array = array_of(tensor);
  TracedValue& value = trace_.values[value_of(array)];
  value.name = name;
  value.is_declared = true;
}

std::size_t Tracer::add_value(const Array& array, bool copies) {
  const std::size_t bytes = bytes_of(array.shape, array.dtype);
  trace_.values.push_back({.name = {},
                           .held = array.buffer,
                           .buffer = copies ? copy_of(array.buffer, bytes) : array.buffer,
                           .bytes = bytes});
  return trace_.values.size() - 1;
}

std::size_t Tracer::value_of(const Array& array) {
  if (const std::size_t known = find(array); known != TracedOperand::none) return known;
  const std::size_t value = add_value(array, keeps_ == Keeps::copies);
  index_.emplace(array.buffer.get(), value);
  return value;
}

std::size_t Tracer::find(const Array& array) const {
  const auto known = index_.find(array.buffer.get());
  return known == index_.end() ? TracedOperand::none : known->second;
}

/// Inputs that come from outside are copied before the first step that could write to them.
void Tracer::before_eval(const Primitive& primitive, Inputs in, Outputs out) {
  for (const Array* array : in) static_cast<void>(value_of(*array));
  if (keeps_ == Keeps::copies) return;
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (out[k] == nullptr || primitive.alias_of(static_cast<int>(k)) >= 0) continue;
    // What it takes over came up just now: of all that had come up before there is a handle here.
    if (const std::size_t taken = find(*out[k]); taken != TracedOperand::none) {
      TracedValue& value = trace_.values[taken];
      value.buffer = copy_of(value.buffer, value.bytes);
    }
  }
}

void Tracer::after_eval(const Primitive& primitive, Inputs in, Outputs out) {
  TracedStep step{PrimitiveCopy(primitive), {}, {}};
  if (thread_state.refused_by != nullptr) step.function = thread_state.refused_by;
  for (const Array* array : in) step.inputs.push_back({value_of(*array), *array});
  for (std::size_t k = 0; k < out.size(); ++k) {
    if (out[k] == nullptr) {
      step.outputs.emplace_back();
      continue;
    }
    const Array& array = *out[k];
    std::size_t value = 0;
    if (primitive.alias_of(static_cast<int>(k)) >= 0) {
      value = value_of(array);  // an input's: nothing is made
    } else {
      // Another one than an input's, even where it has taken over a buffer before the tracer could hold it.
      value = index_[array.buffer.get()] = add_value(array, keeps_ == Keeps::copies);
      trace_.values[value].is_made = true;
    }
    step.outputs.push_back({value, array});
  }
  trace_.steps.push_back(std::move(step));
}

std::string Trace::text() const {
  const auto names = [&](const std::vector<TracedOperand>& operands) {
    std::string list;
    for (const TracedOperand& operand : operands) {
      if (!list.empty()) list += ", ";
      if (operand.value == TracedOperand::none) {
        list += "_";
      } else if (values[operand.value].name.empty()) {
        list += fmt::format("%{}", operand.value);
      } else {
        list += values[operand.value].name;
      }
    }
    return list;
  };
  std::string text;
  for (const TracedStep& step : steps) {
    const std::string attributes = attribute_text(*step.primitive);
    text += fmt::format("{} = {}{}({})", names(step.outputs), step.primitive->name(),
                        attributes.empty() ? "" : "[" + attributes + "]", names(step.inputs));
    for (const TracedOperand& output : step.outputs) {
      if (output.value == TracedOperand::none) continue;
      text += fmt::format("  {} {}", to_string(output.spec.dtype), to_string(output.spec.shape));
    }
    if (!step.function.empty()) text += "  in " + step.function;
    text += '\n';
  }
  return text;
}

std::vector<BufferRef> Trace::run_again() const {
  std::vector<BufferRef> buffers(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].is_made) buffers[i] = copy_of(values[i].buffer, values[i].bytes);
  }
  std::vector<Array> arrays;
  std::vector<const Array*> in;
  std::vector<Array*> out;
  for (const TracedStep& step : steps) {
    arrays.clear();
    for (const TracedOperand& operand : step.inputs) {
      if (!buffers[operand.value]) {
        throw InternalError(fmt::format("{}: the trace reads value {} before a step has made it",
                                        step.primitive->name(), operand.value));
      }
      arrays.emplace_back(operand.spec.shape, operand.spec.dtype, buffers[operand.value]);
    }
    bool evaluates = false;
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      const TracedOperand& output = step.outputs[k];
      if (output.value == TracedOperand::none) {
        arrays.emplace_back();
        continue;
      }
      if (step.primitive->alias_of(static_cast<int>(k)) < 0) {
        evaluates = true;
        buffers[output.value] = BufferRef::allocate(values[output.value].bytes);
        std::memset(buffers[output.value].data(), 0xFF, values[output.value].bytes);
      }
      arrays.emplace_back(output.spec.shape, output.spec.dtype, buffers[output.value]);
    }
    if (!evaluates) continue;
    in.clear();
    out.clear();
    for (std::size_t i = 0; i < step.inputs.size(); ++i) in.push_back(&arrays[i]);
    for (std::size_t k = 0; k < step.outputs.size(); ++k) {
      out.push_back(step.outputs[k].value == TracedOperand::none ? nullptr : &arrays[step.inputs.size() + k]);
    }
    step.primitive->eval(in, out);
  }
  return buffers;
}

}  // namespace xtgrad::v1::detail
