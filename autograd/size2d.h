#pragma once

#include <cstdint>
#include <string>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// A size, or a distance, for each of an image's two directions: `3` for both, or `{3, 5}`.
struct Size2d {
  constexpr Size2d(std::int64_t both)  // NOLINT(google-explicit-constructor): {.kernel = 3}
      : height(both), width(both) {}
  constexpr Size2d(std::int64_t down, std::int64_t across) : height(down), width(across) {}

  friend constexpr bool operator==(const Size2d&, const Size2d&) = default;

  std::int64_t height;
  std::int64_t width;
};

/// "3x5".
[[nodiscard]] std::string to_string(const Size2d& size);

}}  // namespace xtgrad::v1
