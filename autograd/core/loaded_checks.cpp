#include "xtgrad/autograd/core/loaded_checks.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {

void require_attribute(bool holds, std::string_view operation, std::string_view attribute,
                       std::string_view rule, Scalar value) {
  if (holds) return;
  throw ValueError(
      fmt::format("{}: attribute {} must be {}: got {}", operation, attribute, rule, to_string(value)));
}

void require_axis(std::string_view operation, std::size_t axis, const Shape& x) {
  if (axis < x.rank()) return;
  throw ShapeError(fmt::format("{}: axis {} is no dimension of x, which is {}", operation,
                               static_cast<std::int64_t>(axis), to_string(x)));
}

void require_dtype(std::string_view operation, std::string_view operand, const Spec& got, Dtype want) {
  if (got.dtype == want) return;
  throw DtypeError(
      fmt::format("{}: {} must be {}, got {}", operation, operand, to_string(want), to_string(got.dtype)));
}

void require_spec(std::string_view operation, std::string_view operand, const Spec& got, const Spec& want) {
  require_dtype(operation, operand, got, want.dtype);
  if (got.shape == want.shape) return;
  throw ShapeError(fmt::format("{}: {} must be {}, got {}", operation, operand, to_string(want.shape),
                               to_string(got.shape)));
}

void require_stretches(std::string_view operation, const Shape& small, const Shape& large) {
  bool fits = small.rank() <= large.rank();
  for (std::size_t d = 0; fits && d < small.rank(); ++d) {
    const std::int64_t size = small[d];
    fits = size == 1 || size == large[large.rank() - small.rank() + d];
  }
  if (fits) return;
  throw ShapeError(
      fmt::format("{}: {} does not stretch to {}", operation, to_string(small), to_string(large)));
}

}  // namespace xtgrad::v1::detail
