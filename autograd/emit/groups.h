#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "xtgrad/autograd/emit/text_table.h"

namespace xtgrad::inline v1::detail {

/// Consecutive steps that are written as one: element by element in one loop, or a single step as a whole.
struct StepGroup {
  std::size_t begin = 0, end = 0;  // steps
  bool is_whole = false;
  std::int64_t elements = 0;        // of each result
  std::optional<Shape> shape = {};  // of the results, where an operand broadcasts to it
  bool refuses = false;             // some run may end here
};

/// Throws Error, in `caller`'s name, for the first step that has no text.
[[nodiscard]] std::vector<StepGroup> grouped(const ProgramSteps& program, std::string_view caller);

}  // namespace xtgrad::v1::detail
