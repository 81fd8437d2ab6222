#pragma once

#include <cstdint>
#include <span>

namespace xtgrad::inline v1::detail {

/// The x [n, k] of least norm among those for which each column of a x - b has the least norm, by the
/// singular values of a [m, n] (LAPACK's gelsd), of which those below max(m, n) roundings of the largest
/// count as 0; b is [m, k]. Everything is row-major, finite and not empty. Returns the rank of a. Throws
/// ShapeError for sizes that LAPACK cannot count.
std::int64_t lstsq(std::span<const double> a, std::span<const double> b, std::int64_t m, std::int64_t n,
                   std::int64_t k, std::span<double> x);

}  // namespace xtgrad::v1::detail
