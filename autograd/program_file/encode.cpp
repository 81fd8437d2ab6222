#include "xtgrad/autograd/program_file/encode.h"

#include <fmt/format.h>

#include <string>
#include <utility>

#include "xtgrad/autograd/core/attribute_lists.h"
#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/on_behalf.h"
#include "xtgrad/autograd/program_file/attribute_json.h"
#include "xtgrad/autograd/program_file/check_program.h"

namespace xtgrad::inline v1::detail {
namespace {

Json number(std::size_t value) { return {static_cast<std::int64_t>(value)}; }
Json text(std::string_view value) { return {std::string(value)}; }

Json sizes_of(const Shape& shape) {
  Json::List sizes;
  for (const std::int64_t size : shape) sizes.push_back({size});
  return {std::move(sizes)};
}

class Encoder {
 public:
  explicit Encoder(const SavedProgram& program) : program_(program), steps_(program.steps) {}

  Json description() {
    Json::Object all;
    all.emplace_back("version", Json{program_version});
    all.emplace_back("xtgrad", text(XTGRAD_VERSION));
    all.emplace_back("recorded_steps", number(program_.recorded_steps));
    all.emplace_back("values", list_of(steps_.values, [&](const ProgramValue& v) { return value(v); }));
    Json::List inputs, constants, state;
    for (std::size_t k = 0; k < steps_.inputs.size(); ++k) inputs.push_back(input(k));
    for (std::size_t i = 0; i < steps_.values.size(); ++i) {
      if (steps_.values[i].source == ProgramValue::Source::constant) constants.push_back(number(i));
    }
    for (const ProgramState& each : steps_.state) {
      state.push_back({Json::Object{
          {"name", text(each.name)}, {"before", operand(each.before)}, {"after", operand(each.after)}}});
    }
    all.emplace_back("inputs", Json{std::move(inputs)});
    all.emplace_back("constants", Json{std::move(constants)});
    all.emplace_back("state", Json{std::move(state)});
    all.emplace_back("steps", list_of(steps_.steps, [&](const ProgramStep& s) { return step(s); }));
    all.emplace_back("results", operands(steps_.results));
    return {std::move(all)};
  }

  [[nodiscard]] std::vector<NamedTensor> tensors() const {
    std::vector<NamedTensor> all;
    for (std::size_t i = 0; i < steps_.values.size(); ++i) {
      const ProgramValue& value = steps_.values[i];
      if (value.source != ProgramValue::Source::constant) continue;
      all.push_back(
          {constant_name(i), make_constant(Array(value.spec.shape, value.spec.dtype, value.elements))});
    }
    for (std::size_t i = 0; i < steps_.state.size(); ++i) {
      if (program_.state[i].defined()) all.push_back({state_name(steps_.state[i].name), program_.state[i]});
    }
    return all;
  }

 private:
  template <class List, class F>
  static Json list_of(const List& list, const F& f) {
    Json::List all;
    for (const auto& each : list) all.push_back(f(each));
    return {std::move(all)};
  }

  static Json value(const ProgramValue& value) {
    Json::List spec{text(to_string(value.spec.dtype)), sizes_of(value.spec.shape)};
    if (value.cotangent != no_value) spec.push_back(number(value.cotangent));
    return {std::move(spec)};
  }
  [[nodiscard]] Json operand(const ProgramOperand& operand) const {
    if (operand.value == no_value) return {nullptr};
    if (same_spec(operand.spec, steps_.values[operand.value].spec)) return number(operand.value);
    return {Json::List{number(operand.value), sizes_of(operand.spec.shape)}};
  }
  [[nodiscard]] Json operands(const std::vector<ProgramOperand>& list) const {
    return list_of(list, [&](const ProgramOperand& each) { return operand(each); });
  }
  [[nodiscard]] Json input(std::size_t k) const {
    const ValueIndex value = steps_.inputs[k].value;
    return {Json::Object{{"value", number(value)},
                         {"name", text(steps_.values[value].name)},
                         {"wants_gradient", {program_.wants_gradient[k] != 0}}}};
  }
  [[nodiscard]] Json step(const ProgramStep& step) const {
    Json::Object attributes;
    for (const NamedAttribute& attribute : attributes_of(*step))
      attributes.emplace_back(attribute.name, json_of(attribute.value));
    Json::Object all{{"operation", text((*step).name())},
                     {"attributes", {std::move(attributes)}},
                     {"inputs", operands(step.inputs)},
                     {"outputs", operands(step.outputs)}};
    const auto& [module, rule, of] = step.origin;
    if (!module.empty()) all.emplace_back("module", text(module));
    if (!rule.empty()) all.emplace_back("rule", text(rule));
    if (of != no_value) all.emplace_back("of", number(of));
    return {std::move(all)};
  }

  const SavedProgram& program_;
  const ProgramSteps& steps_;
};

Safetensors contents_for(std::string_view function, const SavedProgram& program) {
  try {
    return encoded(program);
  } catch (const ValueError& error) {
    throw ValueError(fmt::format("{}: {}", function, error.what()));
  }
}

}  // namespace

Safetensors encoded(const SavedProgram& program) {
  try {
    check_program(program);
  } catch (const IoError& error) {
    throw ValueError(error.what());  // there is no file yet
  }
  Encoder encoder(program);
  return {.tensors = encoder.tensors(), .metadata = {{program_note, to_text(encoder.description())}}};
}

std::string encode_program(std::string_view function, const SavedProgram& program) {
  return encode_safetensors(function, contents_for(function, program));
}

void save_program(std::string_view function, const std::string& path, const SavedProgram& program) {
  save_safetensors(function, path, contents_for(function, program));
}

}  // namespace xtgrad::v1::detail
