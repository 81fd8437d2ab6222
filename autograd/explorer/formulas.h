#pragma once

#include <string_view>

namespace xtgrad::inline v1::detail {

/// What an operation computes, in the words of mathematics, for readers.
struct StepFormula {
  std::string_view operation;
  /// What the formula calls the operands, in order: "x w b". "x…" at the end is any number of them, x₁, x₂
  /// and so on; those at the end may be absent.
  std::string_view inputs;
  /// The same of what it makes; those that only some kinds of the operation make have a question mark: "p′
  /// b′?".
  std::string_view outputs;
  std::string_view text;
};

/// Null for an operation from outside of the library.
const StepFormula* formula_of(std::string_view operation);

}  // namespace xtgrad::v1::detail
