#include "xtgrad/optim/hyper_math.h"

#include <cmath>

#include "xtgrad/autograd/core/number_parts.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/cast.h"

namespace xtgrad::inline v1::optim {
namespace {

/// `f` of two hyperparameters, at least one of which is a tensor; f takes two tensors, or a tensor and a
/// number in either order.
template <class F>
Hyper on_tensors(const F& f, const Hyper& a, const Hyper& b) {
  if (!a.is_tensor()) return Hyper(f(Scalar(a.value()), b.tensor()));
  if (!b.is_tensor()) return Hyper(f(a.tensor(), Scalar(b.value())));
  const Dtype common = a.tensor().dtype() == b.tensor().dtype() ? a.tensor().dtype() : float64;
  return Hyper(f(xtgrad::detail::cast(a.tensor(), common), xtgrad::detail::cast(b.tensor(), common)));
}

template <class F>
Hyper combine(const F& f, const Hyper& a, const Hyper& b) {
  if (!a.is_tensor() && !b.is_tensor()) return Hyper(f(a.value(), b.value()));
  return on_tensors(f, a, b);
}

}  // namespace

Hyper operator+(const Hyper& a, const Hyper& b) {
  return combine([](const auto& x, const auto& y) { return x + y; }, a, b);
}
Hyper operator-(const Hyper& a, const Hyper& b) {
  return combine([](const auto& x, const auto& y) { return x - y; }, a, b);
}
Hyper operator*(const Hyper& a, const Hyper& b) {
  return combine([](const auto& x, const auto& y) { return x * y; }, a, b);
}
Hyper operator/(const Hyper& a, const Hyper& b) {
  return combine([](const auto& x, const auto& y) { return x / y; }, a, b);
}

Hyper pow(const Hyper& base, double exponent) {
  if (!base.is_tensor()) return Hyper(std::pow(base.value(), exponent));
  return Hyper(xtgrad::pow(base.tensor(), exponent));
}

Hyper pow(const Hyper& base, const Hyper& exponent) {
  if (!exponent.is_tensor()) return pow(base, exponent.value());
  return on_tensors([](const auto& x, const auto& y) { return xtgrad::pow(x, y); }, base, exponent);
}

Hyper exp(const Hyper& x) {
  if (!x.is_tensor()) return Hyper(std::exp(x.value()));
  return Hyper(xtgrad::exp(x.tensor()));
}

Hyper sqrt(const Hyper& x) {
  if (!x.is_tensor()) return Hyper(std::sqrt(x.value()));
  return Hyper(xtgrad::sqrt(x.tensor()));
}

Tensor operator*(const Hyper& a, const Tensor& x) {
  return a.is_tensor() ? xtgrad::detail::cast(a.tensor(), x.dtype()) * x : mul(x, a.value());
}

Tensor operator+(const Tensor& x, const Hyper& b) {
  return b.is_tensor() ? x + xtgrad::detail::cast(b.tensor(), x.dtype()) : add(x, b.value());
}

namespace detail {

Hyper away_from_zero(const Hyper& x, Dtype dtype) {
  if (x.is_tensor()) return x;
  return xtgrad::detail::visit_floating(
      dtype, [&x](auto zero) { return Hyper(xtgrad::detail::away_from_zero<decltype(zero)>(x.value())); });
}

}  // namespace detail
}  // namespace xtgrad::v1::optim
