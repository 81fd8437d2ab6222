#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "xtgrad/autograd/dtype.h"

namespace xtgrad {
inline namespace v1 {
namespace datasets {
namespace detail {

// What the functions that make data sets check.

/// The dtype of a data set's inputs, the thread's default one if none is given; throws DtypeError unless it
/// is floating.
Dtype inputs_dtype(std::string_view function, std::optional<Dtype> dtype);

/// Throws ValueError unless `value` is at least `least`.
void require_at_least(std::string_view function, std::string_view option, std::int64_t value,
                      std::int64_t least);

/// Throws ValueError unless `value` is finite and not negative, as a standard deviation must be.
void require_deviation(std::string_view function, std::string_view option, double value);

/// Throws ValueError unless `value` is finite.
void require_finite(std::string_view function, std::string_view option, double value);

}  // namespace detail
}  // namespace datasets
}  // namespace v1
}  // namespace xtgrad
