// Programs from any bytes, and from any description in front of tensors that go with it: what is taken runs,
// or throws an Error as a function of its inputs does; it is saved again, and taken again. All else throws
// IoError.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/known_primitives.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/from_values.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/loaded_program.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/program_file/attribute_json.h"
#include "xtgrad/autograd/program_file/json.h"
#include "xtgrad/autograd/program_file/saved_program.h"

using namespace xtgrad;

namespace {

constexpr std::int64_t most_elements = 1 << 10;
constexpr ReadLimits limits{.max_bytes = 1 << 19};

/// Small numbers of either sign, so that some are places of what they index.
Tensor elements_of(const Spec& spec) {
  const std::int64_t n = spec.shape.numel();
  std::vector<double> values(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<double>((i * 5 + 1) % 4);
  if (is_floating(spec.dtype) && n > 2) values[1] = -1.5;
  return reshape(from_vector(values), Dims(spec.shape)).to(spec.dtype);
}

using detail::Json;

const Json* member(const Json& json, std::string_view key) {
  const auto* object = std::get_if<Json::Object>(&json.value);
  if (object == nullptr) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Json::List& list_of(const Json* json) {
  static const Json::List none;
  const auto* list = json == nullptr ? nullptr : std::get_if<Json::List>(&json->value);
  return list == nullptr ? none : *list;
}

/// The tensor of a value of the description, whatever its number is written as; nothing for a large one.
void add_tensor(Safetensors& contents, const std::string& name, const Json& description, const Json* number) {
  const auto* list = number == nullptr ? nullptr : std::get_if<Json::List>(&number->value);
  if (list != nullptr && !list->empty()) number = &list->front();
  const auto* index = number == nullptr ? nullptr : std::get_if<std::int64_t>(&number->value);
  const Json::List& values = list_of(member(description, "values"));
  if (index == nullptr || *index < 0 || static_cast<std::size_t>(*index) >= values.size()) return;
  const Json::List& value = list_of(&values[static_cast<std::size_t>(*index)]);
  if (value.size() < 2) return;
  std::vector<std::int64_t> sizes;
  for (const Json& size : list_of(&value[1])) {
    const auto* n = std::get_if<std::int64_t>(&size.value);
    if (n == nullptr || *n < 0 || *n > most_elements || sizes.size() == 4) return;
    sizes.push_back(*n);
  }
  const auto* dtype = std::get_if<std::string>(&value[0].value);
  for (const NamedTensor& each : contents.tensors) {
    if (each.name == name) return;
  }
  try {
    const Spec spec{
        Shape(std::span<const std::int64_t>(sizes)), parse_dtype(dtype == nullptr ? "" : *dtype), {}};
    if (spec.shape.numel() <= most_elements) contents.tensors.push_back({name, elements_of(spec)});
  } catch (const Error&) {
  }
}

/// Puts what steps infer in the place of what the description says that they make, so that a change of one
/// place is not refused at the next one.
class Repair {
 public:
  explicit Repair(Json& description) : values_(list_in(description, "values")) {
    if (values_ == nullptr) return;
    Json::List* const steps = list_in(description, "steps");
    if (steps == nullptr) return;
    for (Json& step : *steps) repair(step);
  }

 private:
  static Json::List* list_in(Json& json, std::string_view key) {
    const Json* found = member(json, key);
    return found == nullptr ? nullptr : std::get_if<Json::List>(&const_cast<Json*>(found)->value);
  }
  Json::List* value_at(const Json& operand) {
    const Json* number = &operand;
    if (const auto* list = std::get_if<Json::List>(&operand.value); list != nullptr && !list->empty())
      number = &list->front();
    const auto* index = std::get_if<std::int64_t>(&number->value);
    if (index == nullptr || *index < 0 || static_cast<std::size_t>(*index) >= values_->size()) return nullptr;
    auto* value = std::get_if<Json::List>(&(*values_)[static_cast<std::size_t>(*index)].value);
    return value != nullptr && value->size() >= 2 ? value : nullptr;
  }
  static Shape shape_of(const Json& json) {
    std::vector<std::int64_t> sizes;
    for (const Json& size : list_of(&json)) {
      if (const auto* n = std::get_if<std::int64_t>(&size.value)) sizes.push_back(*n);
    }
    return Shape(std::span<const std::int64_t>(sizes));
  }
  Spec spec_of(const Json& operand) {
    const Json::List* value = value_at(operand);
    const auto* dtype = value == nullptr ? nullptr : std::get_if<std::string>(&value->front().value);
    if (dtype == nullptr) throw ValueError("no value");
    const auto* list = std::get_if<Json::List>(&operand.value);
    return {
        shape_of(list != nullptr && list->size() == 2 ? list->back() : (*value)[1]), parse_dtype(*dtype), {}};
  }

  void repair(const Json& step) {
    const Json *name = member(step, "operation"), *attributes = member(step, "attributes");
    if (name == nullptr || attributes == nullptr || !std::holds_alternative<std::string>(name->value) ||
        !std::holds_alternative<Json::Object>(attributes->value))
      return;
    try {
      std::vector<detail::NamedAttribute> list;
      for (const auto& [key, value] : std::get<Json::Object>(attributes->value))
        list.push_back({key, detail::attribute_of(key, value)});
      const detail::KnownPrimitives::Made made = known_.make(std::get<std::string>(name->value), list);
      if (made.primitive)
        infer(**made.primitive, list_of(member(step, "inputs")), list_of(member(step, "outputs")));
    } catch (const Error&) {
    }
  }

  void infer(const Primitive& primitive, const Json::List& inputs, const Json::List& outputs) {
    std::vector<Spec> in, out(outputs.size());
    for (const Json& input : inputs) in.push_back(spec_of(input));
    std::vector<const Spec*> given, wanted;
    std::vector<Spec*> places;
    for (const Spec& each : in) given.push_back(&each);
    for (std::size_t k = 0; k < out.size(); ++k) {
      places.push_back(&out[k]);
      wanted.push_back(value_at(outputs[k]) == nullptr ? nullptr : &out[k]);
    }
    primitive.check_loaded(given, wanted);
    if (const Counts counts = primitive.counts(given); counts.outputs + counts.auxiliaries != out.size())
      return;
    primitive.infer(given, places);
    for (std::size_t k = 0; k < out.size(); ++k) {
      Json::List* const value = value_at(outputs[k]);
      if (value == nullptr) continue;
      Json::List sizes;
      for (const std::int64_t size : out[k].shape) sizes.push_back({size});
      (*value)[0] = {std::string(to_string(out[k].dtype))};
      (*value)[1] = {std::move(sizes)};
    }
  }

  detail::KnownPrimitives known_;
  Json::List* values_;
};

std::string file_of(std::string_view text, bool repairs) {
  detail::MemoryBudget budget(limits);
  Json json = detail::parse_json(text, budget);
  if (repairs) Repair{json};
  Safetensors contents{.tensors = {}, .metadata = {{detail::program_note, detail::to_text(json)}}};
  for (const Json& number : list_of(member(json, "constants"))) {
    const auto* index = std::get_if<std::int64_t>(&number.value);
    if (index != nullptr) add_tensor(contents, "constant/" + std::to_string(*index), json, &number);
  }
  for (const Json& state : list_of(member(json, "state"))) {
    const Json* name = member(state, "name");
    const auto* state_name = name == nullptr ? nullptr : std::get_if<std::string>(&name->value);
    if (state_name != nullptr)
      add_tensor(contents, detail::state_name(*state_name), json, member(state, "before"));
  }
  return encode_safetensors(contents);
}

/// What a call may end in.
template <class F>
void allow_errors(const F& run) {
  try {
    run();
  } catch (const InternalError&) {
    std::abort();  // by its own word a fault of the library
  } catch (const Error&) {
  } catch (const OutOfMemory&) {
  }
}

/// Loads, runs twice, saves and loads.
void try_program(std::string_view bytes) {
  try {
    LoadedProgram program = decode_program(bytes, "input", limits);
    std::vector<Tensor> inputs;
    for (const LoadedProgram::Input& input : program.inputs()) {
      if (input.spec.shape.numel() > most_elements) return;
      inputs.push_back(elements_of(input.spec));
    }
    static_cast<void>(program.program().to_string());
    static_cast<void>(program.program().plan());
    for (int call = 0; call < 2; ++call) allow_errors([&] { static_cast<void>(program(inputs)); });
    const std::string again = program.encode();
    static_cast<void>(decode_program(again, "again"));
  } catch (const IoError&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try_program(bytes);
  for (const bool repairs : {false, true}) {
    std::string file;
    try {
      file = file_of(bytes, repairs);
    } catch (const Error&) {
      return 0;
    }
    try_program(file);
  }
  return 0;
}
