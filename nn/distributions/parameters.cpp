#include "xtgrad/nn/distributions/parameters.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/element_check.h"

namespace xtgrad::inline v1::distributions::detail {
namespace {

using nn::detail::ElementCheck;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// A node of its own either way: gradients of the parameter meet there first, so that a list of steps, in
/// which the check is one, adds them in the order of the plain call.
Tensor checked(const ElementCheck& check, const Tensor& x) {
  const Tensor result = check.on(x);
  return result.node() == x.node() && x.requires_grad() ? alias(x) : result;
}

}  // namespace

Shape common_shape(std::string_view distribution, std::initializer_list<Parameter> parameters) {
  for (const auto& [name, tensor] : parameters) {
    if (!tensor.defined()) throw ValueError(fmt::format("{}: {}: the handle is empty", distribution, name));
    if (is_floating(tensor.dtype())) continue;
    throw DtypeError(fmt::format("{}: {} must be float32 or float64: got {}", distribution, name,
                                 to_string(tensor.dtype())));
  }
  const Parameter& first = *parameters.begin();
  Shape shape;
  for (const auto& [name, tensor] : parameters) {
    if (tensor.dtype() != first.tensor.dtype()) {
      throw DtypeError(fmt::format("{}: dtypes differ: {} is {}, {} is {}; convert with to()", distribution,
                                   first.name, to_string(first.tensor.dtype()), name,
                                   to_string(tensor.dtype())));
    }
    shape = broadcast_shapes(distribution, shape, tensor.shape());
  }
  return shape;
}

Tensor checked_number(std::string_view distribution, const Parameter& x) {
  return checked(ElementCheck::interval(distribution, x.name, -infinity, infinity), x.tensor);
}

Tensor checked_positive(std::string_view distribution, const Parameter& x) {
  return checked(ElementCheck::above(distribution, x.name, 0), x.tensor);
}

Tensor checked_not_negative(std::string_view distribution, const Parameter& x) {
  return checked(ElementCheck::interval(distribution, x.name, 0, infinity), x.tensor);
}

Tensor checked_probability(std::string_view distribution, const Parameter& x) {
  return checked(ElementCheck::interval(distribution, x.name, 0, 1), x.tensor);
}

void check_zero(std::string_view distribution, const Parameter& x) {
  if (xtgrad::detail::is_listed_for_others()) return;
  static_cast<void>(ElementCheck::interval(distribution, x.name, 0, 0).on(x.tensor));
}

Tensor value_in(Dtype dtype, std::string_view distribution, const Tensor& value) {
  if (!value.defined()) throw ValueError(fmt::format("{}: value: the handle is empty", distribution));
  if (value.dtype() == dtype) return value;
  if (!is_floating(value.dtype())) return value.to(dtype);
  throw DtypeError(fmt::format("{}: the parameters are {}, value is {}; convert with to()", distribution,
                               to_string(dtype), to_string(value.dtype())));
}

Tensor outside_is_impossible(const Tensor& outside, const Tensor& log_prob) {
  return where(outside, -infinity, log_prob);
}

Tensor is_no_count(const Tensor& value) {
  return (value < 0) | ((floor(value) != value) & !isnan(value)) | (value == infinity);
}

Shape joined(const Shape& first, const Shape& second) {
  Shape all = first;
  for (const std::int64_t size : second) all.push_back(size);
  return all;
}

Shape without_last(const Shape& shape, std::size_t count) {
  return Shape(std::span(shape.begin(), shape.rank() - count));
}

Shape last_of(const Shape& shape, std::size_t count) { return Shape(std::span(shape.end() - count, count)); }

}  // namespace xtgrad::v1::distributions::detail
