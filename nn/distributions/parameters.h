#pragma once

#include <initializer_list>
#include <string_view>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::distributions::detail {

/// A distribution's parameter, and what the distribution calls it.
struct Parameter {
  std::string_view name;
  const Tensor& tensor;
};

/// Throws unless all are of one floating dtype and broadcast; their common shape.
Shape common_shape(std::string_view distribution, std::initializer_list<Parameter> parameters);

// Checks of elements return the tensor, to be computed with in place of the one that they were given: where a
// list of steps is made that will be run on other elements, the check is a step between the two. NaN passes
// none of them.

[[nodiscard]] Tensor checked_number(std::string_view distribution, const Parameter& x);
[[nodiscard]] Tensor checked_positive(std::string_view distribution, const Parameter& x);
[[nodiscard]] Tensor checked_not_negative(std::string_view distribution, const Parameter& x);
[[nodiscard]] Tensor checked_probability(std::string_view distribution, const Parameter& x);
/// Throws unless every element is 0; not where steps are listed.
void check_zero(std::string_view distribution, const Parameter& x);

/// A value that a density is asked at, in the distribution's dtype: integers and bools are converted. Throws
/// ValueError for an empty handle, and DtypeError for another floating dtype.
[[nodiscard]] Tensor value_in(Dtype dtype, std::string_view distribution, const Tensor& value);
/// -inf where a value is outside the support, else a logarithm of the density.
[[nodiscard]] Tensor outside_is_impossible(const Tensor& outside, const Tensor& log_prob);
/// True where a value is no whole number from 0 on; false at NaN.
[[nodiscard]] Tensor is_no_count(const Tensor& value);

/// A shape's sizes and those of another behind it.
[[nodiscard]] Shape joined(const Shape& first, const Shape& second);
/// A shape without its last dimensions.
[[nodiscard]] Shape without_last(const Shape& shape, std::size_t count);
/// The last dimensions of a shape.
[[nodiscard]] Shape last_of(const Shape& shape, std::size_t count);

}  // namespace xtgrad::v1::distributions::detail
