#include "xtgrad/optim/lbfgs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
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
#include "xtgrad/optim/strong_wolfe.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr std::string_view name = "LBFGS";
constexpr double least_curvature = 1e-10;  // of a pair, <s, y>

Tensor inner(const Tensor& a, const Tensor& b) { return sum(a * b); }
/// For messages: NaN without its sign, which is nobody's.
double unsigned_nan(double x) { return std::isnan(x) ? std::abs(x) : x; }
double largest(const Tensor& x) { return x.numel() == 0 ? 0 : amax(abs(x)).item(); }

void check_options(const LBFGSOptions& options) {
  detail::check_not_negative(name, "lr", options.lr);
  nn::detail::check_option(name, "max_iter", options.max_iter, 1);
  if (options.max_eval) nn::detail::check_option(name, "max_eval", *options.max_eval, 1);
  detail::check_not_negative(name, "tolerance_grad", options.tolerance_grad);
  detail::check_not_negative(name, "tolerance_change", options.tolerance_change);
  nn::detail::check_option(name, "history_size", options.history_size, 0);
}

LBFGSPair pair_of(const Tensor& move, const Tensor& change) {
  return {move, change, 1 / inner(change, move)};
}

/// With the pair that the last move makes with its change of the gradient, at most `size` of them.
std::vector<LBFGSPair> pairs_at(const LBFGSState& state, const Tensor& gradient, std::int64_t size) {
  std::vector<LBFGSPair> pairs = state.pairs;
  if (state.gradient.defined()) {
    const Tensor change = gradient - state.gradient;
    if (inner(change, state.move).item() > least_curvature) pairs.push_back(pair_of(state.move, change));
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
    shares[i] = pairs[i].rho * inner(pairs[i].move, direction);
    direction = direction - shares[i] * pairs[i].change;
  }
  if (!pairs.empty()) {
    const LBFGSPair& last = pairs.back();
    direction = direction * (inner(last.move, last.change) / inner(last.change, last.change));
  }
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Tensor share = pairs[i].rho * inner(pairs[i].change, direction);
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

struct Value {
  double loss;
  Tensor gradient;  // [n]; empty where the loss is not finite
};

/// The loss as a function of one vector, the elements of the parameters that learn.
class Objective {
 public:
  Objective(std::vector<nn::ParameterRef> learning, const Callable<Tensor()>& loss)
      : learning_(std::move(learning)), loss_(loss), dtype_(detail::widest_dtype(leaves())) {}

  [[nodiscard]] Dtype dtype() const { return dtype_; }
  [[nodiscard]] std::int64_t evaluations() const { return evaluations_; }
  [[nodiscard]] Tensor x() const { return detail::join_flat(leaves(), dtype_); }

  void set_x(const Tensor& x) {
    const std::vector<Tensor> values = detail::split_flat(x, leaves());
    for (std::size_t i = 0; i < learning_.size(); ++i) learning_[i]->set_value(values[i]);
  }

  Value evaluate() {
    ++evaluations_;
    const EnableGrad enabled;
    const Tensor value = loss_();
    if (value.numel() != 1) {
      throw ShapeError(
          fmt::format("{}: step: the loss must have one element: got {}", name, to_string(value.shape())));
    }
    const double loss = reshape(value.detach(), {}).item();
    if (!std::isfinite(loss)) return {loss, {}};
    const std::vector<Tensor> at = leaves();
    std::vector<Tensor> gradients = grad(std::span(&value, 1), at, {.allow_unused = true});
    for (std::size_t i = 0; i < at.size(); ++i) {
      if (!gradients[i].defined()) gradients[i] = zeros_like(at[i]);
    }
    return {loss, detail::join_flat(gradients, dtype_)};
  }

  /// Throws ValueError where something is not finite.
  Value evaluate_finite() {
    Value value = evaluate();
    if (!std::isfinite(value.loss)) {
      throw ValueError(
          fmt::format("{}: step: the loss must be finite: got {}", name, unsigned_nan(value.loss)));
    }
    if (const double size = largest(value.gradient); !std::isfinite(size)) {
      throw ValueError(fmt::format("{}: step: the gradient must be finite: got {}, where the loss is {}",
                                   name, unsigned_nan(size), value.loss));
    }
    return value;
  }

 private:
  [[nodiscard]] std::vector<Tensor> leaves() const {
    std::vector<Tensor> all;
    for (const nn::ParameterRef& parameter : learning_) all.push_back(parameter->tensor());
    return all;
  }

  std::vector<nn::ParameterRef> learning_;
  const Callable<Tensor()>& loss_;
  Dtype dtype_;
  std::int64_t evaluations_ = 0;
};

/// Where an iteration ended.
struct Arrival {
  double length;
  Tensor move;
  Tensor x;
  Value value;  // without a gradient if nobody will ask for it
};

Arrival go(Objective& objective, const Tensor& x, const Tensor& direction, double length, bool evaluates) {
  Arrival arrival{length, Hyper(length) * direction, {}, {}};
  arrival.x = x + arrival.move;
  objective.set_x(arrival.x);
  if (evaluates) arrival.value = objective.evaluate_finite();
  return arrival;
}

Arrival search(Objective& objective, const Tensor& x, const Tensor& direction, const detail::LinePoint& start,
               const detail::WolfeOptions& options) {
  const auto evaluate = [&](double length) -> detail::LinePoint {
    objective.set_x(x + Hyper(length) * direction);
    const Value value = objective.evaluate();
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
                 .direction_size = largest(direction)});
} catch (...) {
  objective.set_x(x);
  throw;
}

/// The tolerance that the iteration has come within, or the limit that it has reached.
std::optional<LBFGSEnd> end_after(const Arrival& arrival, double loss_before, const LBFGSStep& so_far,
                                  const LBFGSOptions& options) {
  const Value& value = arrival.value;
  if (value.gradient.defined() && largest(value.gradient) <= options.tolerance_grad)
    return LBFGSEnd::small_gradient;
  if (largest(arrival.move) <= options.tolerance_change) return LBFGSEnd::small_change;
  if (value.gradient.defined() && std::abs(value.loss - loss_before) < options.tolerance_change)
    return LBFGSEnd::small_change;
  if (so_far.iterations() >= options.max_iter) return LBFGSEnd::max_iter;
  if (so_far.evaluations >= options.max_eval.value_or(options.max_iter * 5 / 4)) return LBFGSEnd::max_eval;
  return std::nullopt;
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

/// Of a state, which may be a loaded one.
void check_shape(std::string_view what, const Tensor& x, const Shape& shape) {
  if (x.defined() && x.shape() == shape) return;
  throw ShapeError(fmt::format("{}: the state's \"{}\" must be {} for these parameters: got {}", name, what,
                               to_string(shape), x.defined() ? to_string(x.shape()) : "none"));
}

}  // namespace

LBFGS::LBFGS(std::vector<nn::ParameterRef> parameters, const LBFGSOptions& options) : OptimizerWith(name) {
  OptimizerWith::add_group(std::move(parameters), options);
}

void LBFGS::add_group(const std::vector<nn::ParameterRef>& parameters, const LBFGSOptions&) {
  throw ValueError(
      fmt::format("{}: all parameters take the same step, so there is one group: got {} more "
                  "parameters",
                  name, parameters.size()));
}

LBFGSStep LBFGS::step(const Callable<Tensor()>& loss) {
  const NoGrad no_grad;
  const LBFGSOptions& options = options_of(0);
  Objective objective(those_that_learn(parameters()), loss);
  Tensor x = objective.x();
  Value here = objective.evaluate_finite();
  fit_state(x);
  LBFGSStep result{.loss = here.loss, .grad_norm = std::sqrt(sum(square(here.gradient)).item())};
  std::optional<LBFGSEnd> end;
  if (largest(here.gradient) <= options.tolerance_grad) end = LBFGSEnd::small_gradient;
  while (!end) {
    std::vector<LBFGSPair> pairs = pairs_at(state_, here.gradient, options.history_size);
    const Tensor direction = downhill(here.gradient, pairs);
    const double slope = inner(here.gradient, direction).item();
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
  const std::vector<nn::ParameterRef> all = parameters();
  const Tensor learns = which_learn(all);
  if (learns_.defined()) {
    check_shape("learns", learns_, learns.shape());
    if (sum(where(learns_ == learns, 0, 1)).item() != 0) drop_history();
  }
  learns_ = learns;
  if (moves_.defined()) {
    const std::int64_t pairs = moves_.size(0);
    check_shape("s", moves_, {pairs, x.numel()});
    check_shape("y", changes_, {pairs, x.numel()});
    for (std::int64_t i = 0; i < pairs; ++i) {
      const auto row = [&](const Tensor& rows) {
        return reshape(slice(rows, {.axis = 0, .start = i, .stop = i + 1}), x.shape());
      };
      state_.pairs.push_back(pair_of(row(moves_), row(changes_)));
    }
    moves_ = changes_ = {};
  }
  if (!state_.gradient.defined()) return;
  check_shape("gradient", state_.gradient, x.shape());
  check_shape("move", state_.move, x.shape());
  if (state_.gradient.dtype() == x.dtype()) return;
  state_.gradient = state_.gradient.to(x.dtype());
  state_.move = state_.move.to(x.dtype());
  for (LBFGSPair& pair : state_.pairs) pair = pair_of(pair.move.to(x.dtype()), pair.change.to(x.dtype()));
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

void LBFGS::check(const LBFGSOptions& options) const { check_options(options); }

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
  if (state.gradient.defined()) {
    check_shape("gradient", state.gradient, gradient.shape());
    check_shape("move", state.move, gradient.shape());
  }
  LBFGSStepped result{parameters, {gradient, {}, pairs_at(state, gradient, options.history_size)}};
  const Hyper taken = length.is_set() ? length : usual_length(state, gradient, options.lr);
  result.state.move = taken * downhill(gradient, result.state.pairs);
  const std::vector<Tensor> moved =
      detail::split_flat(detail::join_flat(moving, dtype) + result.state.move, moving);
  for (std::size_t i = 0, next = 0; i < parameters.size(); ++i) {
    if (gradients[i].defined()) result.parameters[i] = moved[next++];
  }
  return result;
}

}  // namespace xtgrad::v1::optim
