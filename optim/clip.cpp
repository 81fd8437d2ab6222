#include "xtgrad/optim/clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/map.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr std::size_t sums = 16;  // independent ones, for the compiler to keep in SIMD registers

/// Adds up `f` of the elements, in double and in an order that depends on nothing but their number.
template <class T, class F>
double total(std::span<const T> x, const F& f) {
  std::array<double, sums> partial{};
  const std::size_t whole = x.size() / sums * sums;
  for (std::size_t i = 0; i < whole; i += sums) {
    for (std::size_t k = 0; k < sums; ++k) partial[k] += f(static_cast<double>(x[i + k]));
  }
  for (std::size_t i = whole; i < x.size(); ++i) partial[i - whole] += f(static_cast<double>(x[i]));
  for (std::size_t half = sums / 2; half > 0; half /= 2) {
    for (std::size_t k = 0; k < half; ++k) partial[k] += partial[k + half];
  }
  return partial[0];
}

/// The largest magnitude; NaN if there is one.
template <class T>
double largest(std::span<const T> x) {
  T most = 0;
  bool has_nan = false;
  for (const T value : x) {
    most = std::max(most, std::abs(value));  // a NaN never wins here
    has_nan |= std::isnan(value);
  }
  return has_nan ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>(most);
}

/// The sum of |scaled(x)|^p.
template <class T, class F>
double powers(std::span<const T> x, double p, const F& scaled) {
  if (p == 2) return total(x, [&](double v) { return scaled(v) * scaled(v); });
  if (p == 1) return total(x, [&](double v) { return std::abs(scaled(v)); });
  return total(x, [&](double v) { return std::pow(std::abs(scaled(v)), p); });
}

/// `f` of the elements of every gradient that there is.
template <class F>
void for_each_gradient(std::span<const nn::ParameterRef> parameters, const F& f) {
  for (const nn::ParameterRef& parameter : parameters) {
    const Tensor gradient = parameter->grad();
    if (!gradient.defined()) continue;
    xtgrad::detail::visit_floating(gradient.dtype(), [&](auto zero) { f(gradient.data<decltype(zero)>()); });
  }
}

double largest_of_all(std::span<const nn::ParameterRef> parameters) {
  double most = 0;
  for_each_gradient(parameters, [&](auto x) {
    const double here = largest(x);
    if (here > most || std::isnan(here)) most = here;
  });
  return most;
}

double norm_of_all(std::span<const nn::ParameterRef> parameters, double p) {
  if (std::isinf(p)) return largest_of_all(parameters);
  const auto sum = [&](const auto& scaled) {
    double all = 0;
    for_each_gradient(parameters, [&](auto x) { all += powers(x, p, scaled); });
    return all;
  };
  const double plain = sum([](double v) { return v; });
  // Powers may leave the range though the norm does not: then once more, relative to the largest element.
  const bool in_range = plain >= std::numeric_limits<double>::min() * 0x1p60 && std::isfinite(plain);
  if (in_range || std::isnan(plain)) return std::pow(plain, 1 / p);
  const double most = largest_of_all(parameters);
  if (most == 0 || !std::isfinite(most)) return most;
  return most * std::pow(sum([=](double v) { return v / most; }), 1 / p);
}

[[noreturn]] void throw_not_finite(std::span<const nn::ParameterRef> parameters, double norm) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double most = largest_of_all(parameters.subspan(i, 1));
    if (std::isfinite(most)) continue;
    const std::string& name = parameters[i]->name();
    throw ValueError(
        fmt::format("clip_grad_norm: the norm of the gradients must be finite: got {}; the first gradient "
                    "that is not is that of {}",
                    norm, name.empty() ? fmt::format("parameter {}", i) : fmt::format("\"{}\"", name)));
  }
  throw ValueError(fmt::format("clip_grad_norm: the norm of the gradients must be finite: got {}", norm));
}

/// Replaces every gradient by a formula of it.
template <class F>
void replace_gradients(std::span<const nn::ParameterRef> parameters, const F& formula) {
  const NoGrad no_grad;
  for (const nn::ParameterRef& parameter : parameters) {
    const Tensor gradient = parameter->grad();
    if (!gradient.defined()) continue;
    using namespace xtgrad::detail;
    parameter->set_grad(make_constant(map("clip", formula, array_of(gradient))));
  }
}

}  // namespace

double clip_grad_norm(std::span<const nn::ParameterRef> parameters, double max_norm,
                      const ClipNormOptions& options) {
  if (!(max_norm >= 0)) {
    throw ValueError(fmt::format("clip_grad_norm: max_norm must be at least 0: got {}", max_norm));
  }
  if (!(options.norm_type > 0)) {
    throw ValueError(fmt::format("clip_grad_norm: norm_type must be positive: got {}", options.norm_type));
  }
  const double norm = norm_of_all(parameters, options.norm_type);
  if (options.error_if_nonfinite && !std::isfinite(norm)) throw_not_finite(parameters, norm);
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;  // a NaN goes on
  replace_gradients(parameters, [factor](const auto& g) { return factor * g; });
  return norm;
}

void clip_grad_value(std::span<const nn::ParameterRef> parameters, double limit) {
  if (!(limit >= 0))
    throw ValueError(fmt::format("clip_grad_value: limit must be at least 0: got {}", limit));
  replace_gradients(parameters, [limit](const auto& g) { return minimum(maximum(g, -limit), limit); });
}

}  // namespace xtgrad::inline v1::optim
