#include "xtgrad/optim/optimizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "xtgrad/autograd/core/compute.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool_allocator.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/nn/orphans.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/pending_step.h"

namespace xtgrad::inline v1::optim {
namespace {

Tensor lr_tensor(double lr) { return full({}, lr, {.dtype = float64}); }

}  // namespace

void Optimizer::step() {
  const NoGrad no_grad;
  if (nn::detail::Orphans::any_with_gradient()) {
    nn::detail::Orphans::check(fmt::format("{}: step", name_), parameters());
  }
  struct Move {
    Entry* entry = nullptr;
    Hyper lr = 0.0;
    Tensor value = {};
    Tensor gradient = {};
    bool overwrite = false;
    detail::PendingStep step = {};
    Tensor leaf = {};

    [[nodiscard]] Update update() const { return {lr, value, gradient, overwrite}; }
  };
  std::vector<Move, xtgrad::detail::PoolAllocator<Move>> moves;
  std::size_t most = 0;
  for (const Group& group : groups_) most += group.entries.size();
  moves.reserve(most);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    // A watcher sees the rate as the value that the group holds.
    const Hyper rate = xtgrad::detail::thread_state.is_watched() ? Hyper(groups_[g].lr) : Hyper(lr(g));
    const detail::PendingStep* before = nullptr;
    for (Entry& entry : groups_[g].entries) {
      Tensor gradient = entry.parameter->grad();
      if (!gradient.defined() || !entry.parameter->requires_grad()) continue;
      prepare(entry, g);
      Move& move = moves.emplace_back();
      move.entry = &entry;
      move.lr = rate;
      move.value = entry.parameter->tensor();
      move.gradient = std::move(gradient);
      // Its parameter and the line above hold a handle each.
      move.overwrite = xtgrad::detail::may_take_over(xtgrad::detail::node_of(move.value), 2);
      move.step.before = before;
      before = &move.step;  // there is room for all: it stays where it is
      prepare_step(g, move.update(), entry.state, move.step);
      move.leaf = entry.parameter->leaf_of(move.step.value);
    }
  }
  // From here on nothing fails.
  for (Move& move : moves) {
    const detail::PendingStep& step = move.step;
    if (step.fill != nullptr) step.fill(step, move.update(), move.entry->state, step.options);
    move.entry->state = std::move(move.step.state);
    move.entry->parameter->set_leaf(move.leaf);
  }
}

void Optimizer::prepare_step(std::size_t group, const Update& update, const State& state,
                             detail::PendingStep& step) const {
  // Its handles keep the elements before from being written over.
  step.state = state;
  step.value = advance(group, {update.lr, update.value, update.gradient}, step.state);
}

void Optimizer::zero_grad() {
  for (const Group& group : groups_) {
    for (const Entry& entry : group.entries) entry.parameter->zero_grad();
  }
}

double Optimizer::lr(std::size_t group) const {
  check_group(group);
  return groups_[group].lr.item();
}

void Optimizer::set_lr(double lr) {
  detail::check_not_negative(name_, "lr", lr);
  const Tensor rate = lr_tensor(lr);  // one for all: nothing fails once the first is set
  for (Group& group : groups_) group.lr = rate;
}

void Optimizer::set_lr(double lr, std::size_t group) {
  check_group(group);
  detail::check_not_negative(name_, "lr", lr);
  groups_[group].lr = lr_tensor(lr);
}

void Optimizer::set_rates(std::span<const double> rates) {
  if (rates.size() != groups_.size()) {
    throw ValueError(fmt::format("{}: set_rates: got {} rate{} for {} group{}", name_, rates.size(),
                                 rates.size() == 1 ? "" : "s", groups_.size(),
                                 groups_.size() == 1 ? "" : "s"));
  }
  std::vector<Tensor> next;
  next.reserve(rates.size());
  for (const double rate : rates) {
    detail::check_not_negative(name_, "lr", rate);
    next.push_back(lr_tensor(rate));
  }
  for (std::size_t g = 0; g < next.size(); ++g) groups_[g].lr = std::move(next[g]);
}

std::vector<nn::ParameterRef> Optimizer::parameters() const {
  std::vector<nn::ParameterRef> all;
  for (const Group& group : groups_) {
    for (const Entry& entry : group.entries) all.push_back(entry.parameter);
  }
  return all;
}

std::vector<Tensor> Optimizer::moments(std::size_t number) const {
  std::vector<Tensor> all;
  for (const Group& group : groups_) {
    for (const Entry& entry : group.entries)
      all.push_back(entry.state.step == std::int64_t{0} ? Tensor() : entry.state.moments.at(number));
  }
  return all;
}

std::vector<nn::ParameterRef> Optimizer::parameters(std::size_t group) const {
  check_group(group);
  std::vector<nn::ParameterRef> all;
  for (const Entry& entry : groups_[group].entries) all.push_back(entry.parameter);
  return all;
}

void Optimizer::list_rates(nn::Members& m) {
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::string prefix = fmt::format("groups.{}.", g);
    m(prefix + "lr", groups_[g].lr);
    list_options(g, prefix, m);
  }
}

void Optimizer::list_options(std::size_t, const std::string&, nn::Members&) {}

namespace {

/// What optimizers call sums and means of squares, largest magnitudes, and sizes of steps: below 0 a root of
/// one is NaN, and a step goes uphill. NaN may be there, for a training may have come to it.
bool is_magnitude(std::string_view moment) {
  constexpr std::array<std::string_view, 5> magnitudes{"v", "v_max", "u", "sum", "step_size"};
  return std::ranges::find(magnitudes, moment) != magnitudes.end();
}

/// Numbers that a training comes to whatever gradients it meets.
void check_number(std::string_view optimizer, const std::string& label, std::string_view moment,
                  const Tensor& loaded) {
  if (!loaded.defined() || loaded.numel() != 1) return;
  const std::string what = fmt::format("the loaded {}.{}", label, moment);
  // A product of rates below 1; what is left of it is divided by.
  if (moment == "mu_product") detail::check_decay_rate(optimizer, what, loaded.item());
  // A learning rate, as others are.
  if (moment == "eta") detail::check_not_negative(optimizer, what, loaded.item());
  detail::check_finite(optimizer, what, loaded.item());
}

/// Step sizes are cut to a range that is finite.
void check_sizes(std::string_view optimizer, const std::string& label, const Tensor& loaded) {
  if (!loaded.defined() || loaded.numel() == 0) return;
  if (const double most = amax(loaded).item(); !std::isfinite(most)) {
    throw ValueError(
        fmt::format("{}: the loaded {}.step_size must be finite: got {}", optimizer, label, most));
  }
}

/// No mean is larger than the root of the mean of squares, but for roundings; the difference is divided by.
void check_mean(std::string_view optimizer, const std::string& label, const Tensor& v, const Tensor& mean) {
  if (!v.defined() || !mean.defined() || v.shape() != mean.shape() || v.numel() == 0) return;
  constexpr double rounding = 1e-2, smallest = 1e-37;
  const Tensor squares = v.to(float64), means = mean.to(float64);
  const std::span<const double> of_squares = squares.data<double>(), of_means = means.data<double>();
  for (std::size_t i = 0; i < of_squares.size(); ++i) {
    // Where a gradient was infinite or NaN, v is, and the mean may be anything.
    if (!std::isfinite(of_squares[i])) continue;
    if (of_means[i] * of_means[i] <= of_squares[i] * (1 + rounding) + smallest) continue;
    throw ValueError(fmt::format(
        "{}: the loaded {}.mean must not be larger than the root of v, the mean of squares: got {} and {}",
        optimizer, label, of_means[i], of_squares[i]));
  }
}

void check_least(std::string_view optimizer, const std::string& label, std::string_view moment,
                 const Tensor& loaded) {
  if (!loaded.defined() || loaded.numel() == 0) return;
  const double least = -amax(-loaded).item();
  if (!(least < 0)) return;
  throw ValueError(
      fmt::format("{}: the loaded {}.{} must not be negative: got {}", optimizer, label, moment, least));
}

}  // namespace

void Optimizer::check_loaded() const {
  const NoGrad no_grad;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    detail::check_not_negative(name_, fmt::format("the loaded groups.{}.lr", g), lr(g));
    const std::span<const std::string_view> names = moment_names(g);
    for (const Entry& entry : groups_[g].entries) {
      for (std::size_t k = 0; k < names.size(); ++k) {
        const Tensor& moment = entry.state.moments[k];
        if (is_magnitude(names[k])) check_least(name_, entry.label, names[k], moment);
        if (names[k] == "step_size") check_sizes(name_, entry.label, moment);
        if (names[k] == "mean") check_mean(name_, entry.label, entry.state.moments[0], moment);
      }
      for (std::size_t k = names.size() - scalar_moments(g); k < names.size(); ++k) {
        check_number(name_, entry.label, names[k], entry.state.moments[k]);
      }
    }
  }
}

void Optimizer::members(nn::Members& m) {
  const NoGrad no_grad;
  list_rates(m);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    const std::span<const std::string_view> names = moment_names(g);
    for (Entry& entry : groups_[g].entries) {
      // A frozen parameter's moments would be memory for nothing; whatever it has had is listed all the same.
      if (entry.parameter->requires_grad()) prepare(entry, g);
      m(entry.label + ".step", entry.state.step);
      for (std::size_t k = 0; k < names.size(); ++k) {
        m(fmt::format("{}.{}", entry.label, names[k]), entry.state.moments[k]);
      }
    }
  }
}

void Optimizer::add_parameters(std::vector<nn::ParameterRef> parameters, double lr) {
  if (parameters.empty()) {
    throw ValueError(fmt::format(
        "{}: the list of parameters is empty; a module's are those that its `members` lists", name_));
  }
  std::unordered_map<const nn::ParameterCell*, std::size_t> group_of;
  std::unordered_set<std::string> labels;
  std::size_t count = 0;
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (const Entry& entry : groups_[g].entries) {
      group_of.emplace(entry.parameter.get(), g);
      labels.insert(entry.label);
      ++count;
    }
  }
  Group group{lr_tensor(lr), {}};
  for (std::size_t i = 0; i < parameters.size(); ++i, ++count) {
    nn::ParameterRef& parameter = parameters[i];
    if (parameter == nullptr) {
      throw ValueError(fmt::format("{}: parameter {} of group {} is an empty ref", name_, i, groups_.size()));
    }
    std::string label = parameter->name();
    if (label.empty() || labels.contains(label)) label += fmt::format("#{}", count);
    const auto [place, is_new] = group_of.try_emplace(parameter.get(), groups_.size());
    if (!is_new) {
      const std::string& name = parameter->name();
      throw ValueError(fmt::format("{}: parameter {} is given twice, in group {} and in group {}", name_,
                                   name.empty() ? label : fmt::format("\"{}\"", name), place->second,
                                   groups_.size()));
    }
    labels.insert(label);
    parameter->adopt();
    group.entries.push_back({std::move(parameter), std::move(label)});
  }
  groups_.push_back(std::move(group));
}

void Optimizer::check_group(std::size_t group) const {
  if (group < groups_.size()) return;
  throw ValueError(fmt::format("{}: no group {}; there are {}", name_, group, groups_.size()));
}

/// Makes the moments fit the parameter as it is now: it may have been unfrozen, or converted to another
/// dtype.
void Optimizer::prepare(Entry& entry, std::size_t group) const {
  const std::span<const std::string_view> names = moment_names(group);
  const std::size_t first_scalar = names.size() - scalar_moments(group);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const bool is_scalar = k >= first_scalar;
    const Shape shape = is_scalar ? Shape{} : entry.parameter->shape();
    const Dtype dtype = is_scalar ? float64 : entry.parameter->dtype();
    Tensor& moment = entry.state.moments[k];
    if (!moment.defined()) {
      moment = zeros(shape, {.dtype = dtype});
    } else if (moment.shape() != shape) {
      throw ShapeError(fmt::format(
          "{}: parameter \"{}\" and its loaded \"{}\" differ: the parameter is {}, the latter is {}{}", name_,
          entry.label, names[k], to_string(entry.parameter->shape()), to_string(moment.shape()),
          is_scalar ? " and should be []" : ""));
    } else if (moment.dtype() != dtype) {
      moment = moment.to(dtype);
    }
  }
}

std::size_t Optimizer::scalar_moments(std::size_t) const { return 0; }

}  // namespace xtgrad::v1::optim
