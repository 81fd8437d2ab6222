#pragma once

#include <cmath>
#include <type_traits>

#include "xtgrad/optim/hyper.h"

namespace xtgrad::inline v1::optim {

// Arithmetic of hyperparameters, so that an update formula reads the same for coefficients that are C++
// numbers (on lanes) and for those that a derivative can reach (on tensors). Among numbers it is arithmetic
// in double; tensors of two dtypes meet in float64.

[[nodiscard]] Hyper operator+(const Hyper& a, const Hyper& b);
[[nodiscard]] Hyper operator-(const Hyper& a, const Hyper& b);
[[nodiscard]] Hyper operator*(const Hyper& a, const Hyper& b);
[[nodiscard]] Hyper operator/(const Hyper& a, const Hyper& b);
[[nodiscard]] Hyper pow(const Hyper& base, double exponent);
[[nodiscard]] Hyper pow(const Hyper& base, const Hyper& exponent);
[[nodiscard]] Hyper exp(const Hyper& x);
[[nodiscard]] Hyper sqrt(const Hyper& x);

[[nodiscard]] Tensor operator*(const Hyper& a, const Tensor& x);
[[nodiscard]] Tensor operator+(const Tensor& x, const Hyper& b);

namespace detail {

/// The number behind a coefficient, for a formula's branches.
inline double value_of(double x) { return x; }
inline double value_of(const Hyper& x) { return x.value(); }

/// A number that elements of the dtype would take for 0 as the nearest other one: an eps still keeps divisors
/// from being 0. Tensors are passed on.
[[nodiscard]] Hyper away_from_zero(const Hyper& x, Dtype dtype);

/// A hyperparameter as a formula takes it: C is double or Hyper.
template <class C>
[[nodiscard]] C coefficient(const Hyper& x) {
  if constexpr (std::is_same_v<C, double>) {
    return x.value();
  } else {
    return x;
  }
}

}  // namespace detail
}  // namespace xtgrad::v1::optim
