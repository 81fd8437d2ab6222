#include "xtgrad/datasets/checks.h"

#include <fmt/format.h>

#include <cmath>

#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::datasets::detail {

Dtype inputs_dtype(std::string_view function, std::optional<Dtype> dtype) {
  const Dtype chosen = dtype.value_or(default_dtype());
  if (!is_floating(chosen)) {
    throw DtypeError(
        fmt::format("{}: dtype must be float32 or float64: got {}", function, to_string(chosen)));
  }
  return chosen;
}

void require_at_least(std::string_view function, std::string_view option, std::int64_t value,
                      std::int64_t least) {
  if (value < least) {
    throw ValueError(fmt::format("{}: {} must be at least {}: got {}", function, option, least, value));
  }
}

void require_deviation(std::string_view function, std::string_view option, double value) {
  if (!(value >= 0) || !std::isfinite(value)) {
    throw ValueError(fmt::format("{}: {} must be finite and not negative: got {}", function, option, value));
  }
}

void require_finite(std::string_view function, std::string_view option, double value) {
  if (!std::isfinite(value)) {
    throw ValueError(fmt::format("{}: {} must be finite: got {}", function, option, value));
  }
}

}  // namespace xtgrad::v1::datasets::detail
