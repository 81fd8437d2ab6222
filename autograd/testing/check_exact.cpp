// Points at which value and derivatives are known exactly, or were decided.
#include <fmt/format.h>

#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {

using testing::Exact;
using testing::Point;

namespace {

// Powers of two, so that a derivative times one of them is exact, and not 1, which a rule could forget.
constexpr double first_cotangent = 4;
constexpr double second_cotangent = 0.5;

Values constant(const Shape& shape, Real value) {
  return fill(shape, [&](const Index&) { return value; });
}

Values scaled(Values values, Real factor) {
  for (Real& value : values.data) value *= factor;
  return values;
}

void compare_exactly(Subject& subject, const Tensor& got, const Values& want, const std::string& what) {
  if (got.defined()) {
    compare(subject, got, rounded(want, got.dtype()), {.what = what, .signed_zeros = false});
    return;
  }
  for (const Real value : want.data) {
    if (value == 0) continue;
    subject.fail(fmt::format("{}: no gradient at all, wanted {}", what, digits(value, float64)));
    return;
  }
}

/// One of the points' numbers, of all points.
template <class F>
Values column(const std::vector<Point>& points, const F& number) {
  Values values{{static_cast<std::int64_t>(points.size())}, {}};
  for (const Point& point : points) values.data.push_back(number(point));
  return values;
}

/// Points of one output, side by side in a tensor.
class Points {
 public:
  Points(Subject& subject, std::vector<Point> points, Dtype dtype)
      : subject_(subject), points_(std::move(points)), dtype_(dtype) {}

  void check() {
    const std::vector<Tensor> at = inputs();
    const Tensor y = output(at);
    compare_exactly(subject_, y, column(points_, [](const Point& p) { return p.value; }), label("value"));
    if (!y.requires_grad()) return;
    const Tensor g = to_tensor(constant(y.shape(), first_cotangent), y.dtype());
    const std::vector<Tensor> gradients =
        grad(std::span(&y, 1), subject_.differentiable_of(at), {.cotangents = {g}, .allow_unused = true});
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      const Values want =
          scaled(column(points_, [i](const Point& p) { return p.gradient.at(i); }), first_cotangent);
      compare_exactly(subject_, gradients[i], want, label(fmt::format("gradient {}", i)));
    }
  }

  /// Second derivatives: the gradient of the gradient.
  void check_hessian() {
    const std::vector<Tensor> at = inputs();
    const std::vector<Tensor> wanted = subject_.differentiable_of(at);
    const Tensor y = output(at);
    if (!y.requires_grad()) return;
    const Tensor g = to_tensor(constant(y.shape(), first_cotangent), y.dtype(), true);
    const std::vector<Tensor> first =
        grad(std::span(&y, 1), wanted, {.cotangents = {g}, .create_graph = true, .allow_unused = true});
    const Tensor u = to_tensor(constant(y.shape(), second_cotangent), dtype_);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      std::vector<Tensor> second(wanted.size());
      if (first[i].defined() && first[i].requires_grad()) {
        second = grad(std::span(&first[i], 1), wanted,
                      {.cotangents = {u}, .keep_graph = true, .allow_unused = true});
      }
      for (std::size_t j = 0; j < wanted.size(); ++j) {
        const std::size_t entry = i * wanted.size() + j;
        const Values want = scaled(column(points_, [&](const Point& p) { return p.hessian.at(entry); }),
                                   first_cotangent * second_cotangent);
        compare_exactly(subject_, second[j], want, label(fmt::format("second derivative {}{}", i, j)));
      }
    }
  }

 private:
  [[nodiscard]] std::vector<Tensor> inputs() const {
    std::vector<Values> at;
    for (std::size_t k = 0; k < subject_.op.inputs.size(); ++k)
      at.push_back(column(points_, [k](const Point& p) { return p.at.at(k); }));
    return subject_.tensors(at, dtype_, true);
  }
  [[nodiscard]] Tensor output(std::span<const Tensor> at) {
    const std::vector<Tensor> outputs = subject_.apply(at);
    count_ = outputs.size();
    return outputs.at(points_[0].output);
  }
  [[nodiscard]] std::string label(std::string_view what) const {
    return of_output(points_[0].output, count_, fmt::format("{}, {}", what, to_string(dtype_)));
  }

  Subject& subject_;
  std::vector<Point> points_;
  Dtype dtype_;
  std::size_t count_ = 1;
};

void check_points(Subject& subject, Dtype dtype) {
  std::vector<std::vector<Point>> of_outputs;
  std::vector<std::vector<Point>> twice;
  for (const Point& point : subject.op.points) {
    of_outputs.resize(std::max(of_outputs.size(), point.output + 1));
    twice.resize(of_outputs.size());
    of_outputs[point.output].push_back(point);
    if (!point.hessian.empty()) twice[point.output].push_back(point);
  }
  for (std::size_t k = 0; k < of_outputs.size(); ++k) {
    if (!of_outputs[k].empty()) Points(subject, of_outputs[k], dtype).check();
    if (!twice[k].empty()) Points(subject, twice[k], dtype).check_hessian();
  }
}

void check_exact_case(Subject& subject, const Exact& exact, Dtype dtype) {
  std::vector<Tensor> inputs;
  std::vector<Tensor> wanted;
  for (const Tensor& input : exact.inputs) {
    const bool converts = is_floating(input.dtype());
    inputs.push_back(converts ? to_tensor(to_values(input), dtype, subject.op.order > 0) : input);
    if (converts) wanted.push_back(inputs.back());
  }
  const std::vector<Tensor> outputs = subject.apply(inputs);
  const Tensor& y = outputs.at(exact.output);
  const auto label = [&](std::string_view what) {
    return of_output(exact.output, outputs.size(), fmt::format("{}, {}", what, to_string(dtype)));
  };
  compare_exactly(subject, y, exact.value, label("value"));
  if (exact.gradients.empty()) return;
  const Tensor g = to_tensor(constant(y.shape(), first_cotangent), y.dtype());
  const std::vector<Tensor> gradients =
      grad(std::span(&y, 1), wanted, {.cotangents = {g}, .allow_unused = true});
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    compare_exactly(subject, gradients[i], scaled(exact.gradients.at(i), first_cotangent),
                    label(fmt::format("gradient {}", i)));
  }
}

}  // namespace

void check_exact(Subject& subject) {
  for (const Dtype dtype : subject.floating_dtypes()) {
    check_points(subject, dtype);
    for (const Exact& exact : subject.op.exacts) check_exact_case(subject, exact, dtype);
  }
}

}  // namespace xtgrad::v1::detail::checks
