#include "xtgrad/autograd/primitive.h"

#include <fmt/format.h>

#include "xtgrad/autograd/core/parts.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1 {

namespace {

std::vector<const Tensor*> pointers_to(const Primitive& primitive, std::span<const Tensor> inputs) {
  std::vector<const Tensor*> pointers;
  pointers.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) {
      throw ValueError(fmt::format("{}: input {}: the handle is empty", primitive.name(), i));
    }
    pointers.push_back(&inputs[i]);
  }
  return pointers;
}

std::size_t outputs_of(const Primitive& primitive, std::span<const Tensor* const> inputs) {
  std::vector<const Spec*> specs;
  specs.reserve(inputs.size());
  for (const Tensor* input : inputs) specs.push_back(&detail::array_of(*input));
  return primitive.counts(specs).outputs;
}

}  // namespace

void Primitive::require_call(InputSpecs in, InputSpecs out, std::size_t inputs, bool some_outputs) const {
  if (in.size() != inputs)
    throw ValueError(fmt::format("{}: takes {} inputs, got {}", name(), inputs, in.size()));
  const Counts made = counts(in);
  if (out.size() != made.outputs + made.auxiliaries) {
    throw ValueError(fmt::format("{}: makes {} outputs and {} auxiliaries, got {} in all", name(),
                                 made.outputs, made.auxiliaries, out.size()));
  }
  for (std::size_t k = 0; k < made.outputs && !some_outputs; ++k) {
    if (out[k] == nullptr)
      throw ValueError(
          fmt::format("{}: makes all of its {} outputs, output {} is left out", name(), made.outputs, k));
  }
}

Tensor run(const Primitive& primitive, std::span<const Tensor> inputs) {
  const std::vector<const Tensor*> pointers = pointers_to(primitive, inputs);
  if (const std::size_t outputs = outputs_of(primitive, pointers); outputs != 1) {
    throw ValueError(fmt::format("{}: run gives one tensor, and it has {} outputs: run_all gives them all",
                                 primitive.name(), outputs));
  }
  return detail::apply_any(primitive, pointers);
}

Tensor run(const Primitive& primitive, std::initializer_list<Tensor> inputs) {
  return run(primitive, std::span(inputs.begin(), inputs.size()));
}

std::vector<Tensor> run_all(const Primitive& primitive, std::span<const Tensor> inputs) {
  return detail::apply_all(primitive, pointers_to(primitive, inputs));
}

std::vector<Tensor> run_all(const Primitive& primitive, std::initializer_list<Tensor> inputs) {
  return run_all(primitive, std::span(inputs.begin(), inputs.size()));
}

void require_floating(std::string_view operation, InputSpecs in) {
  for (const Spec* spec : in) {
    if (!is_floating(spec->dtype)) {
      throw DtypeError(fmt::format("{}: needs float32 or float64, got {}; convert with to(float32)",
                                   operation, to_string(spec->dtype)));
    }
  }
  for (std::size_t i = 1; i < in.size(); ++i) {
    if (in[i]->dtype == in[0]->dtype) continue;
    throw DtypeError(fmt::format("{}: dtypes differ: input 0 is {}, input {} is {}; convert one with to()",
                                 operation, to_string(in[0]->dtype), i, to_string(in[i]->dtype)));
  }
}

}  // namespace xtgrad::v1
