// Photographs that lie on their side: Exif's orientation, in PNG and JPEG files.
#include "xtgrad/datasets/exif.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/datasets/image_file.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace std::string_literals;
using datasets::detail::exif_orientation;
using datasets::detail::RawImage;

namespace {

std::string number(std::uint64_t value, std::size_t size, bool little_endian) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t place = little_endian ? i : size - 1 - i;
    bytes += static_cast<char>(value >> (8 * place));
  }
  return bytes;
}

/// An Exif block of two entries, the orientation the second one.
std::string block_of(std::uint64_t orientation, bool little_endian, std::uint64_t type = 3) {
  const auto of = [&](std::uint64_t value, std::size_t size) { return number(value, size, little_endian); };
  const std::string width = of(0x0100, 2) + of(3, 2) + of(1, 4) + of(8, 2) + of(0, 2);
  const std::string entry = of(0x0112, 2) + of(type, 2) + of(1, 4) + of(orientation, 2) + of(0, 2);
  return (little_endian ? "II"s : "MM"s) + of(42, 2) + of(8, 4) + of(2, 2) + width + entry + of(0, 4);
}

std::string segment(int marker, const std::string& data) {
  return "\xff"s + static_cast<char>(marker) + number(data.size() + 2, 2, false) + data;
}

/// What a reader of JPEG sees before the image's data.
std::string jpeg_head(const std::string& block) {
  return "\xff\xd8"s + segment(0xE0, "JFIF\0\1\1\0\0\1\0\1\0\0"s) +
         segment(0xE1, "http://ns.adobe.com/xap/1.0/\0"s) + segment(0xE1, "Exif\0\0"s + block) +
         segment(0xDA, "");
}

std::string png_with(const Tensor& image, const std::string& block) {
  std::string file = datasets::encode_png(image);
  const std::string checked = "eXIf" + block;  // whose checksum nobody asks for here
  file.insert(33, number(block.size(), 4, false) + checked + number(0, 4, false));
  return file;
}

/// The letter F, of 3 columns and 4 rows, as a camera has it that was held in one of eight ways: of the
/// stored rows and columns, the first ones are at these sides of the upright image (Exif 2.32, 4.6.4).
RawImage letter(const std::vector<std::string>& rows) {
  RawImage image{.channels = 1, .height = rows.size(), .width = rows[0].size()};
  for (const std::string& row : rows) image.bytes.insert(image.bytes.end(), row.begin(), row.end());
  return image;
}

}  // namespace

TEST_CASE("an image is turned so that the first row and column come to the sides that Exif names") {
  const RawImage want = letter({"abc", "def", "ghi", "jkl"});
  const std::vector<std::vector<std::string>> stored = {
      {"abc", "def", "ghi", "jkl"},  // 1: row 0 on top, column 0 on the left
      {"cba", "fed", "ihg", "lkj"},  // 2: on top, on the right
      {"lkj", "ihg", "fed", "cba"},  // 3: at the bottom, on the right
      {"jkl", "ghi", "def", "abc"},  // 4: at the bottom, on the left
      {"adgj", "behk", "cfil"},      // 5: on the left, on top
      {"cfil", "behk", "adgj"},      // 6: on the right, on top
      {"lifc", "kheb", "jgda"},      // 7: on the right, at the bottom
      {"jgda", "kheb", "lifc"},      // 8: on the left, at the bottom
  };
  for (int orientation = 1; orientation <= 8; ++orientation) {
    CAPTURE(orientation);
    const RawImage got =
        datasets::detail::upright(letter(stored[static_cast<std::size_t>(orientation) - 1]), orientation);
    CHECK(got.height == 4);
    CHECK(got.width == 3);
    CHECK(got.bytes == want.bytes);
  }
  // Channels stay together.
  RawImage colored{.channels = 3, .height = 1, .width = 2, .bytes = {1, 2, 3, 4, 5, 6}};
  const RawImage turned = datasets::detail::upright(colored, 6);
  CHECK(turned.height == 2);
  CHECK(turned.bytes == std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6});
  CHECK(datasets::detail::upright(colored, 3).bytes == std::vector<std::uint8_t>{4, 5, 6, 1, 2, 3});
}

TEST_CASE("the orientation is read from JPEG and PNG, of either order of bytes") {
  for (const bool little_endian : {false, true}) {
    for (std::uint64_t orientation = 1; orientation <= 8; ++orientation) {
      CHECK(exif_orientation(jpeg_head(block_of(orientation, little_endian))) ==
            static_cast<int>(orientation));
    }
    for (const std::uint64_t wrong : {0U, 9U, 65535U})
      CHECK(exif_orientation(jpeg_head(block_of(wrong, little_endian))) == 1);
    CHECK(exif_orientation(jpeg_head(block_of(6, little_endian, 4))) == 1);  // no short number
  }
  CHECK(exif_orientation("\xff\xd8"s + segment(0xDA, "") + segment(0xE1, "Exif\0\0"s + block_of(6, true))) ==
        1);
  CHECK(exif_orientation("") == 1);
  CHECK(exif_orientation("GIF89a") == 1);
}

TEST_CASE("a block that ends anywhere, or points anywhere, says nothing and is no error") {
  const std::string whole = jpeg_head(block_of(6, true));
  CHECK(exif_orientation(whole) == 6);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const int orientation = exif_orientation(std::string_view(whole).substr(0, length));
    CHECK((orientation == 1 || orientation == 6));
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char byte : {'\0', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[i] = byte;
      const int orientation = exif_orientation(damaged);
      CHECK((orientation >= 1 && orientation <= 8));
    }
  }
}

#ifdef XTGRAD_HAS_LIBPNG
TEST_CASE("a PNG image is read as it was held, or as it is stored") {
  const Tensor stored = reshape(from_vector(std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6}), {1, 2, 3});
  const std::string file = png_with(stored, block_of(6, false));
  CHECK(exif_orientation(file) == 6);
  const auto bytes = [](const Tensor& image) {
    const auto data = image.data<std::uint8_t>();
    return std::vector<std::uint8_t>(data.begin(), data.end());
  };
  const Tensor as_held = datasets::decode_image(file, "a.png");
  CHECK(as_held.shape() == Shape{1, 3, 2});
  CHECK(bytes(as_held) == std::vector<std::uint8_t>{4, 1, 5, 2, 6, 3});
  const Tensor as_stored = datasets::decode_image(file, "a.png", {.upright = false});
  CHECK(as_stored.shape() == Shape{1, 2, 3});
  CHECK(bytes(as_stored) == bytes(stored));
}
#endif
