#include "xtgrad/nn/cosine.h"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/functions/statistics.h"
#include "xtgrad/autograd/kernels/levels/lengths.h"
#include "xtgrad/autograd/kernels/reduce.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"

namespace xtgrad::inline v1::nn::detail {
namespace {

namespace core = xtgrad::detail;

/// The gradient in one of the vectors, from g, both and the cosine's parts.
template <std::size_t Input>
class CosineRule final : public ConstantPrimitive<CosineRule<Input>> {
 public:
  explicit CosineRule(std::int64_t axis = 0) : axis_(axis) {}

  [[nodiscard]] std::string_view name() const override {
    return Input == 0 ? "cosine.rule0" : "cosine.rule1";
  }
  void describe(Attributes& a) override { a("axis", axis_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    const core::AxisView view(in[1]->shape, static_cast<std::size_t>(axis_));
    const auto grad = Input == 0 ? core::cosine_axis_grad_a : core::cosine_axis_grad_b;
    grad(*in[0], *in[1], *in[2], *in[3], view, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 4 * in[1]->shape.numel();
  }
  [[nodiscard]] bool batch(core::BatchContext& context) const override {
    constexpr std::size_t front = core::in_front;
    const core::PrimitiveCopy moved = core::with_moved_axes(*this, context.size());
    return core::batch_by_merging(*moved, context, {front, front, front, 1}, {front});
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    this->require_call(in, out, 4);
    require_floating(name(), in.first(3));
    core::require_spec(name(), "b", *in[2], *in[1]);
    core::require_axis(name(), static_cast<std::size_t>(axis_), in[1]->shape);
    const Shape shape = core::reduced_shape(in[1]->shape, core::AxisMask{1} << axis_, false);
    core::require_spec(name(), "g", *in[0], {shape, in[1]->dtype, {}});
    core::require_spec(name(), "parts", *in[3],
                       {Shape{core::CosineParts::count, shape.numel()}, Dtype::float64, {}});
  }

 private:
  std::int64_t axis_;
};

/// Its auxiliary are the lengths and the cosines as float64, so that neither a short vector's nor a long
/// one's leaves the range. Two rules: where nothing records, a pass over elements for each gradient; the
/// recorded rule makes the lengths functions of the vectors again.
class Cosine final : public DifferentiablePrimitive<Cosine> {
 public:
  static constexpr std::size_t auxiliaries = 1;
  explicit Cosine(std::int64_t axis = 0, double eps = 0) : axis_(axis), eps_(eps) {}

  [[nodiscard]] std::string_view name() const override { return "cosine"; }
  void describe(Attributes& a) override {
    a("axis", axis_);
    a("eps", eps_);
  }
  void infer(InputSpecs in, OutputSpecs out) const override {
    const Shape shape = core::reduced_shape(in[0]->shape, core::AxisMask{1} << axis_, false);
    *out[0] = {shape, in[0]->dtype};
    *out[1] = {Shape{core::CosineParts::count, shape.numel()}, Dtype::float64};
  }
  void eval(Inputs in, Outputs out) const override {
    const core::AxisView view(in[0]->shape, static_cast<std::size_t>(axis_));
    const std::int64_t rows = out[0]->shape.numel();
    Array own;
    if (out[1] == nullptr) own = Array::uninitialized({core::CosineParts::count, rows}, Dtype::float64);
    Array& parts = out[1] != nullptr ? *out[1] : own;
    core::cosine_axis(*in[0], *in[1], view, eps_, parts);
    core::visit_floating(out[0]->dtype, [&](auto zero) {
      using T = decltype(zero);
      const double* const from = core::CosineParts::of(parts.mutable_data<double>(), rows).cosine;
      std::transform(from, from + rows, out[0]->mutable_data<T>(),
                     [](double cosine) { return static_cast<T>(cosine); });
    });
  }
  [[nodiscard]] std::int64_t flops(InputSpecs in, InputSpecs) const override {
    return 6 * in[0]->shape.numel();
  }
  [[nodiscard]] bool batch(core::BatchContext& context) const override {
    return core::batch_along_axes(*this, context);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
    core::require_spec(name(), "b", *in[1], *in[0]);
    core::require_axis(name(), static_cast<std::size_t>(axis_), in[0]->shape);
  }

  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0) | input_bit(1) | output_bit; }
  void vjp(VjpContext& context) const override {
    const bool records =
        context.g().requires_grad() || context.input(0).requires_grad() || context.input(1).requires_grad();
    if (core::thread_state.records() && records) return record_vjp(context);
    if (context.wanted(0)) context.set(0, gradient_of<0>(context));
    if (context.wanted(1)) context.set(1, gradient_of<1>(context));
  }

 private:
  template <std::size_t Input>
  [[nodiscard]] Tensor gradient_of(const VjpContext& context) const {
    Array gradient;
    core::compute(CosineRule<Input>(axis_),
                  std::array{&core::array_of(context.g()), &context.input(0).array(),
                             &context.input(1).array(), &context.auxiliary()},
                  std::array{&gradient});
    return core::make_constant(std::move(gradient));
  }

  struct Vectors {
    Tensor x, length, counted;  // x itself, |x|, max(|x|, eps)
  };

  /// Eps, or the smallest number that the dtype has.
  [[nodiscard]] double least_length(Dtype dtype) const {
    return core::visit_floating(dtype, [this](auto zero) {
      using Limits = std::numeric_limits<decltype(zero)>;
      return std::clamp<double>(eps_, Limits::denorm_min(), Limits::max());
    });
  }
  [[nodiscard]] Vectors vectors_of(const Tensor& x) const {
    const bool is_last = axis_ + 1 == static_cast<std::int64_t>(x.rank());
    const NormOptions along{.axes = {-1}, .keepdim = true};
    const Tensor length =
        is_last ? norm(x, along) : transpose(norm(transpose(x, axis_, -1), along), axis_, -1);
    return {x, length, maximum(length, least_length(x.dtype()))};
  }

  void record_vjp(VjpContext& context) const {
    const Tensor a = context.input(0), b = context.input(1);
    const Dims rows(core::reduced_shape(a.shape(), core::AxisMask{1} << axis_, true));
    const Tensor g = reshape(context.g(), rows), cosine = reshape(context.output(), rows);
    const std::int64_t n = context.output().array().numel();
    const auto* const lengths = context.auxiliary().data<double>();  // of both
    const bool moderate = core::are_moderate(std::span(lengths, static_cast<std::size_t>(2 * n)));
    const std::array both{vectors_of(a), vectors_of(b)};
    for (std::size_t i = 0; i < 2; ++i) {
      if (!context.wanted(i)) continue;
      const auto& [x, length, counted] = both[i];
      const Vectors& other = both[1 - i];
      const Tensor turns = where(length > least_length(x.dtype()), cosine, 0);
      if (moderate) {
        const Tensor share = g / counted;
        context.set(i, other.x * (share / other.counted) - x * (share * turns / counted));
      } else {
        // Divided last: what an eps near 0 makes infinite is no product with 0 then.
        context.set(i, g * (other.x / other.counted - turns * (x / counted)) / counted);
      }
    }
  }

  std::int64_t axis_;
  double eps_;
};

}  // namespace

Tensor cosine(const Tensor& a, const Tensor& b, std::int64_t axis, double eps) {
  return core::apply(Cosine(axis, eps), a, b);
}

}  // namespace xtgrad::v1::nn::detail
