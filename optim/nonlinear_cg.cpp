#include "xtgrad/optim/nonlinear_cg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/linear_solver_parts.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/objective.h"
#include "xtgrad/optim/residual_map.h"
#include "xtgrad/optim/strong_wolfe.h"

namespace xtgrad::inline v1::optim {
namespace {

using detail::LossAndGradient;
using detail::Objective;

constexpr std::string_view name{"nonlinear_cg"};

double inner(const Tensor& a, const Tensor& b) { return xtgrad::detail::dot(a, b); }

void check(const NonlinearCGOptions& options) {
  const auto formula = static_cast<int>(options.formula);
  if (formula < 0 || formula > static_cast<int>(ConjugateFormula::fletcher_reeves))
    throw ValueError(fmt::format("{}: formula is none of ConjugateFormula: got {}", name, formula));
  nn::detail::check_option(name, "max_iterations", options.max_iterations, 1);
  detail::check_not_negative(name, "tolerance_grad", options.tolerance_grad);
  detail::check_not_negative(name, "tolerance_change", options.tolerance_change);
}

/// Of the last direction, in the next one.
double share(ConjugateFormula formula, const Tensor& gradient, const Tensor& before) {
  const double size = inner(before, before), both = inner(gradient, before);
  const double now = inner(gradient, gradient);
  if (formula == ConjugateFormula::polak_ribiere) return std::max(0., (now - both) / size);
  return std::abs(both) > 0.2 * now ? 0 : now / size;
}

class Descent {
 public:
  Descent(Objective& objective, const NonlinearCGOptions& options)
      : objective_(objective), options_(options), x_(objective.x()), here_(objective.evaluate_finite()) {}

  NonlinearCGResult run() {
    std::optional<NonlinearCGEnd> end;
    if (detail::largest_element(here_.gradient) <= options_.tolerance_grad)
      end = NonlinearCGEnd::small_gradient;
    while (!end) end = iterate();
    return {here_.loss, detail::largest_element(here_.gradient), objective_.evaluations(), *end,
            std::move(losses_)};
  }

 private:
  std::optional<NonlinearCGEnd> iterate() {
    choose_direction();
    std::optional<detail::LinePoint> found = search();
    if (!found && !is_gradient_) {
      direction_ = {};
      choose_direction();
      found = search();
    }
    if (!found) return NonlinearCGEnd::no_decrease;
    const Tensor before = x_;
    x_ = objective_.x();
    last_ = {found->length, slope_};
    const double decrease = here_.loss - found->loss;
    before_ = std::exchange(here_.gradient, found->gradient);
    here_.loss = found->loss;
    losses_.push_back(here_.loss);
    if (detail::largest_element(here_.gradient) <= options_.tolerance_grad)
      return NonlinearCGEnd::small_gradient;
    if (detail::largest_element(x_ - before) <= options_.tolerance_change ||
        decrease <= options_.tolerance_change)
      return NonlinearCGEnd::small_change;
    if (std::ssize(losses_) >= options_.max_iterations) return NonlinearCGEnd::max_iterations;
    return std::nullopt;
  }

  /// Down the gradient in the beginning, where nothing of the last direction stays, and where that would lead
  /// uphill.
  void choose_direction() {
    const double kept = direction_.defined() ? share(options_.formula, here_.gradient, before_) : 0;
    is_gradient_ = kept == 0;
    direction_ = is_gradient_ ? -here_.gradient : direction_ * kept - here_.gradient;
    slope_ = inner(here_.gradient, direction_);
    if (slope_ < 0 || is_gradient_) return;
    is_gradient_ = true;
    direction_ = -here_.gradient;
    slope_ = inner(here_.gradient, direction_);
  }

  /// To a lower loss, where the parameters are then; none, and they are at x, if there is no such point.
  std::optional<detail::LinePoint> search() {
    const auto evaluate = [&](double length) -> detail::LinePoint {
      objective_.set_x(x_ + direction_ * length);
      const LossAndGradient value = objective_.evaluate();
      if (!value.gradient.defined()) return {length, value.loss, std::numeric_limits<double>::infinity(), {}};
      return {length, value.loss, inner(value.gradient, direction_), value.gradient};
    };
    const detail::LinePoint start{0, here_.loss, slope_, here_.gradient};
    // As far as the last move promised to lower the loss by its slope.
    const double usual =
        last_ ? last_->length * last_->slope / slope_ : std::min(1., 1 / sum(abs(here_.gradient)).item());
    try {
      const detail::LinePoint found =
          detail::strong_wolfe(evaluate, start,
                               {.first_length = usual,
                                .least_change = options_.tolerance_change,
                                .direction_size = detail::largest_element(direction_),
                                .curvature = 0.1})
              .point;
      objective_.set_x(found.length == 0 ? x_ : x_ + direction_ * found.length);
      if (found.length == 0) return std::nullopt;
      return found;
    } catch (...) {
      objective_.set_x(x_);
      throw;
    }
  }

  struct Move {
    double length, slope;
  };

  Objective& objective_;
  const NonlinearCGOptions& options_;
  Tensor x_;
  LossAndGradient here_;
  Tensor before_, direction_;
  bool is_gradient_ = true;
  double slope_ = 0;
  std::optional<Move> last_;
  std::vector<double> losses_;
};

}  // namespace

NonlinearCGResult nonlinear_cg(std::span<const nn::ParameterRef> parameters, const Callable<Tensor()>& loss,
                               const NonlinearCGOptions& options) {
  xtgrad::detail::check_function(name, static_cast<bool>(loss));
  check(options);
  const NoGrad no_grad;
  const detail::FlatParameters learning(name, parameters);
  Objective objective(name, learning.cells(), loss);
  return Descent(objective, options).run();
}

}  // namespace xtgrad::v1::optim
