#include "xtgrad/nn/similarity.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/kernels/lanes_power.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/ops/slope.h"
#include "xtgrad/nn/loss_checks.h"

namespace xtgrad::inline v1::nn {
namespace {

/// Throws unless both are floating, of one dtype, and broadcast; gives the common shape.
Shape common_shape(std::string_view function, const Tensor& a, const Tensor& b) {
  detail::check_operands(function, {{"a", a}, {"b", b}});
  if (a.dtype() != b.dtype()) {
    throw DtypeError(fmt::format("{}: dtypes differ: a is {}, b is {}; convert with to()", function,
                                 to_string(a.dtype()), to_string(b.dtype())));
  }
  return broadcast_shapes(function, a.shape(), b.shape());
}

/// The n-th derivative of |x|^p, p above 1. Of pow(abs(x), p) the second would be 0 times infinity at 0,
/// where p is below 2.
class AbsPower final : public xtgrad::detail::Slope<AbsPower> {
 public:
  static constexpr std::string_view slope_name = "abs_power";
  explicit AbsPower(double p, int n = 0) : p_(p), n_(n) {}

  void describe(Attributes& a) override {
    a("p", p_);
    a("derivative", n_);
  }
  /// At 0 the odd ones are 0, as the slope at any kink is, and the even ones the limit: infinite for p below
  /// n.
  auto value(const auto& x) const {
    double factor = 1;
    for (int i = 0; i < n_; ++i) factor *= p_ - i;
    const auto magnitude = factor * power(abs(x), factor == 0 ? 0 : p_ - n_);
    return n_ % 2 == 0 ? magnitude : where(x == 0, 0, where(x < 0, -magnitude, magnitude));
  }
  [[nodiscard]] Tensor rule(const Tensor& g, const Tensor& x) const { return g * AbsPower(p_, n_ + 1)(x); }

 private:
  double p_;
  int n_;
};

/// f(total), and 0 with derivatives of 0 where the total is 0, where a root has a hole.
template <class F>
Tensor root_of(const Tensor& total, F root) {
  const Tensor zero = total == 0;
  return where(zero, 0, root(where(zero, 1, total)));
}

Tensor length(const Tensor& x, const ReduceOptions& along) {
  return root_of(sum(square(x), along), [](const Tensor& total) { return sqrt(total); });
}

Tensor norm(const Tensor& x, double p, const ReduceOptions& along) {
  if (p == 2) return length(x, along);
  if (p == 1) return sum(abs(x), along);
  if (std::isinf(p)) return amax(abs(x), along);
  // Of zeros alone also the parts have no derivative: the root's 0 would meet their infinite second ones.
  const auto is_zero = [&x](const ReduceOptions& over) { return sum(abs(x.detach()), over) == 0; };
  const Tensor safe = where(is_zero({.axes = along.axes, .keepdim = true}), 1, x);
  const Tensor length =
      root_of(sum(AbsPower(p)(safe), along), [p](const Tensor& total) { return pow(total, 1 / p); });
  return where(is_zero(along), 0, length);
}

}  // namespace

Tensor cosine_similarity(const Tensor& a, const Tensor& b, const CosineSimilarityOptions& options) {
  constexpr std::string_view function = "cosine_similarity";
  const Shape shape = common_shape(function, a, b);
  if (!(options.eps > 0 && std::isfinite(options.eps))) {
    throw ValueError(fmt::format("{}: eps must be positive and finite: got {}", function, options.eps));
  }
  const auto axis = static_cast<std::int64_t>(normalize_axis(function, options.axis, shape.rank()));
  const ReduceOptions along{.axes = {axis}};
  const Tensor wide_a = broadcast_to(a, shape);
  const Tensor wide_b = broadcast_to(b, shape);
  const Tensor product = sum(wide_a * wide_b, along);
  return product /
         (maximum(length(wide_a, along), options.eps) * maximum(length(wide_b, along), options.eps));
}

Tensor pairwise_distance(const Tensor& a, const Tensor& b, const PairwiseDistanceOptions& options) {
  constexpr std::string_view function = "pairwise_distance";
  const Shape shape = common_shape(function, a, b);
  if (!(options.p >= 1))
    throw ValueError(fmt::format("{}: p must be at least 1: got {}", function, options.p));
  if (!(options.eps >= 0 && std::isfinite(options.eps))) {
    throw ValueError(fmt::format("{}: eps must be finite and at least 0: got {}", function, options.eps));
  }
  if (shape.rank() == 0) {
    throw ShapeError(fmt::format("{}: needs vectors in the last dimension: a is {}, b is {}", function,
                                 to_string(a.shape()), to_string(b.shape())));
  }
  return norm(a - b + options.eps, options.p, {.axes = {-1}, .keepdim = options.keepdim});
}

}  // namespace xtgrad::v1::nn
