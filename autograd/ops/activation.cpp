#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/formulas/activation.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/slope.h"

namespace xtgrad::inline v1 {
namespace detail {
namespace {

struct LeakyRelu final : Unary<LeakyRelu, formulas::LeakyRelu, OpId::leaky_relu, input_bit(0)> {
  using Unary::Unary;
};
struct Elu final : Unary<Elu, formulas::Elu, OpId::elu, input_bit(0)> {
  using Unary::Unary;
};
struct NormalCdf final : Unary<NormalCdf, formulas::NormalCdf, OpId::normal_cdf, input_bit(0)> {};
struct Gelu final : Unary<Gelu, formulas::Gelu, OpId::gelu, input_bit(0)> {};
struct GeluTanh final : Unary<GeluTanh, formulas::GeluTanh, OpId::gelu_tanh, input_bit(0)> {};
struct Silu final : Unary<Silu, formulas::Silu, OpId::silu, input_bit(0)> {};
struct Celu final : Unary<Celu, formulas::Celu, OpId::celu, input_bit(0)> {
  using Unary::Unary;
};
struct Selu final : Unary<Selu, formulas::Selu, OpId::selu, input_bit(0)> {};
struct Mish final : Unary<Mish, formulas::Mish, OpId::mish, input_bit(0)> {};
struct Softsign final : Unary<Softsign, formulas::Softsign, OpId::softsign, input_bit(0)> {};
struct Tanhshrink final : Unary<Tanhshrink, formulas::Tanhshrink, OpId::tanhshrink, input_bit(0)> {};
struct Hardswish final : Unary<Hardswish, formulas::Hardswish, OpId::hardswish, input_bit(0)> {};
struct Hardsigmoid final : Unary<Hardsigmoid, formulas::Hardsigmoid, OpId::hardsigmoid, input_bit(0)> {};
struct Hardshrink final : Unary<Hardshrink, formulas::Hardshrink, OpId::hardshrink, input_bit(0)> {
  using Unary::Unary;
};
struct Softshrink final : Unary<Softshrink, formulas::Softshrink, OpId::softshrink, input_bit(0)> {
  using Unary::Unary;
};

struct Threshold final : Unary<Threshold, formulas::Threshold, OpId::threshold, input_bit(0)> {
  using Unary::Unary;
};

double checked_lambda(std::string_view function, double lambda) {
  if (lambda >= 0 && std::isfinite(lambda)) return lambda;
  throw ValueError(fmt::format("{}: lambda must be finite and not negative, got {}", function, lambda));
}

}  // namespace

namespace formulas {

struct TensorGates {
  Tensor up, down;
};

TensorGates gelu_tanh_gates(const Tensor& x) { return {GeluTanhGate(1)(x), GeluTanhGate(-1)(x)}; }

}  // namespace formulas
}  // namespace detail

using detail::OpId;

Tensor leaky_relu(const Tensor& x, double slope) {
  if (!std::isfinite(slope)) {
    throw ValueError(fmt::format("leaky_relu: slope must be finite, got {}", slope));
  }
  return detail::apply(detail::LeakyRelu(detail::formulas::LeakyRelu(slope)), x);
}

Tensor elu(const Tensor& x, double alpha) {
  if (!(alpha >= 0 && std::isfinite(alpha))) {
    throw ValueError(fmt::format("elu: alpha must be finite and not negative, got {}", alpha));
  }
  return detail::apply(detail::Elu(detail::formulas::Elu(alpha)), x);
}

Tensor normal_cdf(const Tensor& x) { return detail::apply(detail::NormalCdf{}, x); }
Tensor gelu(const Tensor& x) { return detail::apply(detail::Gelu{}, x); }
Tensor gelu_tanh(const Tensor& x) { return detail::apply(detail::GeluTanh{}, x); }
Tensor silu(const Tensor& x) { return detail::apply(detail::Silu{}, x); }

Tensor celu(const Tensor& x, double alpha) {
  if (!(alpha > 0 && std::isfinite(alpha))) {
    throw ValueError(fmt::format("celu: alpha must be finite and positive, got {}", alpha));
  }
  return detail::apply(detail::Celu(detail::formulas::Celu(alpha)), x);
}

Tensor selu(const Tensor& x) { return detail::apply(detail::Selu{}, x); }
Tensor mish(const Tensor& x) { return detail::apply(detail::Mish{}, x); }
Tensor softsign(const Tensor& x) { return detail::apply(detail::Softsign{}, x); }
Tensor tanhshrink(const Tensor& x) { return detail::apply(detail::Tanhshrink{}, x); }
Tensor hardswish(const Tensor& x) { return detail::apply(detail::Hardswish{}, x); }
Tensor hardsigmoid(const Tensor& x) { return detail::apply(detail::Hardsigmoid{}, x); }

Tensor hardshrink(const Tensor& x, double lambda) {
  const detail::formulas::Hardshrink formula(detail::checked_lambda("hardshrink", lambda));
  return detail::apply(detail::Hardshrink(formula), x);
}

Tensor softshrink(const Tensor& x, double lambda) {
  const detail::formulas::Softshrink formula(detail::checked_lambda("softshrink", lambda));
  return detail::apply(detail::Softshrink(formula), x);
}

Tensor relu6(const Tensor& x) { return clamp(x, {.min = 0, .max = 6}); }

Tensor hardtanh(const Tensor& x, double min, double max) { return clamp(x, {.min = min, .max = max}); }

Tensor threshold(const Tensor& x, double threshold, double value) {
  return detail::apply(detail::Threshold(detail::formulas::Threshold{threshold, value}), x);
}

Tensor prelu(const Tensor& x, const Tensor& weight) {
  detail::check_floating(detail::OpId::prelu, {x.shape(), x.dtype()});
  detail::check_floating(detail::OpId::prelu, {weight.shape(), weight.dtype()});
  Tensor slopes = weight;
  if (weight.shape().rank() == 1 && weight.numel() != 1 && x.shape().rank() != 1) {
    const std::int64_t channels = x.shape().rank() < 2 ? 0 : x.shape()[1];
    if (weight.numel() != channels) {
      throw ShapeError(fmt::format("prelu: needs a weight for each of the {} channels of x {}, got weight {}",
                                   channels, to_string(x.shape()), to_string(weight.shape())));
    }
    std::vector<std::int64_t> sizes(x.shape().rank(), 1);
    sizes[1] = channels;
    slopes = reshape(weight, sizes);
  }
  // Above 0 the other side has no x that could be infinite times a slope of 0. At 0 it has x itself:
  // `minimum` has no derivative in x there.
  const Tensor is_above = x > 0;
  return where(is_above, x, slopes * where(is_above, 0, x));
}

}  // namespace xtgrad::v1
