#include "xtgrad/autograd/program_file/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "xtgrad/autograd/core/known_primitives.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/program_file/attribute_json.h"
#include "xtgrad/autograd/program_file/check_program.h"
#include "xtgrad/autograd/program_file/json_fields.h"

namespace xtgrad::inline v1::detail {
namespace {

using Source = ProgramValue::Source;

constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::max();
/// Of a value, a step or an operand, in memory: more than each takes.
constexpr std::uint64_t around_each = 512;

const Json& description_of(const Safetensors& contents, MemoryBudget& budget, Json& json) {
  const auto note = std::ranges::find(contents.metadata, program_note, &Safetensors::Note::key);
  if (note == contents.metadata.end())
    throw IoError(fmt::format("there is no program in it: the metadata have no \"{}\"", program_note));
  json = parse_json(note->text, budget);
  return json;
}

/// Before anything else is looked at, which another version may have changed.
void check_version(const Json& json) {
  const auto* const object = std::get_if<Json::Object>(&json.value);
  if (object == nullptr) throw_unexpected("the program", "an object", json);
  const auto found = std::ranges::find(*object, "version", &Json::Member::name);
  if (found == object->end()) throw IoError("version is missing");
  const std::size_t version = number_at("version", found->value, any_number);
  if (version == program_version) return;
  throw IoError(fmt::format("the program's version is {}, this xtgrad reads {}{}", version, program_version,
                            version > program_version ? "; a newer one may read the file" : ""));
}

Shape shape_at(const std::string& place, const Json& json) {
  std::vector<std::int64_t> sizes;
  for (const Json& size : list_at(place, json)) {
    if (sizes.size() == Shape::max_rank)
      throw IoError(fmt::format("{}: more than {} dimensions", place, Shape::max_rank));
    sizes.push_back(static_cast<std::int64_t>(number_at(place, size, any_number)));
  }
  try {
    return Shape(std::span<const std::int64_t>(sizes));
  } catch (const Error& error) {
    throw IoError(fmt::format("{}: {}", place, error.what()));
  }
}

Dtype dtype_at(const std::string& place, const Json& json) {
  try {
    return parse_dtype(text_at(place, json));
  } catch (const IoError&) {
    throw;
  } catch (const Error& error) {
    throw IoError(fmt::format("{}: {}", place, error.what()));
  }
}

class Decoder {
 public:
  Decoder(const Safetensors& contents, const Json& json, MemoryBudget& budget)
      : fields_("program", json,
                {"version", "xtgrad", "recorded_steps", "values", "inputs", "constants", "state", "steps",
                 "results"}),
        budget_(budget) {
    for (const NamedTensor& tensor : contents.tensors) tensors_.emplace(tensor.name, tensor.value);
  }

  SavedProgram decode() {
    static_cast<void>(text_at("program.xtgrad", fields_.at("xtgrad")));
    program_.recorded_steps = number_at("program.recorded_steps", fields_.at("recorded_steps"), any_number);
    read_values();
    for_each("inputs", [&](const std::string& place, const Json& json) { read_input(place, json); });
    for_each("constants", [&](const std::string& place, const Json& json) { read_constant(place, json); });
    for_each("state", [&](const std::string& place, const Json& json) { read_state(place, json); });
    for_each("steps", [&](const std::string& place, const Json& json) { read_step(place, json); });
    steps().results = operands_at("results", fields_.at("results"), false);
    if (!tensors_.empty())
      throw IoError(fmt::format("tensor {} is none of the program's", in_quotes(tensors_.begin()->first)));
    return std::move(program_);
  }

 private:
  ProgramSteps& steps() { return program_.steps; }

  /// Calls f(place, json) for each in a list.
  template <class F>
  void for_each(std::string_view key, const F& f) {
    const Json::List& list = list_at(key, fields_.at(key));
    for (std::size_t i = 0; i < list.size(); ++i) {
      budget_.take(around_each);
      f(fmt::format("{}[{}]", key, i), list[i]);
    }
  }

  void read_values() {
    const std::size_t count = list_at("values", fields_.at("values")).size();
    for_each("values", [&](const std::string& place, const Json& json) {
      const Json::List& list = list_at(place, json);
      if (list.size() != 2 && list.size() != 3)
        throw IoError(fmt::format("{}: expected [dtype, shape] or [dtype, shape, value], found {} entries",
                                  place, list.size()));
      ProgramValue value;
      value.spec = {shape_at(place, list[1]), dtype_at(place, list[0]), {}};
      try {
        value.bytes = bytes_of(value.spec.shape, value.spec.dtype);
      } catch (const Error& error) {
        throw IoError(fmt::format("{}: {}", place, error.what()));
      }
      if (list.size() == 3)
        value.cotangent =
            static_cast<ValueIndex>(number_at(place, list[2], static_cast<std::int64_t>(count)));
      steps().values.push_back(std::move(value));
    });
    if (count >= no_value) throw IoError(fmt::format("there are {} values, at most {}", count, no_value - 1));
  }

  [[nodiscard]] ValueIndex value_at(std::string_view place, const Json& json) {
    return static_cast<ValueIndex>(number_at(place, json, static_cast<std::int64_t>(steps().values.size())));
  }

  ProgramOperand operand_at(const std::string& place, const Json& json, bool may_be_none) {
    if (may_be_none && std::holds_alternative<std::nullptr_t>(json.value)) return {};
    const auto* const list = std::get_if<Json::List>(&json.value);
    if (list != nullptr && list->size() != 2)
      throw IoError(fmt::format("{}: expected [value, shape], found {} entries", place, list->size()));
    const ValueIndex value = value_at(place, list != nullptr ? list->front() : json);
    Spec spec = steps().values[value].spec;
    if (list != nullptr) spec.shape = shape_at(place, list->back());
    return {value, spec};
  }
  std::vector<ProgramOperand> operands_at(const std::string& place, const Json& json, bool may_be_none) {
    std::vector<ProgramOperand> operands;
    for (const Json& each : list_at(place, json)) {
      budget_.take(around_each);
      operands.push_back(operand_at(place, each, may_be_none));
    }
    return operands;
  }

  /// Says where a value comes from, which is one place.
  ProgramValue& claim(const std::string& place, ValueIndex number, Source source) {
    ProgramValue& value = steps().values[number];
    if (value.source != Source::step)
      throw IoError(fmt::format("{}: value {} is an input, a constant or a state already", place, number));
    value.source = source;
    return value;
  }

  void read_input(const std::string& place, const Json& json) {
    const Fields fields(place, json, {"value", "name", "wants_gradient"});
    const ValueIndex number = value_at(fields.place_of("value"), fields.at("value"));
    ProgramValue& value = claim(place, number, Source::input);
    value.name = text_at(fields.place_of("name"), fields.at("name"));
    program_.wants_gradient.push_back(
        bool_at(fields.place_of("wants_gradient"), fields.at("wants_gradient")) ? 1 : 0);
    steps().inputs.push_back({number, value.spec});
  }

  /// The tensor of that name, which is then gone; an empty handle if there is none.
  Tensor take(const std::string& name) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) return {};
    Tensor tensor = std::move(found->second);
    tensors_.erase(found);
    return tensor;
  }

  void read_constant(const std::string& place, const Json& json) {
    const ValueIndex number = value_at(place, json);
    ProgramValue& value = claim(place, number, Source::constant);
    const Tensor tensor = take(constant_name(number));
    if (!tensor.defined())
      throw IoError(fmt::format("{}: there is no tensor {}", place, in_quotes(constant_name(number))));
    const Array& array = array_of(tensor);
    if (!same_spec(array, value.spec)) {
      throw IoError(fmt::format("{}: value {} is {} {}, the tensor {} is {} {}", place, number,
                                to_string(value.spec.dtype), to_string(value.spec.shape),
                                in_quotes(constant_name(number)), to_string(array.dtype),
                                to_string(array.shape)));
    }
    value.elements = array.buffer;
  }

  void read_state(const std::string& place, const Json& json) {
    const Fields fields(place, json, {"name", "before", "after"});
    ProgramState state{text_at(fields.place_of("name"), fields.at("name")),
                       operand_at(fields.place_of("before"), fields.at("before"), true),
                       operand_at(fields.place_of("after"), fields.at("after"), true)};
    if (state.before.value == no_value && state.after.value == no_value)
      throw IoError(fmt::format("{}: it is neither read nor written", place));
    if (state.before.value != no_value) claim(place, state.before.value, Source::state).name = state.name;
    program_.state.push_back(take(state_name(state.name)));
    steps().state.push_back(std::move(state));
  }

  void read_step(const std::string& place, const Json& json) {
    const Fields fields(place, json, {"operation", "attributes", "inputs", "outputs"},
                        {"module", "rule", "of"});
    const std::string& name = text_at(fields.place_of("operation"), fields.at("operation"));
    const std::string called = fmt::format("step {} ({})", steps().steps.size(), in_quotes(name));
    const auto* const object = std::get_if<Json::Object>(&fields.at("attributes").value);
    if (object == nullptr) throw_unexpected(called + ": attributes", "an object", fields.at("attributes"));
    KnownPrimitives::Made made;
    try {
      std::vector<NamedAttribute> attributes;
      for (const auto& [key, value] : *object) attributes.push_back({key, attribute_of(key, value)});
      made = known_.make(name, attributes);
    } catch (const IoError& error) {
      throw IoError(fmt::format("{}: {}", called, error.what()));
    }
    if (!made.primitive) throw IoError(fmt::format("{}: {}", called, made.refusal));
    ProgramStep step{std::make_shared<const PrimitiveCopy>(std::move(*made.primitive)),
                     operands_at(called + ": inputs", fields.at("inputs"), false),
                     operands_at(called + ": outputs", fields.at("outputs"), true)};
    if (const Json* module = fields.find("module"))
      step.origin.module = text_at(called + ": module", *module);
    if (const Json* rule = fields.find("rule")) step.origin.rule = text_at(called + ": rule", *rule);
    if (const Json* of = fields.find("of")) step.origin.of = value_at(called + ": of", *of);
    steps().steps.push_back(std::move(step));
  }

  Fields fields_;
  MemoryBudget& budget_;
  KnownPrimitives known_;
  std::unordered_map<std::string, Tensor> tensors_;  // that nothing has taken yet
  SavedProgram program_;
};

}  // namespace

SavedProgram decoded(const Safetensors& contents, MemoryBudget& budget) {
  Json json;
  const Json& description = description_of(contents, budget, json);
  check_version(description);
  SavedProgram program = Decoder(contents, description, budget).decode();
  check_program(program);
  return program;
}

}  // namespace xtgrad::v1::detail
