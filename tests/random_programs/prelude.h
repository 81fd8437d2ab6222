// What the steps' expressions use beside the library; printed programs include it.
#pragma once

#include <cstdint>

#include "xtgrad/xtgrad.h"

namespace xtgrad::random_programs {

/// The identity matrix of a's last size.
inline Tensor identity(const Tensor& a) {
  return eye(a.shape()[a.shape().rank() - 1], {}, {.dtype = a.dtype()});
}

/// Of elements between -1 and 1, up to 3 a row: a matrix whose diagonal outweighs what is beside it.
inline Tensor regular(const Tensor& a) { return a * 0.3 + identity(a) * 2; }

/// The same, symmetric and positive definite; its eigenvalues, by Gershgorin's circles, are 1 apart at least.
inline Tensor spd(const Tensor& a) {
  const std::int64_t n = a.shape()[a.shape().rank() - 1];
  const Tensor places = arange(static_cast<double>(n), {}, {.dtype = a.dtype()});
  return (a + transpose(a)) * 0.2 + diag(places * 2.7 + 1.5);
}

/// Elements of x in another order, as many as `shape` takes, beginning at number `first`.
inline Tensor fit(const Tensor& x, const Shape& shape, std::int64_t first) {
  const Tensor places = arange(shape.numel(), {}, {.dtype = int64});
  return take(x, reshape(remainder(places * 5 + first, x.numel()), shape));
}

/// A sum in which no element counts as its neighbour.
inline Tensor weighted(const Tensor& x, std::int64_t first) {
  const Tensor places = arange(static_cast<double>(x.numel()), {}, {.dtype = x.dtype()});
  return sum(x * reshape(cos(places + static_cast<double>(first)), x.shape()));
}

}  // namespace xtgrad::random_programs
