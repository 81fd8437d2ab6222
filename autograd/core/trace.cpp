#include "xtgrad/autograd/core/trace.h"

#include <fmt/format.h>

#include <cstring>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

Tracer::Tracer() : scope_(*this) {}
Tracer::~Tracer() = default;

void Tracer::declare(std::string_view name, const Tensor& tensor) {
  const Array& array = array_of(tensor);
  TracedValue& value = trace_.values[value_of(array)];
  value.name = name;
  value.is_declared = true;
}

std::size_t Tracer::value_of(const Array& array) {
  const auto [place, is_new] = index_.try_emplace(array.buffer.get(), trace_.values.size());
  if (is_new) {
    trace_.values.push_back(
        {.name = {}, .buffer = array.buffer, .bytes = bytes_of(array.shape, array.dtype)});
  }
  return place->second;
}

void Tracer::after_eval(const Primitive& primitive, Inputs in, Outputs out) {
  TracedStep step{PrimitiveCopy(primitive), {}, {}};
  if (thread_state.refused_by != nullptr) step.function = thread_state.refused_by;
  for (const Array* array : in) step.inputs.push_back({value_of(*array), *array});
  for (const Array* array : out) {
    if (array == nullptr) {
      step.outputs.emplace_back();
      continue;
    }
    const std::size_t known = trace_.values.size();
    const std::size_t value = value_of(*array);
    // An alias of an input makes nothing.
    if (value == known) trace_.values[value].is_made = true;
    step.outputs.push_back({value, *array});
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
    if (!values[i].is_made) buffers[i] = values[i].buffer;
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
