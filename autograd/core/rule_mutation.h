#pragma once

#include <span>
#include <string_view>

#include "xtgrad/autograd/core/primitive.h"

namespace xtgrad::inline v1::detail {

/// A deliberate fault in one rule, for the test that proves that the test suite would notice it. The sweep
/// asks for it once a node; nothing but that test sets it.
struct RuleMutation {
  /// A factor of 1.001; the whole gradient left out; its largest element left out; neighbours exchanged.
  enum class Kind { factor, dropped, element_dropped, swapped };

  std::string_view op;
  Kind kind;
  std::size_t input = 0;  // whose gradient is wrong

  /// Spoils the gradients that `op`'s rule has just computed.
  void apply(std::string_view rule, std::span<Tensor> gradients) const;
};

}  // namespace xtgrad::v1::detail
