#include "xtgrad/nn/dropout.h"

#include <fmt/format.h>

#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/levels/choose_rows.h"
#include "xtgrad/autograd/kernels/scalar_map.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/batching.h"
#include "xtgrad/nn/floating_input.h"

namespace xtgrad::inline v1::nn {
namespace {

namespace core = xtgrad::detail;

double checked_p(std::string_view module, double p) {
  if (p >= 0 && p <= 1) return p;
  throw ValueError(fmt::format("{}: p must be in [0, 1]: got {}", module, p));
}

/// x times a factor where a mask, which broadcasts to it, is true, and 0 elsewhere: chosen, not multiplied,
/// so that an infinity that is dropped becomes 0 and not NaN. Linear, so it is its own rule.
class ScaledWhere final : public DifferentiablePrimitive<ScaledWhere> {
 public:
  explicit ScaledWhere(double factor = 1) : factor_(factor) {}

  [[nodiscard]] std::string_view name() const override { return "scaled_where"; }
  void describe(Attributes& a) override { a("factor", factor_); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    core::visit_floating(in[1]->dtype, [&](auto zero) {
      using T = decltype(zero);
      const auto row = [factor = static_cast<T>(factor_)](const std::int64_t* strides, T* to, std::int64_t n,
                                                          const bool* kept, const T* x) {
        const core::RepeatedOperands repeated{.mask = strides[0] == 0, .a = strides[1] == 0};
        if constexpr (sizeof(T) == sizeof(float)) {
          core::choose_scaled_row_float32(n, kept, x, factor, repeated, to);
        } else {
          core::choose_scaled_row_float64(n, kept, x, factor, repeated, to);
        }
      };
      core::for_each_result_row<T, bool, T>(*out[0], {in[0], in[1]}, row);
    });
  }
  [[nodiscard]] InputSet may_overwrite(int) const override { return 0b10; }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  /// x has all dimensions.
  [[nodiscard]] bool batch(core::BatchContext& context) const override {
    const std::size_t rank = core::example_rank(context.input(1));
    if (rank >= Shape::max_rank) return false;
    const Tensor x = core::repeated(context.input(1), context.size());
    context.set(0, core::apply(*this, core::aligned(context.input(0), rank), x));
    return true;
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    core::require_dtype(name(), "the mask", *in[0], Dtype::boolean);
    require_floating(name(), in.subspan(1));
    core::require_stretches(name(), in[0]->shape, in[1]->shape);
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(0); }
  void vjp(VjpContext& context) const override {
    const Tensor mask = context.input(0);
    context.set(1, core::apply(*this, mask, context.g()));
  }

 private:
  double factor_;
};

/// x where `kept`, which broadcasts to it, is true, divided by 1 - p; 0 elsewhere.
Tensor keep(const Tensor& x, const Tensor& kept, double p) {
  return core::apply(ScaledWhere(p == 1 ? 1 : 1 / (1 - p)), kept, x);
}

}  // namespace

Dropout::Dropout(const DropoutOptions& options)
    : stream(default_random().split()), p_(checked_p("Dropout", options.p)) {}

Tensor Dropout::forward(const Tensor& x) {
  if (!is_training() || p_ == 0) return alias(x);
  detail::check_floating([this] { return label(); }, x);
  return keep(x, bernoulli(x.shape(), 1 - p_, stream), p_);
}

Dropout2d::Dropout2d(const DropoutOptions& options)
    : stream(default_random().split()), p_(checked_p("Dropout2d", options.p)) {}

Tensor Dropout2d::forward(const Tensor& x) {
  if (x.rank() != 4) {
    throw ShapeError(fmt::format("{}: input must be [n, c, h, w]: got {}", label(), to_string(x.shape())));
  }
  if (!is_training() || p_ == 0) return alias(x);
  detail::check_floating([this] { return label(); }, x);
  return keep(x, bernoulli({x.size(0), x.size(1), 1, 1}, 1 - p_, stream), p_);
}

}  // namespace xtgrad::v1::nn
