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

/// Throws ValueError for the first element outside [low, high]. NaN is let through, to be seen in the loss.
void check_range(std::string_view loss, const Operand& operand, double low, double high);

/// Throws ValueError unless every element is 1 or -1, whatever the dtype.
void check_signs(std::string_view loss, const Operand& operand);

/// Number of elements that are `ignore_index`; throws ValueError for another that is no class.
std::int64_t check_classes(std::string_view loss, const Tensor& target, std::int64_t classes,
                           std::int64_t ignore_index);

Tensor reduce(const Tensor& items, Reduction reduction);

}  // namespace xtgrad::v1::nn::detail
