#include "xtgrad/optim/clip.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/number.h"
#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/kernels/long_sum.h"
#include "xtgrad/autograd/memory/pool_allocator.h"

namespace xtgrad::inline v1::optim {
namespace {

namespace core = xtgrad::detail;

constexpr std::size_t sums = 16;  // independent ones, for the compiler to keep in SIMD registers

/// `f` of `Rows` elements, `sums` apart, as a tree.
template <std::size_t Rows, class T, class F>
[[gnu::always_inline]] inline double tree_of(const T* x, const F& f) {
  if constexpr (Rows == 1) {
    return f(static_cast<double>(*x));
  } else {
    return tree_of<Rows / 2>(x, f) + tree_of<Rows / 2>(x + Rows / 2 * sums, f);
  }
}

/// Adds up `f` of the elements, in double, by halves, and in an order that depends on nothing but their
/// number. Rows of `sums` elements meet as trees of four, and what is no full tree goes first: the first
/// terms are rounded most often.
template <class T, class F>
double total(std::span<const T> x, const F& f) {
  constexpr std::size_t block = 16 * sums;
  if (x.size() > block) {
    const std::size_t half = (x.size() / 2 + block - 1) / block * block;
    return total(x.first(half), f) + total(x.subspan(half), f);
  }
  std::array<double, sums> partial{};
  const T* row = x.data();
  const auto add = [&](auto rows) __attribute__((always_inline)) {
    const T* const from = row;
    for (std::size_t k = 0; k < sums; ++k) partial[k] += tree_of<rows>(from + k, f);
    row += rows * sums;
  };
  const std::size_t rows = x.size() / sums;
  for (std::size_t i = rows * sums; i < x.size(); ++i) partial[i - rows * sums] = tree_of<1>(row + i, f);
  if (rows % 2 != 0) add(std::integral_constant<std::size_t, 1>{});
  if (rows / 2 % 2 != 0) add(std::integral_constant<std::size_t, 2>{});
  for (std::size_t fours = rows / 4; fours > 0; --fours) add(std::integral_constant<std::size_t, 4>{});
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
  if (p == 2) return total(x, [scaled](double v) { return scaled(v) * scaled(v); });
  if (p == 1) return total(x, [scaled](double v) { return std::abs(scaled(v)); });
  return total(x, [scaled, p](double v) { return std::pow(std::abs(scaled(v)), p); });
}

/// `f` of the elements of each array.
template <class F>
void for_each_array(core::Inputs arrays, const F& f) {
  for (const core::Array* array : arrays) {
    core::visit_floating(array->dtype, [&](auto zero) {
      using T = decltype(zero);
      f(std::span(array->data<T>(), static_cast<std::size_t>(array->numel())));
    });
  }
}

double largest_of_all(core::Inputs arrays) {
  double most = 0;
  for_each_array(arrays, [&](auto x) {
    const double here = largest(x);
    if (here > most || std::isnan(here)) most = here;
  });
  return most;
}

double norm_of_all(core::Inputs arrays, double p) {
  if (std::isinf(p)) return largest_of_all(arrays);
  const auto sum = [&](const auto& scaled) {
    core::LongSum<double> all;
    for_each_array(arrays, [&](auto x) { all.add(powers(x, p, scaled)); });
    return all.value() + 0;  // 0 and not -0 where there is nothing
  };
  const double plain = sum([](double v) { return v; });
  // Powers may leave the range though the norm does not: then once more, relative to the largest element.
  const bool in_range = plain >= std::numeric_limits<double>::min() * 0x1p60 && std::isfinite(plain);
  if (in_range || std::isnan(plain)) return std::pow(plain, 1 / p);
  const double most = largest_of_all(arrays);
  if (most == 0 || !std::isfinite(most)) return most;
  return most * std::pow(sum([=](double v) { return v / most; }), 1 / p);
}

/// The norm of all its inputs together, float64 [].
class GradNorm final : public core::ConstantPrimitive<GradNorm> {
 public:
  explicit GradNorm(double p = 2) : p_(p) {}

  [[nodiscard]] std::string_view name() const override { return "grad_norm"; }
  void describe(Attributes& a) override { a("p", p_); }
  void infer(core::InputSpecs, core::OutputSpecs out) const override { *out[0] = {Shape{}, Dtype::float64}; }
  void eval(core::Inputs in, core::Outputs out) const override {
    *out[0]->mutable_data<double>() = norm_of_all(in, p_);
  }
  void check_loaded(core::InputSpecs in, core::InputSpecs out) const override {
    require_call(in, out, in.size());
    for (const core::Spec* each : in) require_floating(name(), {&each, 1});
  }
  /// A power and an addition each.
  [[nodiscard]] std::int64_t flops(core::InputSpecs in, core::InputSpecs) const override {
    std::int64_t elements = 0;
    for (const core::Spec* each : in) elements += each->shape.numel();
    return 2 * elements;
  }

 private:
  double p_;
};

/// What gradients of a given norm are multiplied by, float64 []: at most 1, and NaN for NaN.
class ClipFactor final : public core::ConstantPrimitive<ClipFactor> {
 public:
  explicit ClipFactor(double max_norm = 0) : max_norm_(max_norm) {}

  [[nodiscard]] std::string_view name() const override { return "clip_factor"; }
  void describe(Attributes& a) override { a("max_norm", max_norm_); }
  void infer(core::InputSpecs, core::OutputSpecs out) const override { *out[0] = {Shape{}, Dtype::float64}; }
  void eval(core::Inputs in, core::Outputs out) const override {
    const double factor = max_norm_ / (*in[0]->data<double>() + 1e-6);
    *out[0]->mutable_data<double>() = factor >= 1 ? 1 : factor;
  }
  void check_loaded(core::InputSpecs in, core::InputSpecs out) const override {
    require_call(in, out, 1);
    core::require_spec(name(), "the norm", *in[0], {Shape{}, Dtype::float64, {}});
  }

 private:
  double max_norm_;
};

/// A gradient times a factor, float64 [].
class ClipScale final : public core::ConstantPrimitive<ClipScale> {
 public:
  [[nodiscard]] std::string_view name() const override { return "clip_scale"; }
  void infer(core::InputSpecs in, core::OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(core::Inputs in, core::Outputs out) const override {
    const double factor = *in[1]->data<double>();
    core::map_formula<core::Value>(core::formulas::MulNumber{{factor}}, *out[0], *in[0]);
  }
  void check_loaded(core::InputSpecs in, core::InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in.first(1));
    core::require_spec(name(), "the factor", *in[1], {Shape{}, Dtype::float64, {}});
  }
  [[nodiscard]] std::int64_t flops(core::InputSpecs in, core::InputSpecs) const override {
    return in[0]->shape.numel();
  }
  [[nodiscard]] core::InputSet may_overwrite(int) const override { return 1; }
};

class ClipValue final : public core::ConstantPrimitive<ClipValue> {
 public:
  explicit ClipValue(double limit = 0) : limit_(limit) {}

  [[nodiscard]] std::string_view name() const override { return "clip_value"; }
  void describe(Attributes& a) override { a("limit", limit_); }
  void infer(core::InputSpecs in, core::OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(core::Inputs in, core::Outputs out) const override {
    core::map_formula<core::Value>(core::formulas::Clamp{.low = -limit_, .high = limit_}, *out[0], *in[0]);
  }
  void check_loaded(core::InputSpecs in, core::InputSpecs out) const override {
    require_call(in, out, 1);
    require_floating(name(), in);
  }
  [[nodiscard]] std::int64_t flops(core::InputSpecs in, core::InputSpecs) const override {
    return in[0]->shape.numel();
  }
  [[nodiscard]] core::InputSet may_overwrite(int) const override { return 1; }

 private:
  double limit_;
};

[[noreturn]] void throw_not_finite(std::span<const nn::ParameterRef> parameters, double norm) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Tensor gradient = parameters[i]->grad();
    if (!gradient.defined()) continue;
    const core::Array* const array = &core::array_of(gradient);
    if (std::isfinite(largest_of_all({&array, 1}))) continue;
    const std::string& name = parameters[i]->name();
    throw ValueError(
        fmt::format("clip_grad_norm: the norm of the gradients must be finite: got {}; the first gradient "
                    "that is not is that of {}",
                    norm, name.empty() ? fmt::format("parameter {}", i) : fmt::format("\"{}\"", name)));
  }
  throw ValueError(fmt::format("clip_grad_norm: the norm of the gradients must be finite: got {}", norm));
}

/// Replaces every gradient g by primitive(g, more...): all of them or, where memory runs out, none. Those
/// that nobody else sees are written over, when the others have what they need.
template <class P, class... Tensors>
void replace_gradients(std::span<const nn::ParameterRef> parameters, const P& primitive,
                       const Tensors&... more) {
  std::vector<Tensor, core::PoolAllocator<Tensor>> next(parameters.size());
  const auto is_own = [](const Tensor& gradient) {
    constexpr std::uint32_t handles = 2;  // the parameter's, and the one here
    return core::may_change(core::node_of(gradient), handles) && !core::thread_state.is_watched();
  };
  for (std::size_t i = 0; i < next.size(); ++i) {
    const Tensor gradient = parameters[i]->grad();
    if (gradient.defined() && !is_own(gradient)) next[i] = core::apply_constant(primitive, gradient, more...);
  }
  for (std::size_t i = 0; i < next.size(); ++i) {
    if (next[i].defined()) {
      parameters[i]->set_grad(next[i]);
    } else if (const Tensor gradient = parameters[i]->grad(); gradient.defined()) {
      core::compute_in_place(primitive, core::node_of(gradient).array, core::array_of(more)...);
    }
  }
}

Tensor norm_of_gradients(std::span<const nn::ParameterRef> parameters, double p) {
  std::vector<Tensor, core::PoolAllocator<Tensor>> gradients;
  std::vector<const core::Array*, core::PoolAllocator<const core::Array*>> arrays;
  for (const nn::ParameterRef& parameter : parameters) {
    if (Tensor gradient = parameter->grad(); gradient.defined()) gradients.push_back(std::move(gradient));
  }
  for (const Tensor& gradient : gradients) arrays.push_back(&core::array_of(gradient));
  core::Array norm;
  core::Array* const out = &norm;
  core::compute_any(GradNorm(p), arrays, {&out, 1});
  return core::make_constant(std::move(norm));
}

void check_parameters(std::string_view function, std::span<const nn::ParameterRef> parameters) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (parameters[i] == nullptr)
      throw ValueError(fmt::format("{}: parameter {} is an empty ref", function, i));
  }
}

void check_norm_type(std::string_view function, double p) {
  if (!(p > 0)) throw ValueError(fmt::format("{}: norm_type must be positive: got {}", function, p));
}

}  // namespace

Tensor grad_norm(std::span<const nn::ParameterRef> parameters, double norm_type) {
  check_norm_type("grad_norm", norm_type);
  check_parameters("grad_norm", parameters);
  return norm_of_gradients(parameters, norm_type);
}

Tensor clip_grad_norm(std::span<const nn::ParameterRef> parameters, double max_norm,
                      const ClipNormOptions& options) {
  if (!(max_norm >= 0)) {
    throw ValueError(fmt::format("clip_grad_norm: max_norm must be at least 0: got {}", max_norm));
  }
  check_norm_type("clip_grad_norm", options.norm_type);
  check_parameters("clip_grad_norm", parameters);
  Tensor norm = norm_of_gradients(parameters, options.norm_type);
  if (options.error_if_nonfinite) {
    const double number = norm.item();
    if (!std::isfinite(number)) throw_not_finite(parameters, number);
  }
  const Tensor factor = core::apply_constant(ClipFactor(max_norm), norm);
  // A product with 1 changes no bit; but whoever watches must see one, for another time it is not 1.
  if (!core::thread_state.is_watched() && factor.item() == 1) return norm;
  replace_gradients(parameters, ClipScale{}, factor);
  return norm;
}

void clip_grad_value(std::span<const nn::ParameterRef> parameters, double limit) {
  if (!(limit >= 0))
    throw ValueError(fmt::format("clip_grad_value: limit must be at least 0: got {}", limit));
  check_parameters("clip_grad_value", parameters);
  replace_gradients(parameters, ClipValue(limit));
}

}  // namespace xtgrad::v1::optim
