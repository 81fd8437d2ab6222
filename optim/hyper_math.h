#pragma once

#include <cmath>
#include <cstdint>
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

/// A hyperparameter as a formula takes it: C is double, Hyper, or a term (autograd/emit/term.h).
template <class C>
[[nodiscard]] C coefficient(const Hyper& x) {
  if constexpr (std::is_same_v<C, double>) {
    return x.value();
  } else if constexpr (!std::is_same_v<C, Hyper>) {
    return C::number(x.value());
  } else {
    return x;
  }
}

/// A learning rate that is a term already.
template <class C>
requires(!std::is_same_v<C, Hyper>) [[nodiscard]] const C& coefficient(const C& term) { return term; }

/// The number of a step as an exponent: a double, or a term.
inline double exponent_of(std::int64_t step) { return static_cast<double>(step); }
template <class C>
[[nodiscard]] const C& exponent_of(const C& term) {
  return term;
}

/// One of two coefficients.
template <class C>
[[nodiscard]] C chosen(bool first, const C& a, const C& b) {
  return first ? a : b;
}
template <class C>
[[nodiscard]] C chosen(const auto& first, const C& a, const C& b) {
  return where(first, a, b);
}

}  // namespace detail
}  // namespace xtgrad::v1::optim
