#include "xtgrad/autograd/linear_solvers.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <utility>
#include <vector>

#include "xtgrad/autograd/core/apply.h"
#include "xtgrad/autograd/core/loaded_checks.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/kernels/lu_solve.h"
#include "xtgrad/autograd/linear_solver_parts.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/unit_tensor.h"

namespace xtgrad::inline v1 {
namespace {

class DenseSolve final : public detail::ConstantPrimitive<DenseSolve> {
 public:
  [[nodiscard]] std::string_view name() const override { return "solve_dense"; }
  void infer(detail::InputSpecs in, detail::OutputSpecs out) const override { *out[0] = *in[1]; }
  void eval(detail::Inputs in, detail::Outputs out) const override {
    const auto singular = detail::lu_solve(*in[0], *in[1], *out[0]);
    if (!singular) return;
    throw ConvergenceError(fmt::format(
        "solve_dense: the matrix is singular: the largest pivot of column {} is {:.3g}, while the "
        "column has entries up to {:.3g}",
        singular->index, singular->pivot, singular->largest));
  }
  void check_loaded(detail::InputSpecs in, detail::InputSpecs out) const override {
    require_call(in, out, 2);
    require_floating(name(), in);
    const std::int64_t n = in[1]->shape.numel();
    detail::require_spec(name(), "the matrix", *in[0], {Shape{n, n}, in[1]->dtype, {}});
    detail::require_spec(name(), "the right side", *in[1], {Shape{n}, in[1]->dtype, {}});
  }
};

double length_of(const Tensor& a) { return std::sqrt(detail::dot(a, a)); }

/// One cycle of GMRES: the Krylov space of a residual, and the triangle that its least-squares problem is
/// turned into, rotation by rotation, as it grows.
class Cycle {
 public:
  Cycle(const LinearMap& map, const Tensor& residual, double size) : map_(map), right_{size} {
    basis_.push_back(residual / size);
  }

  /// Adds a dimension; returns the norm of the residual that is left.
  double step() {
    Tensor next = map_(basis_.back());
    detail::check_like("gmres", next, basis_.back());
    std::vector<double> column(basis_.size() + 1, 0.0);
    // Twice: after the first pass roundings have left some of the basis in it.
    for (int pass = 0; pass < 2; ++pass) {
      for (std::size_t i = 0; i < basis_.size(); ++i) {
        const double part = detail::dot(basis_[i], next);
        column[i] += part;
        next = next - basis_[i] * part;
      }
    }
    const double rest = length_of(next);
    column.back() = rest;
    for (std::size_t i = 0; i < rotations_.size(); ++i) rotate(rotations_[i], column[i], column[i + 1]);
    const double length = std::hypot(column[column.size() - 2], rest);
    const Rotation last =
        length == 0 ? Rotation{1, 0} : Rotation{column[column.size() - 2] / length, rest / length};
    rotate(last, column[column.size() - 2], column.back());
    rotations_.push_back(last);
    right_.push_back(0);
    rotate(last, right_[right_.size() - 2], right_.back());
    columns_.push_back(std::move(column));
    is_exhausted_ = rest == 0;
    if (!is_exhausted_) basis_.push_back(next / rest);
    return std::abs(right_.back());
  }

  /// True if the space cannot grow: the map leaves it as it is.
  [[nodiscard]] bool is_exhausted() const { return is_exhausted_; }

  /// What to add to the solution.
  [[nodiscard]] Tensor correction() const {
    const std::size_t n = columns_.size();
    std::vector<double> weights(n);
    Tensor total = zeros_like(basis_[0]);
    for (std::size_t i = n; i-- > 0;) {
      double rest = right_[i];
      for (std::size_t j = i + 1; j < n; ++j) rest -= columns_[j][i] * weights[j];
      weights[i] = rest / columns_[i][i];
      total = total + basis_[i] * weights[i];
    }
    return total;
  }

 private:
  struct Rotation {
    double cosine, sine;
  };
  static void rotate(const Rotation& by, double& a, double& b) {
    const double turned = by.cosine * a + by.sine * b;
    b = by.cosine * b - by.sine * a;
    a = turned;
  }

  const LinearMap& map_;
  std::vector<Tensor> basis_;
  std::vector<std::vector<double>> columns_;
  std::vector<Rotation> rotations_;
  std::vector<double> right_;
  bool is_exhausted_ = false;
};

Tensor solve_gmres(const GmresOptions& options, const LinearMap& map, const Tensor& b) {
  detail::check_function("gmres", static_cast<bool>(map));
  detail::check_floating("gmres", b);
  const NoGrad no_grad;
  const double usual = detail::usual_tolerance(b.dtype());
  const double wanted = options.tolerance.value_or(usual) * length_of(b);
  Tensor x = zeros_like(b);
  Tensor residual = b;
  double size = length_of(b);
  std::int64_t calls = 0;
  // Not "size <= wanted": a NaN ends it, too.
  while (size > wanted && calls < options.max_iterations) {
    Cycle cycle(map, residual, size);
    for (std::int64_t i = 0; i < options.restart && calls < options.max_iterations; ++i) {
      ++calls;
      if (!(cycle.step() > wanted) || cycle.is_exhausted()) break;
    }
    x = x + cycle.correction();
    residual = b - map(x);
    size = length_of(residual);
    if (cycle.is_exhausted()) break;
  }
  if (size <= wanted) return x;
  throw ConvergenceError(
      fmt::format("gmres: did not converge: after {} iterations the residual is {:.3g}, the "
                  "tolerance {:.3g}",
                  calls, size, wanted));
}

}  // namespace

Tensor solve_dense(const LinearMap& map, const Tensor& b) {
  detail::check_function("solve_dense", static_cast<bool>(map));
  detail::check_floating("solve_dense", b);
  const NoGrad no_grad;
  const std::int64_t n = b.numel();
  if (n == 0) return b.detach();
  std::vector<Tensor> columns;
  for (std::int64_t i = 0; i < n; ++i) {
    const Tensor argument = detail::unit_tensor(b.shape(), i, b.dtype());
    const Tensor column = map(argument);
    detail::check_like("solve_dense", column, argument);
    columns.push_back(reshape(column, {n}));
  }
  return reshape(detail::apply_constant(DenseSolve{}, stack(columns), reshape(b, {n})), b.shape());
}

LinearSolver gmres(const GmresOptions& options) {
  if (options.tolerance && !(*options.tolerance > 0)) {
    throw ValueError(fmt::format("gmres: the tolerance must be positive: got {}", *options.tolerance));
  }
  if (options.restart < 1 || options.max_iterations < 1) {
    throw ValueError(fmt::format("gmres: restart and max_iterations must be at least 1: got {} and {}",
                                 options.restart, options.max_iterations));
  }
  return [options](const LinearMap& map, const Tensor& b) { return solve_gmres(options, map, b); };
}

}  // namespace xtgrad::v1
