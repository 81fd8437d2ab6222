#include "xtgrad/autograd/emit/homes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

/// An element of `elements` as a literal.
std::string element_literal(Dtype dtype, const void* elements, std::int64_t i) {
  return visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    const T value = static_cast<const T*>(elements)[i];
    if constexpr (std::is_same_v<T, bool> || std::is_floating_point_v<T>) {
      return literal(value);
    } else if constexpr (sizeof(T) == 8) {
      return literal(static_cast<long long>(value));
    } else {
      return fmt::format("{}", value);
    }
  });
}

/// Whether all elements have the bits of the first.
bool is_uniform(const void* elements, std::size_t bytes, std::size_t size) {
  const auto* data = static_cast<const std::byte*>(elements);
  for (std::size_t i = size; i < bytes; i += size) {
    if (!std::equal(data, data + size, data + i)) return false;
  }
  return true;
}

}  // namespace

std::string array_definition(const std::string& name, const Spec& spec, const void* elements) {
  const std::int64_t n = spec.shape.numel();
  std::string text =
      fmt::format("static const {} {}[{}] = {{", cpp_type(spec.dtype), name, std::max<std::int64_t>(n, 1));
  constexpr std::int64_t per_line = 8;
  for (std::int64_t i = 0; i < n; ++i) {
    text += i % per_line == 0 ? "\n    " : " ";
    text += element_literal(spec.dtype, elements, i);
    if (i + 1 < n) text += ",";
  }
  return text + "};\n";
}

ValueHomes::ValueHomes(const ProgramSteps& program, const std::vector<StepGroup>& groups,
                       const EmitOptions& options)
    : program_(program),
      groups_(groups),
      homes_(program.values.size()),
      made_(program.values.size(), never),
      last_read_(program.values.size(), never),
      is_end_(program.values.size()),
      written_states_(program.state.size()),
      written_results_(program.results.size()) {
  find_uses();
  place_state(options);
  place_sources(options);
  place_next_state();
  place_results();
}

void ValueHomes::find_uses() {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t s = groups_[g].begin; s < groups_[g].end; ++s) {
      for (const ProgramOperand& input : program_.steps[s].inputs) last_read_[input.value] = g;
      for (const ProgramOperand& output : program_.steps[s].outputs) {
        if (output.value != no_value) made_[output.value] = g;
      }
    }
  }
  for (const ProgramOperand& result : program_.results) is_end_[result.value] = 1;
  for (const ProgramState& state : program_.state) {
    if (state.after.value != no_value) is_end_[state.after.value] = 1;
  }
}

bool ValueHomes::needs_array(ValueIndex value) const {
  for (const StepGroup& group : groups_) {
    for (std::size_t s = group.begin; s < group.end; ++s) {
      const TextOf& text = *text_of(*program_.steps[s]);
      for (std::size_t k = 0; k < program_.steps[s].inputs.size(); ++k) {
        if (program_.steps[s].inputs[k].value != value) continue;
        if (group.is_whole || (text.lists >> k & 1U) != 0) return true;
      }
    }
  }
  return false;
}

/// Names of members, each an identifier that no other has.
void ValueHomes::place_state(const EmitOptions& options) {
  std::set<std::string> names;
  std::set<std::string> given;
  for (std::size_t k = 0; k < program_.state.size(); ++k) {
    const ProgramState& state = program_.state[k];
    const bool changes = state.after.value != no_value && state.after.value != state.before.value;
    const ProgramOperand& operand = state.before.value != no_value ? state.before : state.after;
    if (operand.value == no_value) continue;
    StateMember member;
    member.state = k;
    member.spec = operand.spec;
    for (const NamedTensor& one : options.state) {
      if (one.name != state.name) continue;
      given.insert(one.name);
      if (one.value.dtype() != operand.spec.dtype || !(one.value.shape() == operand.spec.shape)) {
        throw ValueError(fmt::format("emit_cpp: the state \"{}\" is {} {}, got {} {}", one.name,
                                     to_string(operand.spec.dtype), to_string(operand.spec.shape),
                                     to_string(one.value.dtype()), to_string(one.value.shape())));
      }
      member.value = &one.value;
    }
    std::string name = identifier_of(state.name);
    while (!names.insert(name).second) name += "_2";
    if (changes || member.value == nullptr) {
      member.member = name;
    } else if (state.before.value != no_value) {
      constants_ += fmt::format("// {}, {}\n", identifier_of(state.name), to_string(operand.spec.shape));
      constants_ += array_definition(name, operand.spec, array_of(*member.value).buffer.data());
      homes_[state.before.value] = {ValueHome::Kind::array, name};
    }
    members_.push_back(std::move(member));
  }
  for (const NamedTensor& one : options.state) {
    if (!given.contains(one.name))
      throw ValueError(fmt::format("emit_cpp: the program has no state \"{}\"", one.name));
  }
}

void ValueHomes::place_sources(const EmitOptions&) {
  for (std::size_t k = 0; k < program_.inputs.size(); ++k)
    homes_[program_.inputs[k].value] = {ValueHome::Kind::array, fmt::format("in{}", k)};
  for (const StateMember& member : members_) {
    const ValueIndex value = program_.state[member.state].before.value;
    if (value == no_value || member.member.empty()) continue;
    const bool is_one = member.spec.shape.numel() == 1;
    homes_[value] = {is_one ? ValueHome::Kind::scalar : ValueHome::Kind::array, "state." + member.member};
  }
  for (ValueIndex value = 0; value < program_.values.size(); ++value) {
    if (program_.values[value].source == ProgramValue::Source::constant) place_constant(value);
  }
}

void ValueHomes::place_constant(ValueIndex value) {
  const ProgramValue& constant = program_.values[value];
  const std::size_t size = item_size(constant.spec.dtype);
  const void* elements = constant.elements.get() == nullptr ? nullptr : constant.elements.data();
  const bool one_text = constant.bytes >= size && is_uniform(elements, constant.bytes, size);
  if (one_text && !needs_array(value)) {
    homes_[value] = {ValueHome::Kind::number, element_literal(constant.spec.dtype, elements, 0)};
    return;
  }
  const std::string name = fmt::format("c{}", value);
  constants_ += array_definition(name, constant.spec, elements);
  homes_[value] = {ValueHome::Kind::array, name};
}

/// Whether nothing reads the state any more when its next value is made, or after that, but for the same
/// loop at the same place, and no run is refused from there on.
bool ValueHomes::may_overwrite(const ProgramState& state) const {
  const ValueIndex next = state.after.value;
  if (made_[next] == never) return false;
  const std::size_t at = made_[next];
  for (std::size_t g = at; g < groups_.size(); ++g) {
    if (groups_[g].refuses) return false;
  }
  const ValueIndex before = state.before.value;
  if (before == no_value) return true;
  if (is_end_[before] != 0) return false;
  if (last_read_[before] == never || last_read_[before] < at) return true;
  if (last_read_[before] > at || groups_[at].is_whole) return false;
  for (std::size_t s = groups_[at].begin; s < groups_[at].end; ++s) {
    const TextOf& text = *text_of(*program_.steps[s]);
    for (std::size_t k = 0; k < program_.steps[s].inputs.size(); ++k) {
      const ProgramOperand& input = program_.steps[s].inputs[k];
      if (input.value != before) continue;
      if ((text.lists >> k & 1U) != 0 || input.spec.shape.numel() != groups_[at].elements) return false;
    }
  }
  return true;
}

void ValueHomes::place_next_state() {
  for (StateMember& member : members_) {
    const ProgramState& state = program_.state[member.state];
    const ValueIndex next = state.after.value;
    if (member.member.empty() || next == no_value || homes_[next].kind != ValueHome::Kind::none) continue;
    if (!may_overwrite(state)) continue;
    const bool is_one = member.spec.shape.numel() == 1;
    homes_[next] = {is_one ? ValueHome::Kind::scalar : ValueHome::Kind::array, "state." + member.member};
    member.in_place = true;
    written_states_[member.state] = 1;
  }
}

void ValueHomes::place_results() {
  for (std::size_t k = 0; k < program_.results.size(); ++k) {
    const ValueIndex value = program_.results[k].value;
    if (homes_[value].kind != ValueHome::Kind::none) continue;
    homes_[value] = {ValueHome::Kind::array, fmt::format("result{}", k)};
    written_results_[k] = 1;
  }
}

bool ValueHomes::is_written(std::size_t state) const { return written_states_[state] != 0; }

void ValueHomes::begin_group(std::size_t group, Statements& code) {
  const StepGroup& steps = groups_[group];
  for (std::size_t s = steps.begin; s < steps.end; ++s) {
    for (const ProgramOperand& output : program_.steps[s].outputs) {
      const ValueIndex value = output.value;
      if (value == no_value || homes_[value].kind != ValueHome::Kind::none) continue;
      const std::string name = fmt::format("v{}", value);
      const bool stays_inside =
          is_end_[value] == 0 && (last_read_[value] == never || last_read_[value] == group);
      const std::string_view type = cpp_type(output.spec.dtype);
      if (output.spec.shape.numel() == 1) {
        homes_[value] = {ValueHome::Kind::scalar, name};
        if (steps.is_whole) code.define(name, fmt::format("{} {};", type, name));
      } else if (!steps.is_whole && stays_inside) {
        homes_[value] = {ValueHome::Kind::group, name};
      } else {
        const StaticArena::Place place = arena_.take(output.spec.dtype, output.spec.shape.numel());
        places_.emplace(value, place);
        homes_[value] = {ValueHome::Kind::array, name};
        code.define(name, fmt::format("{}* const {} = {};", type, name, StaticArena::pointer(place)));
      }
    }
  }
}

void ValueHomes::end_group(std::size_t group) {
  for (const StaticArena::Place& place : scratch_) arena_.give_back(place);
  scratch_.clear();
  for (auto it = places_.begin(); it != places_.end();) {
    const ValueIndex value = it->first;
    const bool is_over = is_end_[value] == 0 && (last_read_[value] == never || last_read_[value] <= group);
    if (is_over) arena_.give_back(it->second);
    it = is_over ? places_.erase(it) : std::next(it);
  }
}

StaticArena::Place ValueHomes::scratch(Dtype dtype, std::int64_t elements) {
  return scratch_.emplace_back(arena_.take(dtype, elements));
}

std::string ValueHomes::element(ValueIndex value, std::string_view index) const {
  const ValueHome& home = homes_[value];
  return home.kind == ValueHome::Kind::array ? fmt::format("{}[{}]", home.text, index) : home.text;
}

std::string ValueHomes::pointer(ValueIndex value) const {
  const ValueHome& home = homes_[value];
  if (home.kind == ValueHome::Kind::array) return home.text;
  if (home.kind == ValueHome::Kind::scalar) return "(&" + home.text + ")";
  throw InternalError(fmt::format("emit_cpp: value {} is no array", value));
}

}  // namespace xtgrad::v1::detail
