#include "xtgrad/datasets/exif.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "xtgrad/datasets/jpeg_file.h"
#include "xtgrad/datasets/png_file.h"

namespace xtgrad::inline v1::datasets::detail {
namespace {

/// Numbers in a block of bytes, in either order; nothing where they would end behind it.
struct Numbers {
  std::string_view bytes;
  bool little_endian;

  [[nodiscard]] std::optional<std::uint64_t> at(std::uint64_t place, std::size_t size) const {
    if (place > bytes.size() || bytes.size() - place < size) return std::nullopt;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t from = static_cast<std::size_t>(place) + (little_endian ? size - 1 - i : i);
      number = number << 8U | static_cast<unsigned char>(bytes[from]);
    }
    return number;
  }
};

/// The Exif block of a JPEG file, in a segment before the image's data; empty if there is none.
std::string_view block_of_jpeg(std::string_view file) {
  constexpr std::string_view mark("Exif\0\0", 6);
  const Numbers numbers{file, false};
  std::uint64_t place = 2;  // behind the start of the image
  while (true) {
    const auto marker = numbers.at(place, 2), length = numbers.at(place + 2, 2);
    constexpr std::uint64_t scan = 0xFFDA;
    if (!marker || !length || *marker < 0xFF00 || *marker == scan || *length < 2) return {};
    const std::string_view segment = file.substr(static_cast<std::size_t>(place) + 4).substr(0, *length - 2);
    constexpr std::uint64_t app1 = 0xFFE1;
    if (*marker == app1 && segment.starts_with(mark)) return segment.substr(mark.size());
    place += 2 + *length;
  }
}

/// The same of a PNG file, whose chunk for it may stand behind the image's.
std::string_view block_of_png(std::string_view file) {
  const Numbers numbers{file, false};
  std::uint64_t place = 8;  // behind the signature
  while (true) {
    const auto length = numbers.at(place, 4);
    if (!length || !numbers.at(place + 4, 4)) return {};
    const std::string_view rest = file.substr(static_cast<std::size_t>(place) + 4);
    if (rest.starts_with("eXIf")) return rest.substr(4, static_cast<std::size_t>(*length));
    place += 12 + *length;  // length, name, checksum
  }
}

}  // namespace

int exif_orientation(std::string_view file) {
  const std::string_view block = is_jpeg(file)  ? block_of_jpeg(file)
                                 : is_png(file) ? block_of_png(file)
                                                : std::string_view{};
  if (!block.starts_with("II") && !block.starts_with("MM")) return 1;
  const Numbers numbers{block, block[0] == 'I'};
  const auto directory = numbers.at(4, 4);
  if (numbers.at(2, 2) != 42 || !directory) return 1;
  const std::uint64_t entries = numbers.at(*directory, 2).value_or(0);
  for (std::uint64_t i = 0; i < entries; ++i) {
    constexpr std::uint64_t orientation = 0x0112, short_number = 3;
    const std::uint64_t entry = *directory + 2 + 12 * i;
    if (numbers.at(entry, 2) != orientation) continue;
    const std::uint64_t value = numbers.at(entry + 8, 2).value_or(1);
    const bool is_known = numbers.at(entry + 2, 2) == short_number && value >= 1 && value <= 8;
    return is_known ? static_cast<int>(value) : 1;
  }
  return 1;
}

RawImage upright(RawImage image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool lies = orientation >= 5;  // rows and columns change places
  // Which end of the stored image is where the upright one begins: its last row, its last column.
  const bool from_last_row = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const bool from_last_column = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  RawImage turned{.channels = image.channels,
                  .height = lies ? image.width : image.height,
                  .width = lies ? image.height : image.width};
  turned.bytes.resize(image.bytes.size());
  std::uint8_t* to = turned.bytes.data();
  for (std::size_t y = 0; y < turned.height; ++y) {
    for (std::size_t x = 0; x < turned.width; ++x, to += image.channels) {
      const std::size_t row = lies ? x : y, column = lies ? y : x;
      const std::size_t stored_row = from_last_row ? image.height - 1 - row : row;
      const std::size_t stored_column = from_last_column ? image.width - 1 - column : column;
      const std::uint8_t* from =
          image.bytes.data() + (stored_row * image.width + stored_column) * image.channels;
      std::copy_n(from, image.channels, to);
    }
  }
  return turned;
}

}  // namespace xtgrad::v1::datasets::detail
