// Operations that are linear in an input: the rule is the adjoint, and the tangent is the operation itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

struct InnerProduct {
  Real sum = 0;
  Real magnitude = 0;

  void add(const Values& a, const Values& b) {
    for (std::size_t i = 0; i < a.data.size(); ++i) {
      sum += a.data[i] * b.data[i];
      magnitude += std::abs(a.data[i] * b.data[i]);
    }
  }
};

// Where the operation rounds, on its way and back.
constexpr double rounding_ulps = 4;

/// The operation in one input, A x + b, at a point.
class LinearMap {
 public:
  LinearMap(Subject& subject, std::size_t input, Dtype dtype, Random& random)
      : subject_(subject), input_(input), dtype_(dtype) {
    // On small integers, sums and products are exact.
    values_ = subject.op.linear_exactly ? subject.whole_numbers(-4, 4, random) : subject.point(dtype);
    std::vector<Values> at_zero = values_;
    for (Real& value : at_zero[input].data) value = 0;
    const std::vector<Tensor> offset = subject.apply(subject.tensors(at_zero, dtype, false));
    for (const Tensor& y : subject.apply(subject.tensors(values_, dtype, false))) {
      Values image = to_values(y);
      const Values b = to_values(offset[images_.size()]);
      for (std::size_t k = 0; k < image.data.size(); ++k) image.data[k] -= b.data[k];
      images_.push_back(std::move(image));
    }
  }

  /// <A x, y> and <x, A'y>.
  void check_adjoint(Random& random) {
    std::vector<Tensor> inputs = subject_.tensors(values_, dtype_, false);
    inputs[input_].set_requires_grad();
    const std::vector<Tensor> outputs = subject_.apply(inputs);
    if (recorded_of(outputs).empty()) return no_gradient();
    // Large enough that few terms seldom cancel.
    std::vector<Values> y = draw_cotangents(outputs, 1, 16, Signs::both, random);
    InnerProduct left;
    for (std::size_t k = 0; k < y.size(); ++k) {
      for (Real& value : y[k].data) value = std::trunc(value);
      if (outputs[k].requires_grad()) left.add(images_[k], y[k]);
    }
    const Tensor adjoint = subject_.gradients(inputs, std::span(&inputs[input_], 1), y, false)[0];
    if (!adjoint.defined()) return no_gradient();
    InnerProduct right;
    right.add(values_[input_], to_values(adjoint));
    const Real scale = std::max(left.magnitude, right.magnitude);
    const double ulps = ulps_between(left.sum, right.sum, dtype_, {.scale = scale, .signed_zeros = false});
    if (ulps <= allowed()) return;
    subject_.fail(fmt::format("input {}, {}: <Ax, y> is {}, <x, A'y> is {}", input_, to_string(dtype_),
                              digits(left.sum, float64), digits(right.sum, float64)));
  }

  /// What x becomes when it moves along itself: A x.
  void check_tangent() {
    const std::vector<Tensor> inputs = subject_.tensors(values_, dtype_, false);
    std::vector<Tensor> along(inputs.size());
    along[input_] = inputs[input_];
    const JvpResult moved = jvp(subject_.op.apply, inputs, along);
    for (std::size_t k = 0; k < images_.size(); ++k) {
      if (!moved.tangents[k].defined()) continue;
      const Values scale = largest_everywhere(images_[k]);
      compare(subject_, moved.tangents[k], images_[k],
              {.what = of_output(k, images_.size(),
                                 fmt::format("tangent of input {}, {}", input_, to_string(dtype_))),
               .ulps = allowed(),
               .signed_zeros = false,
               .scale = &scale});
    }
  }

 private:
  [[nodiscard]] double allowed() const { return subject_.op.linear_exactly ? 0 : rounding_ulps; }
  void no_gradient() { subject_.fail(fmt::format("input {} gets no gradient", input_)); }

  Subject& subject_;
  std::size_t input_;
  Dtype dtype_;
  std::vector<Values> values_;
  std::vector<Values> images_;  // A x, of each output
};

}  // namespace

void check_adjoint(Subject& subject) {
  Random random = subject.random();
  for (const std::size_t i : subject.op.linear_in) {
    for (const Dtype dtype : subject.floating_dtypes()) {
      LinearMap map(subject, i, dtype, random);
      map.check_adjoint(random);
      map.check_tangent();
    }
  }
}

}  // namespace xtgrad::v1::detail::checks
