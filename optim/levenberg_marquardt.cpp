#include "xtgrad/optim/levenberg_marquardt.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/conjugate_gradients.h"
#include "xtgrad/autograd/core/epsilon.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/jacobian_pattern.h"
#include "xtgrad/autograd/linear_solver_parts.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/unit_tensor.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/residual_map.h"

namespace xtgrad::inline v1::optim {
namespace {

using detail::FlatParameters;
using detail::ResidualMap;
using xtgrad::detail::JacobianPattern;

constexpr std::string_view name{"levenberg_marquardt"};
constexpr double least_gain = 1e-4;     // of what a step promised, for it to be taken
constexpr double usual_damping = 1e-3;  // after Gauss and Newton's step has failed
constexpr double largest_damping = 1e32;

double inner(const Tensor& a, const Tensor& b) { return xtgrad::detail::dot(a, b); }
double length_of(const Tensor& x) { return std::sqrt(inner(x, x)); }
bool is_finite(const Tensor& x) { return std::isfinite(sum(abs(x)).item()); }

/// J, [m, n], column by column, or row by row if these are fewer.
Tensor dense_jacobian(ResidualMap& map, std::int64_t n) {
  const std::int64_t m = map.values().numel();
  if (m == 0 || n == 0) return zeros({m, n}, {.dtype = float64});
  std::vector<Tensor> lines;
  const bool by_rows = m < n;
  for (std::int64_t i = 0; i < (by_rows ? m : n); ++i) {
    const Tensor unit = xtgrad::detail::unit_tensor({by_rows ? m : n}, i, float64);
    lines.push_back(by_rows ? map.pull(unit) : map.push(unit));
  }
  return stack(lines, by_rows ? 0 : 1);
}

struct Step {
  Tensor h;         // of the parameters
  double length;    // |D h|
  double promised;  // what the cost would be less by, were r linear
};

/// r and J at a point, scaled: with J D^-1 in place of J the equations are (J^T J + damping) (D h) = -J^T r,
/// whose matrix has ones on its diagonal before it is damped.
class LinearModel {
 public:
  LinearModel(ResidualMap map, const LevenbergMarquardtOptions& options, const JacobianPattern* pattern,
              std::int64_t n, Tensor& scale)
      : map_(std::move(map)), options_(&options), pattern_(pattern), n_(n) {
    gradient_ = map_.pull(map_.values());
    if (pattern_ != nullptr) matrix_ = pattern_->values([this](const Tensor& v) { return map_.push(v); });
    if (pattern_ == nullptr && options.solver != LeastSquaresSolver::conjugate_gradients)
      matrix_ = dense_jacobian(map_, n);
    if (!is_finite(gradient_) || (matrix_.defined() && !is_finite(matrix_))) {
      throw ValueError(
          fmt::format("{}: the Jacobian must be finite: it is not, where the cost is {}", name, map_.cost()));
    }
    const Tensor norms = column_norms();
    find_slope(norms);
    update_scale(norms, scale);
    scale_ = scale;
    gradient_ = gradient_ / scale_;
  }

  [[nodiscard]] double cost() const { return map_.cost(); }
  [[nodiscard]] double slope() const { return slope_; }

  [[nodiscard]] Step step(double damping) {
    const Tensor h = options_->solver == LeastSquaresSolver::qr         ? by_qr(damping)
                     : options_->solver == LeastSquaresSolver::cholesky ? by_cholesky(damping)
                                                                        : by_products(damping);
    return {h / scale_, length_of(h), (damping * inner(h, h) - inner(h, gradient_)) / 2};
  }

 private:
  /// Empty without J.
  [[nodiscard]] Tensor column_norms() const {
    if (!matrix_.defined()) return {};
    if (pattern_ == nullptr) return norm(matrix_, {.axes = {0}});
    return sqrt(pattern_->pull(square(matrix_), ones_like(map_.values())));
  }

  void find_slope(const Tensor& norms) {
    slope_ = 0;
    const double length = std::sqrt(2 * cost());
    if (length == 0 || n_ == 0) return;
    if (norms.defined()) {
      slope_ = amax(where(norms > 0, abs(gradient_) / where(norms > 0, norms, 1), 0)).item() / length;
      return;
    }
    const double image = norm_of_image();
    if (image > 0) slope_ = inner(gradient_, gradient_) / image / length;
  }
  [[nodiscard]] double norm_of_image() {
    const Tensor image = map_.push(gradient_);
    return length_of(image);
  }

  /// D, which does not shrink: of a column that was large and is small now a step would be too long.
  void update_scale(const Tensor& norms, Tensor& scale) {
    if (options_->scale == StepScale::per_parameter && norms.defined()) {
      scale = scale.defined() ? maximum(scale, norms) : where(norms > 0, norms, 1);
      return;
    }
    if (scale.defined()) return;
    // Without J, its length along the gradient, which is nearly that of its longest direction.
    double all = 0;
    if (norms.defined() && n_ > 0) all = amax(norms).item();
    if (const double size = length_of(gradient_); !norms.defined() && size > 0) all = norm_of_image() / size;
    scale = full({n_}, all > 0 ? all : 1, {.dtype = float64});
  }

  /// Of R alone: J's QR decomposition is the same for every damping.
  Tensor by_qr(double damping) {
    if (!factor_.defined()) {
      const Qr whole = qr((pattern_ != nullptr ? pattern_->dense(matrix_) : matrix_) / scale_);
      factor_ = whole.r;
      right_ = matmul(whole.q, reshape(-map_.values(), {map_.values().numel(), 1}), {.transpose_a = true});
    }
    const Tensor below = eye(n_, n_, {.dtype = float64}) * std::sqrt(damping);
    const Qr damped = qr(concat({factor_, below}, 0));
    const Tensor right =
        matmul(damped.q, concat({right_, zeros({n_, 1}, {.dtype = float64})}, 0), {.transpose_a = true});
    return solve_triangular(damped.r, reshape(right, {n_}), {.upper = true});
  }

  Tensor by_cholesky(double damping) {
    if (!factor_.defined()) {
      if (pattern_ != nullptr) {
        factor_ = pattern_->normal_matrix(matrix_) / (scale_ * reshape(scale_, {n_, 1}));
      } else {
        const Tensor scaled = matrix_ / scale_;
        factor_ = matmul(scaled, scaled, {.transpose_a = true});
      }
    }
    return -cholesky_solve(cholesky(factor_ + eye(n_, n_, {.dtype = float64}) * damping), gradient_);
  }

  Tensor by_products(double damping) {
    const LinearMap product = [&](const Tensor& v) {
      const Tensor scaled = v / scale_;
      const Tensor image = matrix_.defined() ? pattern_->pull(matrix_, pattern_->push(matrix_, scaled))
                                             : map_.pull(map_.push(scaled));
      return image / scale_ + v * damping;
    };
    return run_conjugate_gradients(product, -gradient_,
                                   {.tolerance = 1e-6, .max_iterations = options_->max_products})
        .x;
  }

  ResidualMap map_;
  const LevenbergMarquardtOptions* options_;
  const JacobianPattern* pattern_;
  std::int64_t n_;
  Tensor matrix_;    // J, [m, n] or as of the pattern; empty if it is known by products alone
  Tensor gradient_;  // J^T r, scaled
  Tensor scale_;
  double slope_;
  Tensor factor_;  // R, or J^T J; found when a first step is asked for
  Tensor right_;   // -Q^T r
};

struct Tolerances {
  double grad, step, cost;
};

Tolerances tolerances_of(const LevenbergMarquardtOptions& options, Dtype dtype) {
  const bool is_double = xtgrad::detail::epsilon_of(dtype) < 1e-10;
  const Tolerances found{options.tolerance_grad.value_or(is_double ? 1e-10 : 1e-5),
                         options.tolerance_step.value_or(is_double ? 1e-10 : 1e-5),
                         options.tolerance_cost.value_or(is_double ? 1e-15 : 1e-7)};
  detail::check_not_negative(name, "tolerance_grad", found.grad);
  detail::check_not_negative(name, "tolerance_step", found.step);
  detail::check_not_negative(name, "tolerance_cost", found.cost);
  return found;
}

/// Throws unless `columns` name all parameters that residuals depend on: along a direction that moves all of
/// them, each by another length, both ways of a product must agree.
void check_pattern(const JacobianPattern& pattern, ResidualMap& map, std::int64_t n, Dtype dtype) {
  const Tensor direction = cos(arange(n, {}, {.dtype = float64}) * 1.7) + 1.5;
  const Tensor whole = map.push(direction);
  const Tensor difference =
      abs(whole - pattern.push(pattern.values([&map](const Tensor& v) { return map.push(v); }), direction));
  if (whole.numel() == 0) return;
  const double most = std::min(1e-2, 1e10 * xtgrad::detail::epsilon_of(dtype));
  if (!(amax(difference).item() > most * amax(abs(whole)).item())) return;
  throw ValueError(
      fmt::format("{}: pattern must name all parameters that a residual depends on: those of residual {} are "
                  "not all there",
                  name, argmax(difference, 0).item_int64()));
}

class Fit {
 public:
  Fit(std::span<const nn::ParameterRef> parameters, const Callable<Tensor()>& residuals,
      const LevenbergMarquardtOptions& options)
      : parameters_(name, parameters),
        residuals_(residuals),
        options_(options),
        tolerances_(tolerances_of(options, parameters_.narrowest_dtype())) {}

  LeastSquaresFit run() {
    const std::int64_t n = parameters_.numel();
    ResidualMap first = evaluate();
    if (!std::isfinite(first.cost())) {
      throw ValueError(fmt::format("{}: the residuals must be finite to begin with: |r|^2 / 2 is {}", name,
                                   std::isnan(first.cost()) ? std::abs(first.cost()) : first.cost()));
    }
    std::optional<JacobianPattern> pattern;
    if (options_.pattern.defined()) {
      pattern.emplace(name, options_.pattern, first.values().numel(), n);
      check_pattern(*pattern, first, n, parameters_.narrowest_dtype());
    }
    Tensor x = parameters_.x(), scale;
    damping_ = options_.damping;
    while (true) {
      LinearModel model(std::move(first), options_, pattern ? &*pattern : nullptr, n, scale);
      result_.cost = model.cost();
      result_.gradient = model.slope();
      if (result_.gradient <= tolerances_.grad) end_ = LeastSquaresEnd::small_gradient;
      std::optional<ResidualMap> next;
      while (!end_ && !next) next = try_step(model, x, scale);
      if (next && end_) {  // a last step, whose gradient is of interest alone
        result_.cost = next->cost();
        Tensor same = scale;
        result_.gradient = LinearModel(*next, options_, pattern ? &*pattern : nullptr, n, same).slope();
      }
      if (end_) break;
      first = std::move(*next);
    }
    result_.end = *end_;
    return std::move(result_);
  }

 private:
  ResidualMap evaluate() {
    ++result_.evaluations;
    return {name, parameters_, residuals_};
  }

  /// A point that costs less, if it is one, which x becomes; the parameters are at x behind it.
  std::optional<ResidualMap> try_step(LinearModel& model, Tensor& x, const Tensor& scale) {
    const Step step = solved(model);
    std::optional<ResidualMap> next;
    if (is_finite(step.h)) {
      parameters_.set_x(x + step.h);
      try {
        next.emplace(evaluate());
      } catch (...) {
        parameters_.set_x(x);
        throw;
      }
    }
    const double cost = next ? next->cost() : std::numeric_limits<double>::quiet_NaN();
    const double decrease = model.cost() - cost;
    const double gain = decrease / step.promised;
    const bool is_taken = std::isfinite(cost) && decrease > 0 && gain > least_gain;
    result_.trials.push_back({cost, step.length, damping_, is_taken});
    const double size = length_of(scale * x);
    if (std::abs(decrease) <= tolerances_.cost * model.cost() &&
        step.promised <= tolerances_.cost * model.cost() && gain <= 2)
      end_ = LeastSquaresEnd::small_decrease;
    if (step.length <= tolerances_.step * size) end_ = LeastSquaresEnd::small_step;
    adapt(is_taken, gain);
    if (!end_ && damping_ > largest_damping) end_ = LeastSquaresEnd::no_decrease;
    if (!end_ && std::ssize(result_.trials) >= options_.max_iterations)
      end_ = LeastSquaresEnd::max_iterations;
    if (!is_taken) {
      parameters_.set_x(x);
      return std::nullopt;
    }
    x = parameters_.x();
    return next;
  }

  /// With more damping if the equations have no solution: J may lack rank.
  Step solved(LinearModel& model) {
    try {
      return model.step(damping_);
    } catch (const ConvergenceError&) {
    } catch (const ValueError&) {  // cholesky's, of a matrix that is not positive definite
    }
    damping_ = std::max(damping_, usual_damping);
    return model.step(damping_);
  }

  void adapt(bool is_taken, double gain) {
    if (is_taken) {
      damping_ *= std::max(1. / 3, 1 - std::pow(2 * gain - 1, 3));
      growth_ = 2;
      return;
    }
    damping_ = damping_ == 0 ? usual_damping : damping_ * growth_;
    growth_ *= 2;
  }

  FlatParameters parameters_;
  const Callable<Tensor()>& residuals_;
  const LevenbergMarquardtOptions& options_;
  Tolerances tolerances_;
  LeastSquaresFit result_{};
  std::optional<LeastSquaresEnd> end_;
  double damping_ = 0;
  double growth_ = 2;
};

void check(const LevenbergMarquardtOptions& options) {
  const auto solver = static_cast<int>(options.solver), scale = static_cast<int>(options.scale);
  if (solver < 0 || solver > static_cast<int>(LeastSquaresSolver::conjugate_gradients))
    throw ValueError(fmt::format("{}: solver is none of LeastSquaresSolver: got {}", name, solver));
  if (scale < 0 || scale > static_cast<int>(StepScale::uniform))
    throw ValueError(fmt::format("{}: scale is none of StepScale: got {}", name, scale));
  detail::check_not_negative(name, "damping", options.damping);
  nn::detail::check_option(name, "max_iterations", options.max_iterations, 1);
  nn::detail::check_option(name, "max_products", options.max_products, 1);
}

}  // namespace

LeastSquaresFit levenberg_marquardt(std::span<const nn::ParameterRef> parameters,
                                    const Callable<Tensor()>& residuals,
                                    const LevenbergMarquardtOptions& options) {
  xtgrad::detail::check_function(name, static_cast<bool>(residuals));
  check(options);
  const NoGrad no_grad;
  return Fit(parameters, residuals, options).run();
}

Tensor fit_covariance(std::span<const nn::ParameterRef> parameters, const Callable<Tensor()>& residuals) {
  xtgrad::detail::check_function("fit_covariance", static_cast<bool>(residuals));
  const NoGrad no_grad;
  const FlatParameters flat("fit_covariance", parameters);
  ResidualMap map("fit_covariance", flat, residuals);
  const std::int64_t m = map.values().numel(), n = flat.numel();
  if (m <= n) {
    throw ValueError(fmt::format(
        "fit_covariance: there must be more residuals than parameters: got {} of {} parameters", m, n));
  }
  const Tensor jacobian = dense_jacobian(map, n);
  const Tensor norms = norm(jacobian, {.axes = {0}});
  const Tensor r = qr(jacobian / norms).r;
  const Tensor diagonal = diag(r);
  if (n > 0 && !(amin(diagonal).item() > static_cast<double>(m) * std::numeric_limits<double>::epsilon())) {
    throw ConvergenceError(fmt::format(
        "fit_covariance: the Jacobian [{}, {}] has not full rank: some parameters cannot be told apart", m,
        n));
  }
  const Tensor inverse = solve_triangular(r, eye(n, n, {.dtype = float64}), {.upper = true});
  return matmul(inverse, inverse, {.transpose_b = true}) / (norms * reshape(norms, {n, 1})) *
         (2 * map.cost() / static_cast<double>(m - n));
}

}  // namespace xtgrad::v1::optim
