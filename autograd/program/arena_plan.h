#pragma once

#include <cstddef>
#include <vector>

#include "xtgrad/autograd/program/steps.h"

namespace xtgrad::inline v1::detail {

/// Where in one block of memory each value of a program lies, so that values which do not live at the same
/// time may share a place.
struct ArenaPlan {
  static constexpr std::size_t nowhere = ~std::size_t{0};

  std::vector<std::size_t> offsets;  // of each value, on 64-byte boundaries; nowhere for what lies elsewhere
  std::vector<char> takes_over;      // for each value, 1 if it lies where an operand of its step lay
  std::size_t bytes = 0;             // of the block
  std::size_t values = 0;            // that lie in it
  std::size_t taken_over = 0;        // of these, those that take a place over
};

/// Bytes that a value takes in an arena: its elements, padded as a buffer's are, behind a buffer's header.
std::size_t arena_bytes(const ProgramValue& value);

/// Plans every value that a step makes and that is neither a result nor a next state. A value lives from the
/// step that makes it to the last one that reads it; the result of a primitive that may write over an operand
/// takes its place where this step is the last to read it. Free places are filled best fit first.
ArenaPlan plan_arena(const ProgramSteps& program);

}  // namespace xtgrad::v1::detail
