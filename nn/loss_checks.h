#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/reduction.h"

namespace xtgrad::inline v1::nn::detail {

/// A loss's tensor, and what the loss calls it.
struct Operand {
  std::string_view name;
  const Tensor& tensor;
};

/// Throws ValueError for an empty handle, then DtypeError unless the first is floating.
void check_operands(std::string_view loss, std::initializer_list<Operand> operands);

/// As `check_operands`, and throws ShapeError or DtypeError unless all have the first's shape and dtype.
void check_alike(std::string_view loss, std::initializer_list<Operand> operands);

/// Throws unless a factor, which may be empty, has the operand's dtype and broadcasts to its shape.
void check_factor(std::string_view loss, const Operand& factor, const Operand& operand);

// Checks of elements return the tensor, to be computed with in place of the one that they were given: where a
// list of steps is made that will be run on other elements, the check is a step between the two.

/// Throws ValueError for the first element outside [low, high]. NaN is let through, to be seen in the loss.
[[nodiscard]] Tensor checked_range(std::string_view loss, const Operand& operand, double low, double high);

/// Throws ValueError unless every element is 1 or -1, whatever the dtype.
[[nodiscard]] Tensor checked_signs(std::string_view loss, const Operand& operand);

struct CheckedClasses {
  Tensor index;
  std::int64_t ignored;  ///< elements that are `ignore_index`
};
/// Throws ValueError for an element that is neither a class nor `ignore_index`. The list of steps that is
/// made of a target in which none is ignored takes no other.
[[nodiscard]] CheckedClasses checked_classes(std::string_view loss, const Tensor& target,
                                             std::int64_t classes, std::int64_t ignore_index);

Tensor reduce(const Tensor& items, Reduction reduction);

}  // namespace xtgrad::v1::nn::detail
