#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace xtgrad::inline v1::datasets::detail {

/// Pixels row by row, with their channels side by side, as the formats have them.
struct RawImage {
  std::size_t channels = 0;  ///< grey; grey and alpha; red, green, blue; these and alpha
  std::size_t height = 0;
  std::size_t width = 0;
  std::vector<std::uint8_t> bytes = {};  ///< [height, width, channels]
};

/// What a reader of a format has to know.
struct ImageSource {
  std::string_view function;  ///< that the user called: begins every message
  std::string_view name;      ///< of the file, in messages
  std::string_view bytes;
  std::uint64_t max_pixels;

  /// Throws IoError: `function: name: rule: values`.
  [[noreturn]] void fail(std::string_view what) const;
  /// Throws unless an image of this size is within the limit, and could be in as many bytes as there are,
  /// where a byte is at most so many pixels.
  void check_size(std::uint64_t width, std::uint64_t height, std::uint64_t pixels_per_byte) const;
};

}  // namespace xtgrad::v1::datasets::detail
