#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/optim/advance.h"
#include "xtgrad/optim/checks.h"
#include "xtgrad/optim/optimizer_of.h"
#include "xtgrad/optim/settings.h"

namespace xtgrad::inline v1::optim {

namespace detail {

// What the optimizers' sources have in common. Each specialises RuleOf for its options, with what advance.h
// says of rules and, besides, `name`; `check(options)`, which throws ValueError; `moment_names(options)`; and
// `each_other(options, list)`, which calls `list(name, field)` for each option that is no hyperparameter; and
// `moment_counts`, an array of the numbers of moments that its formula takes, scalars not counted.

template <class Options>
struct RuleOf;

/// Flags of rules that have no others.
struct PenaltyFlags {
  explicit PenaltyFlags(const auto& options)
      : has_penalty(!options.weight_decay.is_number_zero()), maximize(options.maximize) {}
  void describe(Attributes& a) {
    a("has_penalty", has_penalty, false);
    a("maximize", maximize, false);
  }

  bool has_penalty, maximize;
};

/// Flags of rules whose decay may be decoupled from the gradient.
struct DecayFlags {
  explicit DecayFlags(const auto& options) : DecayFlags(options, options.decoupled_decay) {}
  DecayFlags(const auto& options, bool decoupled)
      : has_penalty(!decoupled && !options.weight_decay.is_number_zero()),
        shrinks(decoupled && !options.weight_decay.is_number_zero()),
        maximize(options.maximize) {}
  void describe(Attributes& a) {
    a("has_penalty", has_penalty, false);
    a("shrinks", shrinks, false);
    a("maximize", maximize, false);
  }

  bool has_penalty, shrinks, maximize;
};

/// Of the rules that keep means of gradients and of their sizes, Adam and those that followed it.
template <class O>
inline constexpr std::array<NamedHyper<O>, 4> adam_hypers{
    {{"beta1", &O::beta1}, {"beta2", &O::beta2}, {"eps", &O::eps}, {"weight_decay", &O::weight_decay}}};

void check_adam_options(std::string_view name, const auto& options) {
  check_not_negative(name, "lr", options.lr);
  check_decay_rate(name, "beta1", options.beta1);
  check_decay_rate(name, "beta2", options.beta2);
  check_not_negative(name, "eps", options.eps);
  check_not_negative(name, "weight_decay", options.weight_decay);
}

/// One step of one parameter; the number of moments is that of the options' names.
template <class Options>
Tensor advance_one(const Options& options, const Update& update, State& state) {
  using Rule = RuleOf<Options>;
  const std::size_t count = Rule::moment_names(options).size() - Rule::scalars;
  Tensor next;
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    static_cast<void>(((count == Rule::moment_counts[K] &&
                        (next = advance_with<Rule, Rule::moment_counts[K]>(options, update, state), true)) ||
                       ...));
  }
  (std::make_index_sequence<Rule::moment_counts.size()>{});
  return next;
}

/// As `advance_one`, up to where nothing can fail any more.
template <class Options>
void prepare_one(const Options& options, const Update& update, const State& state, PendingStep& step) {
  using Rule = RuleOf<Options>;
  const std::size_t count = Rule::moment_names(options).size() - Rule::scalars;
  [&]<std::size_t... K>(std::index_sequence<K...>) {
    static_cast<void>(
        ((count == Rule::moment_counts[K] &&
          (prepare_on_lanes<Rule, Rule::moment_counts[K]>(options, update, state, step), true)) ||
         ...));
  }
  (std::make_index_sequence<Rule::moment_counts.size()>{});
}

/// The pure form for a list of parameters. Those without a gradient stay as they are, and so do their states.
template <class Options>
Stepped step_all(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                 const std::vector<State>& states, const Options& options) {
  using Rule = RuleOf<Options>;
  Rule::check(options);
  check_step(Rule::name, parameters, gradients, states, Rule::moment_names(options).size() - Rule::scalars,
             Rule::scalars);
  Stepped result{parameters, states};
  result.states.resize(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!gradients[i].defined()) continue;
    const Update update{options.lr, parameters[i], gradients[i]};
    result.parameters[i] = advance_one(options, update, result.states[i]);
  }
  return result;
}

/// Calls `list(name, value)` for each option but the learning rate, with a double& that it may change.
template <class Options>
void each_option(Options& options, const Callable<void(const char* name, double& value)>& list) {
  for (const auto& hyper : RuleOf<Options>::hypers) {
    Hyper& field = options.*hyper.field;
    const double before = field.value();
    double value = before;
    list(hyper.name.data(), value);
    if (value != before) field = Hyper(value);
  }
  RuleOf<Options>::each_other(options, [&](const char* name, auto& field) {
    const auto before = static_cast<double>(field);
    double value = before;
    list(name, value);
    if (value != before) field = static_cast<std::remove_reference_t<decltype(field)>>(value);
  });
}

}  // namespace detail

template <class Options>
OptimizerOf<Options>::OptimizerOf(std::vector<nn::ParameterRef> parameters, const Options& options)
    : OptimizerWith<Options>(detail::RuleOf<Options>::name) {
  this->add_group(std::move(parameters), options);
}

template <class Options>
OptimizerOf<Options>::~OptimizerOf() = default;

template <class Options>
void OptimizerOf<Options>::validate(const Options& options) const {
  detail::RuleOf<Options>::check(options);
}

template <class Options>
void OptimizerOf<Options>::list_options(std::size_t group, const std::string& prefix, nn::Members& m) {
  detail::list_settings<Options>(this->held_options(group), this->lr(group), prefix, m,
                                 detail::each_option<Options>,
                                 [this](const Options& options) { validate(options); });
}

template <class Options>
std::span<const std::string_view> OptimizerOf<Options>::moment_names(std::size_t group) const {
  return detail::RuleOf<Options>::moment_names(this->options_of(group));
}

template <class Options>
std::size_t OptimizerOf<Options>::scalar_moments(std::size_t) const {
  return detail::RuleOf<Options>::scalars;
}

template <class Options>
Tensor OptimizerOf<Options>::advance(std::size_t group, const Update& update, State& state) const {
  return detail::advance_one(this->options_of(group), update, state);
}

template <class Options>
void OptimizerOf<Options>::prepare_step(std::size_t group, const Update& update, const State& state,
                                        detail::PendingStep& step) const {
  if (xtgrad::detail::thread_state.is_watched()) {
    Optimizer::prepare_step(group, update, state, step);
  } else {
    detail::prepare_one(this->options_of(group), update, state, step);
  }
}

}  // namespace xtgrad::v1::optim
