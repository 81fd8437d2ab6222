#include "xtgrad/nn/loss_checks.h"

#include <fmt/format.h>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/element_check.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

/// "logits are", "prediction is".
std::string with_verb(std::string_view name) {
  return fmt::format("{} {}", name, name.ends_with('s') ? "are" : "is");
}

/// True if `from` stretches to `to` by broadcasting.
bool stretches(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (std::size_t i = 0; i < from.rank(); ++i) {
    const std::int64_t size = from[from.rank() - 1 - i];
    if (size != 1 && size != to[to.rank() - 1 - i]) return false;
  }
  return true;
}

}  // namespace

void check_operands(std::string_view loss, std::initializer_list<Operand> operands) {
  for (const auto& [name, tensor] : operands) {
    if (!tensor.defined()) throw ValueError(fmt::format("{}: {}: the handle is empty", loss, name));
  }
  const auto& [name, first] = *operands.begin();
  if (is_floating(first.dtype())) return;
  throw DtypeError(
      fmt::format("{}: {} must be float32 or float64: got {}", loss, name, to_string(first.dtype())));
}

void check_alike(std::string_view loss, std::initializer_list<Operand> operands) {
  check_operands(loss, operands);
  const Operand& first = *operands.begin();
  for (const auto& [name, tensor] : operands) {
    if (tensor.shape() == first.tensor.shape()) continue;
    throw ShapeError(fmt::format("{}: shapes differ: {} {}, {} {}; reshape one of them", loss,
                                 with_verb(first.name), to_string(first.tensor.shape()), with_verb(name),
                                 to_string(tensor.shape())));
  }
  for (const auto& [name, tensor] : operands) {
    if (tensor.dtype() == first.tensor.dtype()) continue;
    throw DtypeError(fmt::format("{}: dtypes differ: {} {}, {} {}; convert with to()", loss,
                                 with_verb(first.name), to_string(first.tensor.dtype()), with_verb(name),
                                 to_string(tensor.dtype())));
  }
}

void check_factor(std::string_view loss, const Operand& factor, const Operand& operand) {
  const Tensor& weight = factor.tensor;
  if (!weight.defined()) return;
  if (!stretches(weight.shape(), operand.tensor.shape())) {
    throw ShapeError(fmt::format("{}: {} must broadcast to the {} {}: got {}", loss, factor.name,
                                 operand.name, to_string(operand.tensor.shape()), to_string(weight.shape())));
  }
  if (weight.dtype() != operand.tensor.dtype()) {
    throw DtypeError(fmt::format("{}: {} is {}, the {} {}", loss, factor.name, to_string(weight.dtype()),
                                 with_verb(operand.name), to_string(operand.tensor.dtype())));
  }
}

Tensor checked_range(std::string_view loss, const Operand& operand, double low, double high) {
  return ElementCheck::range(loss, operand.name, low, high).on(operand.tensor);
}

Tensor checked_signs(std::string_view loss, const Operand& operand) {
  return ElementCheck::signs(loss, operand.name).on(operand.tensor);
}

CheckedClasses checked_classes(std::string_view loss, const Tensor& target, std::int64_t classes,
                               std::int64_t ignore_index) {
  const std::int64_t ignored =
      check_classes(loss, xtgrad::detail::array_of(target), {classes, ignore_index, true});
  if (!xtgrad::detail::is_listed_for_others()) return {target, ignored};
  return {ElementCheck::classes(loss, {classes, ignore_index, ignored > 0}).on(target), ignored};
}

Tensor reduce(const Tensor& items, Reduction reduction) {
  switch (reduction) {
    case Reduction::mean:
      return mean(items);
    case Reduction::sum:
      return sum(items);
    case Reduction::none:
      return items;
  }
  throw ValueError(fmt::format("Reduction: no such kind: {}", static_cast<int>(reduction)));
}

}  // namespace xtgrad::v1::nn::detail
