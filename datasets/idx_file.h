#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/shape.h"
#include "xtgrad/datasets/byte_reader.h"
#include "xtgrad/datasets/idx.h"

namespace xtgrad::inline v1::datasets::detail {

/// The element types, by their codes in the file.
enum class IdxType : std::uint8_t {
  ubyte = 0x08,
  byte = 0x09,
  int16 = 0x0b,
  int32 = 0x0c,
  float32 = 0x0d,
  float64 = 0x0e,
};

struct IdxHeader {
  IdxType type = IdxType::ubyte;
  Shape shape;              // at least one dimension; the product of all sizes but zeros fits int64
  std::uint64_t bytes = 0;  // of the header itself, so the offset of the first element
};

/// "unsigned byte", "int16", ...
std::string_view name_of(IdxType type);
/// Bytes of an element.
std::uint64_t item_size(IdxType type);

/// Reads the header; the elements come next.
IdxHeader read_idx_header(ByteReader& reader);
/// The elements as they are stored, and nothing after them.
std::vector<std::byte> read_idx_elements(ByteReader& reader, const IdxHeader& header);

/// As the public functions, from readers.
Tensor read_idx(ByteReader& reader, const ReadIdxOptions& options);

/// What the images of a known data set look like; a file with others is a foreign one.
struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};
/// `options` but for the two paths, whose place the readers take.
Dataset idx_dataset(ByteReader& images, ByteReader& labels, const IdxDatasetOptions& options,
                    const std::optional<ImageSize>& expected = std::nullopt);

}  // namespace xtgrad::v1::datasets::detail
