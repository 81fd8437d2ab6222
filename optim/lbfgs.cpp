#include "xtgrad/optim/lbfgs.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <type_traits>
#include <utility>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/optim/advance.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/flat.h"
#include "xtgrad/optim/hyper_math.h"
#include "xtgrad/optim/objective.h"
#include "xtgrad/optim/settings.h"
#include "xtgrad/optim/strong_wolfe.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr std::string_view name = "LBFGS";
constexpr double least_curvature = 1e-10;  // of a pair, <s, y>

Tensor inner(const Tensor& a, const Tensor& b) { return sum(a * b); }

void check_options(const LBFGSOptions& options) {
  detail::check_not_negative(name, "lr", options.lr);
  nn::detail::check_option(name, "max_iter", options.max_iter, 1);
  if (options.max_eval) nn::detail::check_option(name, "max_eval", *options.max_eval, 1);
  detail::check_not_negative(name, "tolerance_grad", options.tolerance_grad);
  detail::check_not_negative(name, "tolerance_change", options.tolerance_change);
  nn::detail::check_option(name, "history_size", options.history_size, 0);
  const auto search = static_cast<std::int64_t>(options.line_search);
  if (search < 0 || search > static_cast<std::int64_t>(LineSearch::strong_wolfe))
    throw ValueError(fmt::format("{}: line_search is none of LineSearch: got {}", name, search));
}

LBFGSPair pair_of(const Tensor& move, const Tensor& change) { return {move, change, inner(change, move)}; }

/// With the pair that the last move makes with its change of the gradient, at most `size` of them.
std::vector<LBFGSPair> pairs_at(const LBFGSState& state, const Tensor& gradient, std::int64_t size) {
  std::vector<LBFGSPair> pairs = state.pairs;
  if (state.gradient.defined()) {
    const LBFGSPair last = pair_of(state.move, gradient - state.gradient);
    if (last.curvature.item() > least_curvature) pairs.push_back(last);
  }
  const auto surplus = static_cast<std::ptrdiff_t>(pairs.size()) - static_cast<std::ptrdiff_t>(size);
  if (surplus > 0) pairs.erase(pairs.begin(), pairs.begin() + surplus);
  return pairs;
}

/// -H g.
Tensor downhill(const Tensor& gradient, const std::vector<LBFGSPair>& pairs) {
  Tensor direction = -gradient;
  std::vector<Tensor> shares(pairs.size());
  for (std::size_t i = pairs.size(); i-- > 0;) {
    shares[i] = inner(pairs[i].move, direction) / pairs[i].curvature;
    direction = direction - shares[i] * pairs[i].change;
  }
  if (!pairs.empty()) {
    const LBFGSPair& last = pairs.back();
    direction = direction * (last.curvature / inner(last.change, last.change));
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Tensor share = inner(pairs[i].change, direction) / pairs[i].curvature;
    direction = direction + (shares[i] - share) * pairs[i].move;
  }
  return direction;
}

/// The gradient alone says nothing of how far to go, so the first move is at most lr in the sum of all
/// elements.
Hyper usual_length(const LBFGSState& state, const Tensor& gradient, const Hyper& lr) {
  if (state.gradient.defined()) return lr;
  const Tensor total = sum(abs(gradient));
  return total.item() > 1 ? Hyper(1 / total) * lr : lr;
}

using detail::LossAndGradient;
using detail::Objective;

/// Where an iteration ended.
struct Arrival {
  double length;
  Tensor move;
  Tensor x;               // what the parameters hold
  LossAndGradient value;  // without a gradient if nobody will ask for it
};

Arrival go(Objective& objective, const Tensor& x, const Tensor& direction, double length, bool evaluates) {
  // A direction that no length above 0 was found along may have infinities, which 0 makes NaN.
  objective.set_x(length == 0 ? x : x + Hyper(length) * direction);
  // Parameters of a narrower dtype round, and gradients are taken where they are.
  Arrival arrival{.length = length, .move = {}, .x = objective.x(), .value = {}};
  arrival.move = arrival.x - x;
  if (evaluates) arrival.value = objective.evaluate_finite();
  return arrival;
}

Arrival search(Objective& objective, const Tensor& x, const Tensor& direction, const detail::LinePoint& start,
               const detail::WolfeOptions& options) {
  const auto evaluate = [&](double length) -> detail::LinePoint {
    objective.set_x(x + Hyper(length) * direction);
    const LossAndGradient value = objective.evaluate();
    if (!value.gradient.defined()) return {length, value.loss, std::numeric_limits<double>::infinity(), {}};
    return {length, value.loss, inner(value.gradient, direction).item(), value.gradient};
  };
  const detail::LinePoint found = detail::strong_wolfe(evaluate, start, options).point;
  Arrival arrival = go(objective, x, direction, found.length, false);
  arrival.value = {found.loss, found.gradient};
  return arrival;
}

/// From x, which the parameters have again where it fails. Without a search nobody asks for the loss that the
/// last iteration comes to.
Arrival run_iteration(Objective& objective, const Tensor& x, const Tensor& direction,
                      const detail::LinePoint& start, double length, bool is_last,
                      const LBFGSOptions& options) try {
  if (options.line_search == LineSearch::none) return go(objective, x, direction, length, !is_last);
  return search(objective, x, direction, start,
                {.first_length = length,
                 .least_change = options.tolerance_change,
                 .direction_size = detail::largest_element(direction)});
} catch (...) {
  objective.set_x(x);
  throw;
}

/// The tolerance that the iteration has come within, or the limit that it has reached.
std::optional<LBFGSEnd> end_after(const Arrival& arrival, double loss_before, const LBFGSStep& so_far,
                                  const LBFGSOptions& options) {
  const LossAndGradient& value = arrival.value;
  if (value.gradient.defined() && detail::largest_element(value.gradient) <= options.tolerance_grad)
    return LBFGSEnd::small_gradient;
  if (detail::largest_element(arrival.move) <= options.tolerance_change) return LBFGSEnd::small_change;
  if (value.gradient.defined() && std::abs(value.loss - loss_before) < options.tolerance_change)
    return LBFGSEnd::small_change;
  if (so_far.iterations() >= options.max_iter) return LBFGSEnd::max_iter;
  if (so_far.evaluations >= options.max_eval.value_or(options.max_iter * 5 / 4)) return LBFGSEnd::max_eval;
  return std::nullopt;
}

/// NaN where a loaded state is, or where products of large numbers overflow.
/// Calls `list(name, value)` for each option but the learning rate, with a double& that it may change.
void each_option(LBFGSOptions& options, const Callable<void(const char* name, double& value)>& list) {
  const auto whole = [&](const char* option, auto& field) {
    const auto before = static_cast<double>(field);
    double value = before;
    list(option, value);
    if (value == before) return;
    constexpr double largest = 0x1p53;  // a loaded one; the conversion of others is undefined
    if (!(std::abs(value) <= largest && value == std::trunc(value)))
      throw ValueError(fmt::format("{}: {} must be a whole number: got {}", name, option, value));
    field = static_cast<std::remove_reference_t<decltype(field)>>(value);
  };
  whole("max_iter", options.max_iter);
  std::int64_t max_eval = options.max_eval.value_or(0);
  whole("max_eval", max_eval);  // 0 where it follows from max_iter
  if (max_eval != 0) options.max_eval = max_eval;
  if (max_eval == 0) options.max_eval.reset();
  list("tolerance_grad", options.tolerance_grad);
  list("tolerance_change", options.tolerance_change);
  whole("history_size", options.history_size);
  whole("line_search", options.line_search);
}

void check_slope(double slope) {
  if (!std::isnan(slope)) return;
  throw ValueError(fmt::format(
      "{}: step: the slope along the direction must not be NaN, which the history has led to; drop_history "
      "makes the next step begin anew",
      name));
}

Tensor which_learn(const std::vector<nn::ParameterRef>& parameters) {
  const std::unique_ptr<bool[]> learns(new bool[parameters.size()]);
  for (std::size_t i = 0; i < parameters.size(); ++i) learns[i] = parameters[i]->requires_grad();
  return from_span(std::span<const bool>(learns.get(), parameters.size()),
                   {static_cast<std::int64_t>(parameters.size())});
}

std::vector<nn::ParameterRef> those_that_learn(std::vector<nn::ParameterRef> parameters) {
  std::erase_if(parameters, [](const nn::ParameterRef& parameter) { return !parameter->requires_grad(); });
  return parameters;
}

// Of a state, which may be a loaded one.

void check_shape(std::string_view what, const Tensor& x, const Shape& shape) {
  if (x.defined() && x.shape() == shape) return;
  throw ShapeError(fmt::format("{}: the state's \"{}\" must be {} for these parameters: got {}", name, what,
                               to_string(shape), x.defined() ? to_string(x.shape()) : "none"));
}

void check_dtype(std::string_view what, const Tensor& x, Dtype dtype) {
  if (x.dtype() == dtype) return;
  throw DtypeError(fmt::format("{}: the state's \"{}\" must be {} for these parameters: got {}", name, what,
                               to_string(dtype), to_string(x.dtype())));
}

/// Of the pure form: empty, or whole and of such a gradient.
void check_state(const LBFGSState& state, const Tensor& gradient) {
  if (!state.gradient.defined() && !state.move.defined() && state.pairs.empty()) return;
  const auto check = [&](std::string_view what, const Tensor& x, const Shape& shape) {
    check_shape(what, x, shape);
    check_dtype(what, x, gradient.dtype());
  };
  check("gradient", state.gradient, gradient.shape());
  check("move", state.move, gradient.shape());
  for (std::size_t i = 0; i < state.pairs.size(); ++i) {
    const LBFGSPair& pair = state.pairs[i];
    check(fmt::format("pairs[{}].move", i), pair.move, gradient.shape());
    check(fmt::format("pairs[{}].change", i), pair.change, gradient.shape());
    check(fmt::format("pairs[{}].curvature", i), pair.curvature, {});
  }
}

/// The vector, of float32 or float64, as `like` is.
Tensor converted(std::string_view what, const Tensor& x, const Tensor& like) {
  check_shape(what, x, like.shape());
  if (!is_floating(x.dtype())) check_dtype(what, x, like.dtype());
  return x.to(like.dtype());
}

}  // namespace

LBFGS::LBFGS(std::vector<nn::ParameterRef> parameters, const LBFGSOptions& options) : OptimizerWith(name) {
  OptimizerWith::add_group(std::move(parameters), options);
}

void LBFGS::add_group(const std::vector<nn::ParameterRef>& parameters, const LBFGSOptions&) {
  throw ValueError(
      fmt::format("{}: all parameters take the same step, so there is one group: got {} more parameters",
                  name, parameters.size()));
}

LBFGSStep LBFGS::step(const Callable<Tensor()>& loss) {
  xtgrad::detail::check_function("LBFGS: step", static_cast<bool>(loss));
  const NoGrad no_grad;
  const LBFGSOptions& options = options_of(0);
  Objective objective("LBFGS: step", those_that_learn(parameters()), loss);
  Tensor x = objective.x();
  LossAndGradient here = objective.evaluate_finite();
  fit_state(x);
  LBFGSStep result{.loss = here.loss, .grad_norm = std::sqrt(sum(square(here.gradient)).item())};
  std::optional<LBFGSEnd> end;
  if (detail::largest_element(here.gradient) <= options.tolerance_grad) end = LBFGSEnd::small_gradient;
  while (!end) {
    std::vector<LBFGSPair> pairs = pairs_at(state_, here.gradient, options.history_size);
    const Tensor direction = downhill(here.gradient, pairs);
    const double slope = inner(here.gradient, direction).item();
    check_slope(slope);
    if (slope > -options.tolerance_change) {
      end = LBFGSEnd::small_change;
      break;
    }
    const double length = usual_length(state_, here.gradient, lr()).value();
    const detail::LinePoint start{0, here.loss, slope, here.gradient};
    const bool is_last = result.iterations() + 1 == options.max_iter;
    Arrival arrival = run_iteration(objective, x, direction, start, length, is_last, options);
    result.evaluations = objective.evaluations();
    if (options.line_search == LineSearch::strong_wolfe && arrival.length == 0) {
      drop_history();
      end = LBFGSEnd::no_decrease;
      break;
    }
    state_ = {here.gradient, arrival.move, std::move(pairs)};
    result.lengths.push_back(arrival.length);
    end = end_after(arrival, here.loss, result, options);
    x = arrival.x;
    here = std::move(arrival.value);
  }
  result.evaluations = objective.evaluations();
  result.end = *end;
  return result;
}

void LBFGS::drop_history() {
  state_ = {};
  moves_ = changes_ = learns_ = {};
}

/// Makes the state one of the vector x: after others have begun or ceased to learn, were converted to another
/// dtype, or a file was loaded.
void LBFGS::fit_state(const Tensor& x) {
  const Tensor learns = which_learn(parameters());
  if (learns_.defined()) {
    check_shape("learns", learns_, learns.shape());
    check_dtype("learns", learns_, boolean);
    if (sum(where(learns_ == learns, 0, 1)).item() != 0) drop_history();
  }
  LBFGSState fitting;
  if (moves_.defined() || changes_.defined()) {
    const std::int64_t count = moves_.defined() && moves_.rank() > 0 ? moves_.size(0) : 0;
    check_shape("s", moves_, {count, x.numel()});
    check_shape("y", changes_, {count, x.numel()});
    for (std::int64_t i = 0; i < count; ++i) {
      const auto row = [&](std::string_view what, const Tensor& rows) {
        return converted(what, reshape(slice(rows, {.start = i, .stop = i + 1}), x.shape()), x);
      };
      fitting.pairs.push_back(pair_of(row("s", moves_), row("y", changes_)));
    }
  } else if (!state_.pairs.empty() && state_.gradient.dtype() != x.dtype()) {
    for (const LBFGSPair& pair : state_.pairs) {
      fitting.pairs.push_back(pair_of(pair.move.to(x.dtype()), pair.change.to(x.dtype())));
    }
  } else {
    fitting.pairs = state_.pairs;
  }
  if (state_.gradient.defined() || state_.move.defined() || !fitting.pairs.empty()) {
    fitting.gradient = converted("gradient", state_.gradient, x);
    fitting.move = converted("move", state_.move, x);
  }
  state_ = std::move(fitting);
  moves_ = changes_ = {};
  learns_ = learns;
}

void LBFGS::members(nn::Members& m) {
  const NoGrad no_grad;
  if (!state_.pairs.empty()) {
    std::vector<Tensor> moves, changes;
    for (const LBFGSPair& pair : state_.pairs) {
      moves.push_back(pair.move);
      changes.push_back(pair.change);
    }
    moves_ = stack(moves);
    changes_ = stack(changes);
    state_.pairs.clear();
  }
  list_rates(m);
  m("learns", learns_);
  m("gradient", state_.gradient);
  m("move", state_.move);
  m("s", moves_);
  m("y", changes_);
}

void LBFGS::check_loaded() const {
  OptimizerWith::check_loaded();
  if (state_.gradient.defined() && is_floating(state_.gradient.dtype()) && state_.gradient.numel() > 0 &&
      !std::isfinite(detail::largest_element(state_.gradient))) {
    throw ValueError(fmt::format("{}: the loaded gradient must be finite", name));
  }
  // What does not fit in shape is for `step`, which knows the parameters that learn by then.
  if (!moves_.defined() || !changes_.defined() || moves_.shape() != changes_.shape()) return;
  if (moves_.rank() != 2 || !is_floating(moves_.dtype()) || !is_floating(changes_.dtype())) return;
  const NoGrad no_grad;
  const Tensor products = sum(moves_.to(float64) * changes_.to(float64), {.axes = {1}});
  for (std::int64_t i = 0; i < products.numel(); ++i) {
    // Of one that was kept it is above least_curvature; rows may have been rounded since.
    const double curvature = products.at({i});
    if (curvature > 0) continue;
    throw ValueError(fmt::format("{}: the loaded s and y must have positive products: that of pair {} is {}",
                                 name, i, curvature));
  }
}

void LBFGS::validate(const LBFGSOptions& options) const { check_options(options); }

void LBFGS::list_options(std::size_t group, const std::string& prefix, nn::Members& m) {
  detail::list_settings<LBFGSOptions>(held_options(group), lr(group), prefix, m, each_option, check_options);
}

std::span<const std::string_view> LBFGS::moment_names(std::size_t) const { return {}; }

Tensor LBFGS::advance(std::size_t, const Update&, State&) const {
  throw ValueError(fmt::format(
      "{}: step: it evaluates the loss at several points: give it the function that computes the loss, as in "
      "lbfgs.step([&] {{ return nn::mse_loss(model(x), y); }})",
      name));
}

LBFGSStepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                  const LBFGSState& state, const LBFGSOptions& options, const Hyper& length) {
  check_options(options);
  detail::check_step(name, parameters, gradients, {}, 0, 0);
  if (length.is_set()) {
    detail::check_not_negative(name, "length", length);
  } else if (options.line_search != LineSearch::none) {
    throw ValueError(fmt::format(
        "{}: a line search is no formula: give the length that it found, or use LineSearch::none", name));
  }
  std::vector<Tensor> moving, their_gradients;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!gradients[i].defined()) continue;
    moving.push_back(parameters[i]);
    their_gradients.push_back(gradients[i]);
  }
  const Dtype dtype = detail::widest_dtype(moving);
  const Tensor gradient = detail::join_flat(their_gradients, dtype);
  check_state(state, gradient);
  LBFGSStepped result{parameters, {gradient, {}, pairs_at(state, gradient, options.history_size)}};
  const Hyper taken = length.is_set() ? length : usual_length(state, gradient, options.lr);
  const Tensor x = detail::join_flat(moving, dtype);
  const std::vector<Tensor> moved =
      detail::split_flat(x + taken * downhill(gradient, result.state.pairs), moving);
  result.state.move = detail::join_flat(moved, dtype) - x;
  for (std::size_t i = 0, next = 0; i < parameters.size(); ++i) {
    if (gradients[i].defined()) result.parameters[i] = moved[next++];
  }
  return result;
}

}  // namespace xtgrad::v1::optim
