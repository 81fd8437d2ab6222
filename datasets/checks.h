#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad::inline v1::datasets::detail {

// What the functions that make data sets check.

/// The dtype of a data set's inputs, the thread's default one if none is given; throws DtypeError unless it
/// is floating.
Dtype inputs_dtype(std::string_view function, std::optional<Dtype> dtype);

/// What readers expect of numbers of more digits, if the dtype is float32; a larger one would become
/// infinite.
inline constexpr std::string_view fits_float32 =
    "a number that float32 can hold: at most 3.4028235e+38 in size (for larger ones, set .dtype)";

/// Throws ValueError unless `value` is at least `least`.
void require_at_least(std::string_view function, std::string_view option, std::int64_t value,
                      std::int64_t least);

/// Throws ValueError unless `value` is finite and not negative, as a standard deviation must be.
void require_deviation(std::string_view function, std::string_view option, double value);

/// Throws ValueError unless `value` is finite.
void require_finite(std::string_view function, std::string_view option, double value);

}  // namespace xtgrad::v1::datasets::detail
