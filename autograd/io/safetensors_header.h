#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/io/elements.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/shape.h"

namespace xtgrad::inline v1::detail {

/// The JSON in a safetensors file, apart so that the JSON library's headers are paid for once.

inline constexpr std::string_view metadata_name = "__metadata__";

struct HeaderEntry {
  std::string name;
  Element element = Element::float32;
  std::string unread = {};  // why there is no tensor of such elements; then element and shape say nothing
  Shape shape;
  std::uint64_t begin = 0;  // of the elements' bytes, counted from the end of the header
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::vector<HeaderEntry> entries;
  std::vector<Safetensors::Note> metadata;
};

/// JSON without padding. Throws ValueError for text that is not UTF-8.
[[nodiscard]] std::string format_safetensors_header(const SafetensorsHeader& header);

/// Reads a header, which begins at byte 8 of its file; throws IoError for whatever the format does not allow.
/// In an entry returned, dtype, shape and offsets agree; whether the
/// offsets suit each other and the file is the caller's to check. The memory of names and notes comes out of
/// the budget.
[[nodiscard]] SafetensorsHeader parse_safetensors_header(std::string_view text, MemoryBudget& budget);

}  // namespace xtgrad::v1::detail
