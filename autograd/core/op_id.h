#pragma once

#include <cstdint>
#include <string_view>

namespace xtgrad::inline v1::detail {

/// One id for each line of ops.def.
enum class OpId : std::uint8_t {
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

/// The name that users know the operation by; every message takes it from here.
[[nodiscard]] constexpr std::string_view to_string(OpId id) {
  return op_names[static_cast<std::uint8_t>(id)];
}

}  // namespace xtgrad::v1::detail
