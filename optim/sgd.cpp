#include "xtgrad/optim/sgd.h"

#include <fmt/format.h>

#include <array>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/advance.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr std::string_view name = "SGD";
constexpr std::array<std::string_view, 1> names_with_momentum{"momentum"};

void check_options(const SGDOptions& options) {
  detail::check_not_negative(name, "lr", options.lr);
  detail::check_not_negative(name, "momentum", options.momentum);
  detail::check_finite(name, "dampening", options.dampening);
  detail::check_not_negative(name, "weight_decay", options.weight_decay);
  if (options.nesterov && (options.momentum.value() == 0 || options.dampening.value() != 0)) {
    throw ValueError(
        fmt::format("{}: nesterov needs momentum above 0 and no dampening: got momentum {} and dampening {}",
                    name, options.momentum.value(), options.dampening.value()));
  }
}

bool has_momentum(const SGDOptions& options) { return !options.momentum.is_number_zero(); }

/// The update; C is double on lanes, Hyper on tensors.
template <class C>
struct Formula {
  C lr, momentum, gain, weight_decay;
  bool decays, nesterov, lr_in_velocity, maximize;

  Formula(const SGDOptions& options, const Hyper& rate, bool first)
      : lr(detail::coefficient<C>(rate)),
        momentum(detail::coefficient<C>(options.momentum)),
        // b starts at 0, so that b = g in the first step takes no more than leaving the dampening out.
        gain(first ? C(1) : 1 - detail::coefficient<C>(options.dampening)),
        weight_decay(detail::coefficient<C>(options.weight_decay)),
        decays(!options.weight_decay.is_number_zero()),
        nesterov(options.nesterov),
        lr_in_velocity(options.lr_in_velocity),
        maximize(options.maximize) {}

  auto direction(const auto& p, const auto& g) const {
    const auto downhill = maximize ? -g : g;
    return decays ? downhill + weight_decay * p : downhill;
  }

  auto operator()(const auto& p, const auto& g) const { return std::tuple(p - lr * direction(p, g)); }

  auto operator()(const auto& p, const auto& g, const auto& b) const {
    const auto d = direction(p, g);
    const auto pull = lr_in_velocity ? lr * d : d;
    const auto velocity = momentum * b + gain * pull;
    const auto move = nesterov ? pull + momentum * velocity : velocity;
    return std::tuple(lr_in_velocity ? p - move : p - lr * move, velocity);
  }
};

template <std::size_t Moments>
Tensor advance_with(const SGDOptions& options, const Update& update, State& state) {
  const bool first = state.step++ == 0;
  detail::fill_moments(state, update.value, Moments);
  const bool recorded =
      detail::records(update, state, {&options.momentum, &options.dampening, &options.weight_decay});
  return recorded
             ? detail::advance_on_tensors<Moments>(Formula<Hyper>(options, update.lr, first), update, state)
             : detail::advance_on_lanes<Moments>(Formula<double>(options, update.lr, first), update, state);
}

Tensor advance_one(const SGDOptions& options, const Update& update, State& state) {
  return has_momentum(options) ? advance_with<1>(options, update, state)
                               : advance_with<0>(options, update, state);
}

}  // namespace

SGD::SGD(std::vector<nn::ParameterRef> parameters, const SGDOptions& options) : OptimizerWith(name) {
  add_group(std::move(parameters), options);
}

void SGD::check(const SGDOptions& options) const { check_options(options); }

std::span<const std::string_view> SGD::moment_names(std::size_t group) const {
  if (!has_momentum(options_of(group))) return {};
  return names_with_momentum;
}

Tensor SGD::advance(std::size_t group, const Update& update, State& state) const {
  return advance_one(options_of(group), update, state);
}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const SGDOptions& options) {
  check_options(options);
  return detail::step_all(
      name, options.lr, parameters, gradients, states,
      [&](const Update& update, State& state) { return advance_one(options, update, state); });
}

}  // namespace xtgrad::inline v1::optim
