#include "xtgrad/autograd/testing/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"

namespace xtgrad::inline v1::testing {
namespace {

std::size_t offset_of(const Shape& shape, const Index& index) {
  if (index.size() != shape.rank()) throw std::logic_error("Values: an index of another rank");
  std::int64_t offset = 0;
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (index[d] < 0 || index[d] >= shape[d]) throw std::logic_error("Values: an index out of range");
    offset = offset * shape[d] + index[d];
  }
  return static_cast<std::size_t>(offset);
}

template <class T>
std::vector<double> nasty_values_of() {
  using Limits = std::numeric_limits<T>;
  std::vector<double> values = {0,
                                1,
                                0.5,
                                2,
                                3,
                                T(1e-3),
                                40,
                                1000,
                                Limits::denorm_min(),
                                Limits::min(),
                                Limits::max(),
                                std::numeric_limits<double>::infinity()};
  const std::size_t n = values.size();
  for (std::size_t i = 0; i < n; ++i) values.push_back(-values[i]);
  values.push_back(std::numeric_limits<double>::quiet_NaN());
  return values;
}

}  // namespace

Real Values::at(const Index& index) const { return data[offset_of(shape, index)]; }
Real& Values::at(const Index& index) { return data[offset_of(shape, index)]; }

std::vector<double> nasty_values(Dtype dtype) {
  if (dtype == float32) return nasty_values_of<float>();
  if (dtype == float64) return nasty_values_of<double>();
  if (dtype == boolean) return {0, 1};
  if (dtype == uint8) return {0, 1, 2, 127, 128, 255};
  if (dtype == int32) return {0, 1, -1, 2, -3, 1 << 20, 0x1p31 - 1, -0x1p31};
  return {0, 1, -1, 2, -3, 1 << 20, -(1 << 20), 0x1p31, -0x1p31};
}

}  // namespace xtgrad::v1::testing

namespace xtgrad::inline v1::detail::checks {

void for_each_index(const Shape& shape, const std::function<void(const Index&)>& body) {
  Index index(shape.rank(), 0);
  for (std::int64_t n = shape.numel(); n > 0; --n) {
    body(index);
    for (std::size_t d = shape.rank(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

Values fill(const Shape& shape, const std::function<Real(const Index&)>& element) {
  Values result{shape, {}};
  result.data.reserve(static_cast<std::size_t>(shape.numel()));
  for_each_index(shape, [&](const Index& index) { result.data.push_back(element(index)); });
  return result;
}

Index broadcast_index(const Index& index, const Shape& shape) {
  Index inner(index.end() - static_cast<std::ptrdiff_t>(shape.rank()), index.end());
  for (std::size_t d = 0; d < shape.rank(); ++d) {
    if (shape[d] == 1) inner[d] = 0;
  }
  return inner;
}

Shape broadcast_shape(std::span<const Values> operands) {
  std::size_t rank = 0;
  for (const Values& operand : operands) rank = std::max(rank, operand.shape.rank());
  std::vector<std::int64_t> sizes(rank, 1);
  for (const Values& operand : operands) {
    const std::size_t missing = rank - operand.shape.rank();
    for (std::size_t d = 0; d < operand.shape.rank(); ++d) {
      if (operand.shape[d] != 1) sizes[missing + d] = operand.shape[d];
    }
  }
  return Shape(std::span<const std::int64_t>(sizes));
}

Values rounded(Values values, Dtype dtype) {
  for (Real& value : values.data) {
    value = dtype == float32   ? static_cast<Real>(static_cast<float>(value))
            : dtype == float64 ? static_cast<Real>(static_cast<double>(value))
                               : value;
  }
  return values;
}

Tensor to_tensor(const Values& values, Dtype dtype, bool requires_grad) {
  const TensorOptions options{.dtype = dtype, .requires_grad = requires_grad};
  return visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    // Not std::vector: the one of bool has no array to make a span of.
    const auto copy = std::make_unique<T[]>(values.data.size() + 1);
    std::transform(values.data.begin(), values.data.end(), copy.get(),
                   [](Real v) { return static_cast<T>(v); });
    return from_span(std::span<const T>(copy.get(), values.data.size()), values.shape, options);
  });
}

Values to_values(const Tensor& tensor) {
  Values values{tensor.shape(), {}};
  visit(tensor.dtype(), [&](auto zero) {
    const auto elements = tensor.data<decltype(zero)>();
    values.data.assign(elements.begin(), elements.end());
  });
  return values;
}

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class T>
double ulps_in(Real got_wide, Real want, const UlpsOptions& options) {
  const T got = static_cast<T>(got_wide);
  const T nearest = static_cast<T>(want);
  if (std::isnan(got) || std::isnan(nearest)) return std::isnan(got) && std::isnan(nearest) ? 0 : infinity;
  if (got == 0 && nearest == 0)
    return !options.signed_zeros || std::signbit(got) == std::signbit(nearest) ? 0 : infinity;
  constexpr T largest = std::numeric_limits<T>::max();
  if (std::isinf(got) || std::isinf(nearest)) {
    if (got == nearest) return 0;
    // The reference rounds to one side of the end of the range, the kernel to the other.
    const bool at_the_edge = std::abs(got) >= largest && std::abs(nearest) >= largest;
    return at_the_edge && std::signbit(got) == std::signbit(nearest) ? 1 : infinity;
  }
  const Real size = std::min<Real>(std::max(std::abs(want), options.scale), largest);
  int exponent = std::numeric_limits<T>::min_exponent;
  if (size > 0) exponent = std::max(exponent, std::ilogb(size) + 1);
  const Real unit = std::ldexp(Real{1}, exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<Real>(got) - want) / unit);
}

}  // namespace

double ulps_between(Real got, Real want, Dtype dtype, const UlpsOptions& options) {
  if (dtype == float32) return ulps_in<float>(got, want, options);
  if (dtype == float64) return ulps_in<double>(got, want, options);
  return got == want ? 0 : infinity;
}

Real largest_number(Dtype dtype) {
  return dtype == float32 ? static_cast<Real>(std::numeric_limits<float>::max())
                          : static_cast<Real>(std::numeric_limits<double>::max());
}

Real largest_of(const Values& values) {
  Real largest = 0;
  for (const Real value : values.data) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

std::string digits(Real value, Dtype dtype) {
  return fmt::format("{:.{}g}", static_cast<double>(value), dtype == float32 ? 9 : 17);
}

}  // namespace xtgrad::v1::detail::checks
