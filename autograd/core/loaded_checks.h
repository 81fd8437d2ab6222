#pragma once

#include <cstddef>
#include <string_view>

#include "xtgrad/autograd/primitive.h"
#include "xtgrad/autograd/scalar.h"

namespace xtgrad::inline v1::detail {

// What `check_loaded` asks of attributes and operands: each throws an error that names the operation, what is
// required and what was found.

/// Throws ValueError unless `holds`: "slice: attribute step must be at least 1: got 0".
void require_attribute(bool holds, std::string_view operation, std::string_view attribute,
                       std::string_view rule, Scalar value);
/// Throws ShapeError unless `axis` is a dimension of x.
void require_axis(std::string_view operation, std::size_t axis, const Shape& x);
/// Throws DtypeError unless the operand has the dtype.
void require_dtype(std::string_view operation, std::string_view operand, const Spec& got, Dtype want);
/// Throws DtypeError or ShapeError unless the operand has that dtype and shape.
void require_spec(std::string_view operation, std::string_view operand, const Spec& got, const Spec& want);
/// Throws ShapeError unless NumPy's rules stretch `small` to exactly `large`.
void require_stretches(std::string_view operation, const Shape& small, const Shape& large);

}  // namespace xtgrad::v1::detail
