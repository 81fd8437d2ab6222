#include "xtgrad/autograd/parameter_draws.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/gamma_draws.h"
#include "xtgrad/autograd/kernels/gamma_slope.h"
#include "xtgrad/autograd/kernels/poisson_draws.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1 {
namespace detail { namespace {

/// Seed and position of a draw, an operand: int64 [2].
DrawStream stream_of(const Array& state) {
  const auto* words = state.data<std::uint64_t>();
  return {words[0], words[1]};
}

/// Throws ValueError for the first element that is not finite, negative or, unless it `may_be_zero`, 0.
void check_parameter(std::string_view function, std::string_view parameter, const Array& x,
                     bool may_be_zero) {
  visit_floating(x.dtype, [&](auto zero) {
    const auto* values = x.data<decltype(zero)>();
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      if (std::isfinite(values[i]) && (values[i] > 0 || (may_be_zero && values[i] == 0))) continue;
      throw ValueError(fmt::format("{}: {} must be {} and finite: got {} at element {}", function, parameter,
                                   may_be_zero ? "at least 0" : "above 0", values[i], i));
    }
  });
}

void check_floating_draw(std::string_view function, std::string_view parameter, const Tensor& x) {
  if (!x.defined()) throw ValueError(fmt::format("{}: {}: the handle is empty", function, parameter));
  if (is_floating(x.dtype())) return;
  throw DtypeError(
      fmt::format("{}: {} must be float32 or float64, got {}", function, parameter, to_string(x.dtype())));
}

void check_loaded_draw(const Primitive& draw, InputSpecs in) {
  require_spec(draw.name(), "the stream", *in[0], {Shape{2}, Dtype::int64, {}});
  require_floating(draw.name(), in.subspan(1));
}

/// The derivative of a draw, of alpha and the draw.
class StandardGammaSlope final : public DifferentiablePrimitive<StandardGammaSlope> {
 public:
  explicit StandardGammaSlope(bool log_space = false) : log_space_(log_space) {}

  [[nodiscard]] std::string_view name() const override { return "standard_gamma.slope"; }
  void describe(Attributes& a) override { a("log_space", log_space_, false); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[0]; }
  void eval(Inputs in, Outputs out) const override { gamma_slope(*in[0], *in[1], log_space_, *out[0]); }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
    require_spec(name(), "the draws", *in[1], *in[0]);
  }
  void vjp(VjpContext&) const override {
    throw GraphError(
        "standard_gamma: the gradient of a draw has no derivative: take second derivatives of what does not "
        "depend on it, or cut the draw off by detach()");
  }

 private:
  bool log_space_;
};

class StandardGamma final : public DifferentiablePrimitive<StandardGamma> {
 public:
  explicit StandardGamma(bool log_space = false) : log_space_(log_space) {}

  [[nodiscard]] std::string_view name() const override { return "standard_gamma"; }
  void describe(Attributes& a) override { a("log_space", log_space_, false); }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    check_parameter(name(), "alpha", *in[1], false);
    draw_gamma(stream_of(*in[0]), *in[1], log_space_, *out[0]);
  }
  [[nodiscard]] std::int64_t flops(InputSpecs, InputSpecs out) const override {
    return out[0]->shape.numel();
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    check_loaded_draw(*this, in);
  }
  [[nodiscard]] Reads reads(Wanted) const override { return input_bit(1) | output_bit; }
  void vjp(VjpContext& context) const override {
    const Tensor alpha = context.input(1), drawn = context.output();
    context.set(1, context.g() * apply(StandardGammaSlope(log_space_), alpha, drawn));
  }

 private:
  bool log_space_;
};

class Poisson final : public ConstantPrimitive<Poisson> {
 public:
  [[nodiscard]] std::string_view name() const override { return "poisson"; }
  void infer(InputSpecs in, OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(Inputs in, Outputs out) const override {
    check_parameter(name(), "rate", *in[1], true);
    draw_poisson(stream_of(*in[0]), *in[1], *out[0]);
  }
  void check_loaded(InputSpecs in, InputSpecs out) const override {
    require_call(in, out, 2);
    check_loaded_draw(*this, in);
  }
};

}}  // namespace detail

Tensor standard_gamma(const Tensor& alpha, const StandardGammaOptions& options, Random& random) {
  detail::check_floating_draw("standard_gamma", "alpha", alpha);
  Tensor drawn = detail::apply(detail::StandardGamma(options.log_space), random.state(), alpha);
  random.advance();  // now that the parameters have been taken
  return drawn;
}

Tensor poisson(const Tensor& rate, Random& random) {
  detail::check_floating_draw("poisson", "rate", rate);
  Tensor drawn = detail::apply_constant(detail::Poisson(), random.state(), rate);
  random.advance();
  return drawn;
}

}  // namespace xtgrad::v1
