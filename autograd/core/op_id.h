#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

namespace xtgrad::inline v1::detail {

/// One id for each line of ops.def.
enum class OpId : std::uint16_t {
#define XTGRAD_PRIMITIVE(name, family) name,
#define XTGRAD_COMPOSITE(name, family) name,
#define XTGRAD_CONSTANT(name, family) name,
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
  count_,
};

inline constexpr std::string_view op_names[] = {
#define XTGRAD_PRIMITIVE(name, family) #name,
#define XTGRAD_COMPOSITE(name, family) #name,
#define XTGRAD_CONSTANT(name, family) #name,
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
};

/// The name of the operation's node, in pictures and lists of steps.
[[nodiscard]] constexpr std::string_view to_string(OpId id) {
  return op_names[static_cast<std::uint16_t>(id)];
}

/// The function that users call, which every message names: `add` for add_number, `sub` for number_sub, and
/// `to` for a cast.
[[nodiscard]] constexpr std::string_view function_name(OpId id) {
  if (id == OpId::cast) return "to";
  constexpr std::string_view first = "number_";
  constexpr std::string_view second = "_number";
  std::string_view name = to_string(id);
  if (name.starts_with(first)) name.remove_prefix(first.size());
  if (name.ends_with(second)) name.remove_suffix(second.size());
  return name;
}

/// What a message calls an operation by its primitive's name: as above, and as it is where the registry has
/// no such name.
[[nodiscard]] constexpr std::string_view without_number(std::string_view name) {
  for (std::size_t i = 0; i < std::size(op_names); ++i) {
    if (op_names[i] == name) return function_name(static_cast<OpId>(i));
  }
  return name;
}

}  // namespace xtgrad::v1::detail
