// Derivatives against numerical ones, and those in float32 against those in float64.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "xtgrad/autograd/check_grads.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

void check_numerically(Subject& subject) {
  const Operation& op = subject.op;
  const std::string attributes = op.attributes.empty() ? "" : fmt::format("({})", op.attributes);
  const CheckGradsReport report =
      check_grads(op.apply, subject.tensors(subject.point(float64), float64, false),
                  {.order = op.order, .seed = op.seed, .name = op.name + attributes});
  if (!report.ok()) subject.fail(report.message);
}

/// Gradients at one point in both dtypes. What float32 may lose is not known beforehand: a rule rounds at
/// each of its steps, and what follows may magnify that. So errors are measured in what the gradient makes of
/// one ulp of float32 in every input, where that is more than an ulp of the gradient itself.
class Float32Gradients {
 public:
  explicit Float32Gradients(Subject& subject) : subject_(subject), random_(subject.random()) {
    const std::vector<Values> at = subject.point(float32);
    cotangents_ =
        draw_cotangents(subject.apply(subject.tensors(at, float32, true)), 0.4, 2, Signs::both, random_);
    in_double_ = gradients(at, float64);
    in_float_ = gradients(at, float32);
    sensitivity_.resize(in_double_.size());
    for (int probe = 0; probe < 3; ++probe) add_sensitivity(gradients(moved(at), float64));
  }

  void check() {
    for (std::size_t i = 0; i < in_double_.size(); ++i) {
      const std::string what = fmt::format("gradient {}, float32 against float64", i);
      if (in_float_[i].defined() != in_double_[i].defined()) {
        subject_.fail(what + ": exists for one and not for the other");
        continue;
      }
      if (!in_float_[i].defined()) continue;
      const Values want = to_values(in_double_[i]);
      const Real scale = std::max({largest_of(want), sensitivity_[i] / ulp,
                                   static_cast<Real>(gradient_floor(subject_, cotangents_))});
      compare(subject_, in_float_[i], want,
              {.what = what,
               .ulps = subject_.op.accuracy.float32_gradient_ulps,
               .signed_zeros = false,
               .floor = static_cast<double>(scale)});
    }
  }

 private:
  static constexpr Real ulp = std::numeric_limits<float>::epsilon();

  [[nodiscard]] std::vector<Tensor> gradients(std::span<const Values> at, Dtype dtype) const {
    const std::vector<Tensor> inputs = subject_.tensors(at, dtype, true);
    return subject_.gradients(inputs, subject_.differentiable_of(inputs), cotangents_, false);
  }
  /// Every element of the floating inputs one ulp of float32 up or down.
  [[nodiscard]] std::vector<Values> moved(std::vector<Values> at) {
    for (const std::size_t i : subject_.floating_inputs()) {
      for (Real& value : at[i].data) value *= random_.next_below(2) == 0 ? 1 - ulp : 1 + ulp;
    }
    return at;
  }
  void add_sensitivity(std::span<const Tensor> moved) {
    for (std::size_t i = 0; i < moved.size(); ++i) {
      if (!moved[i].defined() || !in_double_[i].defined()) continue;
      Values change = to_values(moved[i]);
      const Values before = to_values(in_double_[i]);
      for (std::size_t e = 0; e < change.data.size(); ++e) change.data[e] -= before.data[e];
      sensitivity_[i] = std::max(sensitivity_[i], largest_of(change));
    }
  }

  Subject& subject_;
  Random random_;
  std::vector<Values> cotangents_;
  std::vector<Tensor> in_double_;
  std::vector<Tensor> in_float_;
  std::vector<Real> sensitivity_;  // of each gradient: its largest change
};

}  // namespace

void check_derivatives(Subject& subject) {
  if (subject.op.order == 0) return;
  const auto takes = [&](Dtype dtype) {
    return std::count(subject.op.dtypes.begin(), subject.op.dtypes.end(), dtype) > 0;
  };
  if (!takes(float64)) {
    return subject.fail("it takes no float64, in which alone they can be compared with numerical ones");
  }
  check_numerically(subject);
  if (takes(float32)) Float32Gradients(subject).check();
}

}  // namespace xtgrad::v1::detail::checks
