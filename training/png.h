#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace xtgrad::inline v1::training::detail {

/// Pixels row by row, from the top left, `channels` bytes each: 1 for grey, 3 for red, green and blue.
struct Bitmap {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::int64_t channels = 0;
  std::span<const std::uint8_t> pixels = {};
};

/// The bytes of a PNG file; the same pixels give the same bytes.
[[nodiscard]] std::string encode_png(const Bitmap& bitmap);

}  // namespace xtgrad::v1::training::detail
