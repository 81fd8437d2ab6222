#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/norm.h"
#include "xtgrad/autograd/formulas/unary.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/kernels/formula.h"
#include "xtgrad/autograd/kernels/levels/largest.h"
#include "xtgrad/autograd/kernels/levels/lengths.h"
#include "xtgrad/autograd/kernels/levels/sum.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/axes.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/autograd/ops/cast.h"
#include "xtgrad/autograd/ops/checks.h"
#include "xtgrad/autograd/ops/merged_axes.h"
#include "xtgrad/autograd/ops/shape.h"
#include "xtgrad/autograd/ops/slope.h"
#include "xtgrad/autograd/ops/weighted.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

using formulas::AbsPower;

AxisView last_axis(const Shape& shape) { return AxisView(shape, shape.rank() - 1); }

Shape kept(const Shape& x) {
  Shape shape = x;
  shape[shape.rank() - 1] = 1;
  return shape;
}

/// lengths [rows], float64, of a p other than 2, from parts of `largest` or, if that is null, from x itself.
/// False where powers have left the dtype's range, or come near its ends.
bool power_lengths(const Array& x, double p, const Array* largest, Array& lengths) {
  const AxisView rows = last_axis(x.shape);
  Array terms = Array::uninitialized(x.shape, x.dtype);
  Array total = Array::uninitialized(kept(x.shape), x.dtype);
  if (largest == nullptr) {
    map_formula<Value>(formulas::LengthTerm{p}, terms, x);
  } else {
    map_formula<Value>(formulas::LengthTerm{p}, terms, x, *largest);
  }
  sum_axis(terms, rows.outer, rows.axis, 1, total);
  return visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* const sums = total.data<T>();
    auto* const to = lengths.mutable_data<double>();
    bool in_range = true;
    for (std::int64_t row = 0; row < rows.outer; ++row) {
      const double factor = largest == nullptr ? 1 : static_cast<double>(largest->data<T>()[row]);
      to[row] = factor * std::pow(static_cast<double>(sums[row]), 1 / p);
      // Of a sum far from 1 the root would magnify the rounding of its exponent.
      in_range = in_range && sums[row] >= T(0x1p-30) && sums[row] <= T(0x1p30);
    }
    return in_range;
  });
}

void power_lengths(const Array& x, double p, Array& lengths) {
  if (x.numel() == 0) {
    std::fill_n(lengths.mutable_data<double>(), lengths.numel(), 0.0);
    return;
  }
  if (power_lengths(x, p, nullptr, lengths)) return;
  const AxisView rows = last_axis(x.shape);
  Array sizes = Array::uninitialized(x.shape, x.dtype);
  Array largest = Array::uninitialized(kept(x.shape), x.dtype);
  map_formula<Value>(formulas::Abs{}, sizes, x);
  max_axis(sizes, rows.outer, rows.axis, 1, largest);
  map_formula<Value>(formulas::LengthDivisor{}, largest, largest);
  power_lengths(x, p, &largest, lengths);
}

/// x and lengths in which a row with infinities is the one whose slope is its own: as if they grew alike, and
/// nothing else did.
struct FiniteRows {
  Array x, lengths;
};

/// Nothing where all lengths are finite.
std::optional<FiniteRows> without_infinities(const Array& x, const Array& lengths, double p) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const std::span old(lengths.data<double>(), static_cast<std::size_t>(lengths.numel()));
  if (std::find(old.begin(), old.end(), inf) == old.end()) return std::nullopt;
  FiniteRows rows{.x = Array::uninitialized(x.shape, x.dtype),
                  .lengths = Array::uninitialized(lengths.shape, lengths.dtype)};
  const std::int64_t n = last_axis(x.shape).axis;
  visit_floating(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.data<T>();
    T* to = rows.x.mutable_data<T>();
    double* length = rows.lengths.mutable_data<double>();
    for (std::size_t row = 0; row < old.size(); ++row, from += n, to += n) {
      const std::int64_t infinities = std::count_if(from, from + n, [](T v) { return std::isinf(v); });
      // Without one it is the sum that has left the range.
      const bool changes = old[row] == inf && infinities > 0;
      length[row] = changes ? std::pow(static_cast<double>(infinities), 1 / p) : old[row];
      std::transform(from, from + n, to, [changes](T v) {
        return !changes || std::isnan(v) ? v : std::isinf(v) ? std::copysign(T(1), v) : T(0);
      });
    }
  });
  return rows;
}

/// The gradient, from g, x and the lengths.
class NormRule final : public ConstantPrimitive<NormRule> {
 public:
  explicit NormRule(double p = 2) : p_(p) {}

  [[nodiscard]] std::string_view name() const override { return "norm.rule0"; }
  void describe(Attributes& a) override { a("p", p_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    const std::optional<FiniteRows> finite = without_infinities(*in[1], *in[2], p_);
    const Array &g = *in[0], &x = finite ? finite->x : *in[1], &lengths = finite ? finite->lengths : *in[2];
    if (p_ == 2) return length_axis_grad(g, x, lengths, last_axis(x.shape), *out[0]);
    const Shape rows = kept(x.shape);
    // A length of 0 is one of zeros, whose slope is 0 whatever they are divided by.
    Array divisors = Array::uninitialized(rows, x.dtype);
    visit_floating(x.dtype, [&](auto zero) {
      using T = decltype(zero);
      const double* const of = lengths.data<double>();
      for (std::int64_t i = 0; i < rows.numel(); ++i) {
        const T length = static_cast<T>(of[i]);
        divisors.mutable_data<T>()[i] = length == 0 ? T(1) : length;
      }
    });
    map_formula<Value>(formulas::LengthRule{AbsPower(p_, 1)}, *out[0], g.with_shape(rows), x, divisors);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * in[1]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override {
    return batch_by_merging(*this, context, {in_front, in_front, 0}, {in_front});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 3);
    require_floating(name(), in.first(2));
    const Shape& x = in[1]->shape;
    require_axis(name(), 0, x);
    const Shape rows{last_axis(x).outer};
    require_spec(name(), "lengths", *in[2], {rows, Dtype::float64, {}});
    const bool keeps = in[0]->shape.rank() == x.rank();
    require_spec(name(), "g", *in[0],
                 {reduced_shape(x, AxisMask{1} << (x.rank() - 1), keeps), in[1]->dtype, {}});
  }

 private:
  double p_;
};

/// Its auxiliary are the lengths as float64 [rows].
class Norm final : public PrimitiveOf<Norm, OpId::norm> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit Norm(double p = 2, bool keepdim = false) : p_(p), keepdim_(keepdim) {}

  void describe(Attributes& a) override {
    a("p", p_);
    a("keepdim", keepdim_, false);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    check_floating(op, *in[0]);
    const Shape& x = in[0]->shape;
    *out[0] = {reduced_shape(x, AxisMask{1} << (x.rank() - 1), keepdim_), in[0]->dtype};
    *out[1] = {Shape{last_axis(x).outer}, Dtype::float64};
  }
  void eval(Inputs in, Outputs out) const override {
    const Array& x = *in[0];
    const AxisView rows = last_axis(x.shape);
    Array own;
    if (out[1] == nullptr) own = Array::uninitialized({rows.outer}, Dtype::float64);
    Array& lengths = out[1] != nullptr ? *out[1] : own;
    if (p_ == 2) {
      length_axis(x, rows, lengths);
    } else {
      power_lengths(x, p_, lengths);
    }
    visit_floating(x.dtype, [&](auto zero) {
      using T = decltype(zero);
      double* const from = lengths.mutable_data<double>();
      T* const to = out[0]->mutable_data<T>();
      for (std::int64_t row = 0; row < rows.outer; ++row) {
        to[row] = static_cast<T>(from[row]);
        // Out of the dtype's range it is infinite to the recorded rule, which reads the output, and so to
        // both.
        if (std::isinf(to[row])) from[row] = std::numeric_limits<double>::infinity();
      }
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 2 * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(BatchContext& context) const override { return batch_by_leading(*this, context); }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 1);
    require_floating(name(), in);
    require_axis(name(), 0, in[0]->shape);
  }

  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | output_bit; }
  void vjp(VjpContext& context) const override {
    const bool records = context.g().requires_grad() || context.input(0).requires_grad();
    if (thread_state.records() && records) return record_vjp(context);
    std::array<Array, 1> gradient;
    compute(NormRule(p_), std::array{&array_of(context.g()), &context.input(0).array(), &context.auxiliary()},
            std::array{&gradient[0]});
    context.set(0, make_constant(std::move(gradient[0])));
  }

 private:
  /// The same on tensors.
  void record_vjp(VjpContext& context) const {
    Tensor x = context.input(0);
    const Dims rows(kept(x.shape()));
    Tensor length = reshape(context.output(), rows);
    const Tensor g = reshape(context.g(), rows);
    if (auto finite = without_infinities(array_of(x), context.auxiliary(), p_)) {
      // Constants: the slope at infinity does not change.
      const Tensor infinite = length == std::numeric_limits<double>::infinity();
      const Tensor finite_length = make_constant(std::move(finite->lengths)).to(x.dtype());
      x = where(infinite, make_constant(std::move(finite->x)), x);
      length = where(infinite, reshape(finite_length, rows), length);
    }
    const Tensor zero = length == 0;
    if (p_ == 2) {
      // Of zeros alone x / infinity is 0, and so are its derivatives.
      const Tensor divisor = where(zero, std::numeric_limits<double>::infinity(), length);
      const Array& lengths = context.auxiliary();
      const bool is_moderate =
          are_moderate(std::span(lengths.data<double>(), static_cast<std::size_t>(lengths.numel())));
      context.set(0, is_moderate ? x * (g / divisor) : g * (x / divisor));
      return;
    }
    // Of zeros alone x counts as 1, where each slope has derivatives. Beside others a 0 has a second one that
    // may be infinite: it must not meet the length's, so x is divided by a constant.
    const Tensor some_x = where(zero, 1, x), some_length = where(zero, 1, length);
    const Tensor slope = AbsPower(p_, 1)(some_x / some_length.detach());
    // Of an infinite length no share is left of the elements that are finite.
    const Tensor finite = where(some_length == std::numeric_limits<double>::infinity(), 1, some_length);
    context.set(0, where(zero, 0, g * slope * pow(finite.detach() / finite, p_ - 1)));
  }

  double p_;
  bool keepdim_;
};

/// Of one axis, the last one.
Tensor norm_of_rows(const Tensor& x, double p, bool keepdim) {
  const ReduceOptions along{.axes = {-1}, .keepdim = keepdim};
  if (p == 0) return sum(cast(x != 0, x.dtype()), along);
  if (p == 1) return sum(abs(x), along);
  if (std::isinf(p)) return p > 0 ? amax(abs(x), along) : amin(abs(x), along);
  return apply(Norm(p, keepdim), x);
}

void check_order(double p) {
  if (p >= 0 || p == -std::numeric_limits<double>::infinity()) return;
  throw ValueError(fmt::format("norm: p must be at least 0, or -infinity: got {}", p));
}

}}  // namespace detail

Tensor norm(const Tensor& x, const NormOptions& options) {
  using detail::OpId;
  detail::check_order(options.p);
  detail::check_floating(OpId::norm, detail::array_of(x));
  const auto axes = detail::reduced_axes(OpId::norm, x.shape(), options.axes, options.keepdim);
  if (x.rank() > 0 && axes.mask == detail::AxisMask{1} << (x.rank() - 1))
    return detail::norm_of_rows(x, options.p, options.keepdim);
  const Tensor lengths = detail::norm_of_rows(detail::with_merged_axes(x, axes.mask), options.p, false);
  return detail::reshaped(lengths, axes.result(x.shape()));
}

}  // namespace xtgrad::v1
