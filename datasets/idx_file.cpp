#include "xtgrad/datasets/idx_file.h"

#include <fmt/format.h>

#include <span>
#include <string>

namespace xtgrad::inline v1::datasets::detail {

namespace {

bool is_idx_type(unsigned code) {
  switch (static_cast<IdxType>(code)) {
    case IdxType::ubyte:
    case IdxType::byte:
    case IdxType::int16:
    case IdxType::int32:
    case IdxType::float32:
    case IdxType::float64:
      return true;
  }
  return false;
}

std::string hex(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) {
    text += fmt::format("{}{:02x}", text.empty() ? "" : " ", std::to_integer<unsigned>(byte));
  }
  return text;
}

}  // namespace

std::string_view name_of(IdxType type) {
  switch (type) {
    case IdxType::ubyte:
      return "unsigned byte";
    case IdxType::byte:
      return "signed byte";
    case IdxType::int16:
      return "int16";
    case IdxType::int32:
      return "int32";
    case IdxType::float32:
      return "float32";
    case IdxType::float64:
      return "float64";
  }
  return "unknown";
}

std::uint64_t item_size(IdxType type) {
  switch (type) {
    case IdxType::ubyte:
    case IdxType::byte:
      return 1;
    case IdxType::int16:
      return 2;
    case IdxType::int32:
    case IdxType::float32:
      return 4;
    case IdxType::float64:
      return 8;
  }
  return 1;
}

IdxHeader read_idx_header(ByteReader& reader) {
  const std::vector<std::byte> magic = reader.read_exactly(4, "the magic number of an IDX file");
  const auto type = std::to_integer<unsigned>(magic[2]);
  const auto rank = std::to_integer<unsigned>(magic[3]);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0}) {
    reader.fail(0, fmt::format("the bytes {}", hex(magic)),
                "an IDX file: 00 00, the element type, the number of dimensions");
  }
  if (!is_idx_type(type)) {
    reader.fail(2, fmt::format("the element type 0x{:02x}", type),
                "08, 09, 0b, 0c, 0d or 0e: unsigned or signed byte, int16, int32, float32, float64");
  }
  if (rank == 0 || rank > Shape::max_rank) {
    reader.fail(3, fmt::format("{} dimensions", rank), fmt::format("1 to {}", Shape::max_rank));
  }

  const std::vector<std::byte> bytes =
      reader.read_exactly(4 * std::size_t{rank}, "the sizes of the dimensions");
  std::vector<std::int64_t> sizes;
  auto product = static_cast<std::int64_t>(item_size(static_cast<IdxType>(type)));
  for (std::size_t dim = 0; dim < rank; ++dim) {
    std::int64_t size = 0;
    for (std::size_t i = 0; i < 4; ++i) size = size << 8 | std::to_integer<std::int64_t>(bytes[4 * dim + i]);
    sizes.push_back(size);
    // Zeros are left out, so that products can be taken in any order, with the zero and without it.
    if (size != 0 && __builtin_mul_overflow(product, size, &product)) {
      reader.fail(4, fmt::format("the sizes {}", hex(bytes)), "elements whose bytes 63 bits can count");
    }
  }
  return {.type = static_cast<IdxType>(type), .shape = Shape(sizes), .bytes = 4 + bytes.size()};
}

std::vector<std::byte> read_idx_elements(ByteReader& reader, const IdxHeader& header) {
  const auto count = static_cast<std::uint64_t>(header.shape.numel());
  const std::string what =
      fmt::format("{} elements ({}, {})", to_string(header.shape), count, name_of(header.type));
  std::vector<std::byte> elements = reader.read_exactly(count * item_size(header.type), what);
  reader.expect_end(what);
  return elements;
}

}  // namespace xtgrad::v1::datasets::detail
