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

namespace xtgrad::testing {

/// What references compute in: 64 bits of mantissa and a range that no product of two doubles leaves.
using Real = long double;
using Index = std::vector<std::int64_t>;

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

/// A row-major array for references: plain loops, none of the library's code.
struct Values {
  Shape shape = {};
  std::vector<Real> data = {};

  [[nodiscard]] Real at(const Index& index) const;
  [[nodiscard]] Real& at(const Index& index);
  [[nodiscard]] std::int64_t size(std::size_t dim) const { return shape[dim]; }
};

/// Calls `body` for every index of a shape in row-major order.
void for_each_index(const Shape& shape, const std::function<void(const Index&)>& body);
/// The array whose element at `index` is `element(index)`.
Values fill(const Shape& shape, const std::function<Real(const Index&)>& element);
/// The place of an operand of shape `shape` that broadcasting puts at `index` of the result.
Index broadcast_index(const Index& index, const Shape& shape);
/// NumPy's rule, written again so that the library's is checked.
Shape broadcast_shape(std::span<const Values> operands);

/// A vector of values, or a scalar.
Values row(std::initializer_list<double> values);
Values scalar(double value);

/// Element by element what the dtype holds: float32 rounds.
Values rounded(Values values, Dtype dtype);
Tensor to_tensor(const Values& values, Dtype dtype, bool requires_grad = false);
Values to_values(const Tensor& tensor);
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

struct UlpsOptions {
  Real scale = 0;            ///< a size that the error is measured against if the wanted value is smaller
  bool signed_zeros = true;  ///< whether 0 and -0 differ
};
/// How far `got` is from `want` in units of the last digit that the dtype has at that size. Infinite where
/// one is NaN, infinite or a signed zero and the other is not the same.
double ulps_between(Real got, Real want, Dtype dtype, const UlpsOptions& options = {});

/// The largest finite number of a floating dtype.
Real largest_number(Dtype dtype);

/// Values that break kernels: zeros, the smallest and the largest numbers of both signs, infinities, NaN, and
/// a few ordinary ones, so that pairs of them tie. Each is exactly a value of the dtype.
std::vector<double> nasty_values(Dtype dtype);

/// The value with as many digits as tell it from its neighbours in the dtype.
std::string digits(Real value, Dtype dtype);

}  // namespace xtgrad::testing
