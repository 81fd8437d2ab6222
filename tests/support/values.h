#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/autograd/testing/values.h"

namespace xtgrad::inline v1::testing {

using detail::checks::broadcast_index;
using detail::checks::broadcast_shape;
using detail::checks::digits;
using detail::checks::fill;
using detail::checks::for_each_index;
using detail::checks::largest_number;
using detail::checks::rounded;
using detail::checks::to_tensor;
using detail::checks::to_values;
using detail::checks::ulps_between;
using detail::checks::UlpsOptions;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A vector of values, or a scalar.
Values row(std::initializer_list<double> values);
Values scalar(double value);

/// The elements as doubles, whatever the dtype.
std::vector<double> values(const Tensor& tensor);

/// Where the elements of an input are drawn from.
struct Domain {
  double low = -2;
  double high = 2;
  std::vector<double> avoid = {};  ///< kinks: no element comes closer than a tenth of the interval
  bool apart = false;              ///< no two elements closer than a quarter, across all inputs that say so
  bool whole = false;              ///< integers
};

enum class Role { floating, mask, index };

/// One input of a sample.
struct Input {
  Shape shape = {};
  Domain domain = {};
  Role role = Role::floating;
  bool differentiable = true;
};

/// A bool input.
Input mask_input(const Shape& shape);
/// An int64 input with elements in [low, high).
Input index_input(const Shape& shape, std::int64_t low, std::int64_t high);

/// True if shapes and dtypes are equal and so is every bit of the elements: 0 and -0 differ, NaN equals
/// itself.
bool same_bits(const Tensor& a, const Tensor& b);

/// Draws elements for all inputs of a sample.
std::vector<Values> draw(std::span<const Input> inputs, Random& random);

}  // namespace xtgrad::testing
