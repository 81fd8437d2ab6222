// What norms and weights compute element by element.
#pragma once

#include <string_view>

#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/formulas/slope.h"

namespace xtgrad::inline v1::detail::formulas {

/// A product in which 0 times infinity is 0.
struct Weighted {
  static auto value(const auto& f, const auto& v) { return f * where((f == 0) & isinf(v), 0, v); }
  /// On tensors it is a step, of ops/weighted.h.
  Tensor operator()(const Tensor& f, const Tensor& v) const;
};

/// The n-th derivative of |x|^p / p, p above 0, n at least 1. Of pow(abs(x), p) the second would be 0 times
/// infinity at 0, where p is below 2.
class AbsPower : public Slope<AbsPower> {
 public:
  static constexpr std::string_view name = "abs_power";
  explicit AbsPower(double p = 2, int n = 1) : p_(p), n_(n) {}

  void describe(auto& a) {
    a("p", p_);
    a("derivative", n_);
  }
  /// So many factors are multiplied for each few elements.
  void check_loaded(std::string_view operation) const {
    require_attribute(n_ >= 1 && n_ <= most, operation, "derivative", "from 1 to 1024", n_);
  }
  /// At 0 the odd ones are 0, as the slope at any kink is, and the even ones the limit: infinite for p below
  /// n.
  auto value(const auto& x) const {
    double factor = 1;
    for (int i = 1; i < n_; ++i) factor *= p_ - i;
    const auto magnitude = factor * power(abs(x), factor == 0 ? 0 : p_ - n_);
    return n_ % 2 == 0 ? magnitude : where(x == 0, 0, where(x < 0, -magnitude, magnitude));
  }
  /// An infinite slope has no share in what has none in it: it would be NaN in each derivative beside its
  /// own.
  auto rule(const auto& g, const auto& x) const { return Weighted{}(g, AbsPower(p_, n_ + 1)(x)); }

 private:
  static constexpr int most = 1024;

  double p_;
  int n_;
};

/// A term of a length: |x|^p, and of a part of the row's largest element (|x| / largest)^p.
struct LengthTerm {
  double p;
  auto value(const auto& x) const { return power(abs(x), p); }
  auto value(const auto& x, const auto& largest) const { return power(abs(x) / largest, p); }
};

/// What a row's elements are divided by: not 0, nor infinite, of which an infinity's part would be NaN.
struct LengthDivisor {
  static auto value(const auto& largest) { return where((largest == 0) | isinf(largest), 1, largest); }
};

/// Of the cotangent, an element and the row's length.
struct LengthRule {
  AbsPower slope;
  auto value(const auto& g, const auto& x, const auto& length) const { return g * slope(x / length); }
};

}  // namespace xtgrad::v1::detail::formulas
