#include "xtgrad/autograd/testing/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <type_traits>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/creation.h"

namespace xtgrad::inline v1::detail::checks {

void for_each_index(const Shape& shape, const Callable<void(const Index&)>& body) {
  Index index(shape.rank(), 0);
  for (std::int64_t n = shape.numel(); n > 0; --n) {
    body(index);
    for (std::size_t d = shape.rank(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

Values fill(const Shape& shape, const Callable<Real(const Index&)>& element) {
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
    value = visit(dtype, [value](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_floating_point_v<T>) return static_cast<Real>(static_cast<T>(value));
      return value;
    });
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
  return visit(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) return ulps_in<T>(got, want, options);
    return got == want ? 0 : infinity;
  });
}

Real largest_number(Dtype dtype) {
  return visit(dtype, [](auto zero) -> Real {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::max();
    return std::numeric_limits<double>::max();
  });
}

Real largest_of(const Values& values) {
  Real largest = 0;
  for (const Real value : values.data) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  return largest;
}

std::string digits(Real value, Dtype dtype) {
  const int enough = visit(dtype, [](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) return std::numeric_limits<T>::max_digits10;
    return std::numeric_limits<double>::max_digits10;
  });
  return fmt::format("{:.{}g}", static_cast<double>(value), enough);
}

}  // namespace xtgrad::v1::detail::checks
