#include <fmt/format.h>

#include <cmath>

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

}  // namespace xtgrad::v1
