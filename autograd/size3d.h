#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A size, or a distance, for each of a volume's three directions: `3` for all, or `{1, 3, 5}`.
struct Size3d {
  constexpr Size3d(std::int64_t all)  // NOLINT(google-explicit-constructor): {.kernel = 3}
      : depth(all), height(all), width(all) {}
  constexpr Size3d(std::int64_t deep, std::int64_t down, std::int64_t across)
      : depth(deep), height(down), width(across) {}

  friend constexpr bool operator==(const Size3d&, const Size3d&) = default;

  std::int64_t depth;
  std::int64_t height;
  std::int64_t width;
};

/// "1x3x5".
[[nodiscard]] std::string to_string(const Size3d& size);

}}  // namespace xtgrad::v1
