#include "xtgrad/optim/adam.h"

#include <array>
#include <cmath>

#include "xtgrad/optim/advance.h"
#include "xtgrad/optim/checks.h"

namespace xtgrad::inline v1::optim {
namespace {

constexpr std::array<std::string_view, 3> all_names{"m", "v", "v_max"};

std::span<const std::string_view> names_of(bool amsgrad) {
  return std::span(all_names).first(amsgrad ? 3 : 2);
}

// Adam and AdamW have the same options, with other defaults, and differ in where the weights decay.
std::string_view name_of(const AdamOptions&) { return "Adam"; }
std::string_view name_of(const AdamWOptions&) { return "AdamW"; }
constexpr bool is_decoupled(const AdamOptions&) { return false; }
constexpr bool is_decoupled(const AdamWOptions&) { return true; }

template <class Options>
void check_options(const Options& options) {
  const std::string_view name = name_of(options);
  detail::check_not_negative(name, "lr", options.lr);
  detail::check_decay_rate(name, "beta1", options.beta1);
  detail::check_decay_rate(name, "beta2", options.beta2);
  detail::check_not_negative(name, "eps", options.eps);
  detail::check_not_negative(name, "weight_decay", options.weight_decay);
}

/// The square root, with derivative 0 at 0: an element whose gradients were all 0 would get inf * 0 = NaN.
auto root(const auto& v) { return where(v == 0, 0, sqrt(where(v == 0, 1, v))); }

/// Adam's update, and AdamW's.
template <class O>
struct Rule {
  using Options = O;
  static constexpr std::string_view step_name = "adam_step";
  static constexpr std::string_view coefficients_name = "adam_rates";
  static constexpr std::array<detail::NamedHyper<O>, 4> hypers{
      {{"beta1", &O::beta1}, {"beta2", &O::beta2}, {"eps", &O::eps}, {"weight_decay", &O::weight_decay}}};
  static constexpr std::size_t coefficients = 6;

  struct Flags {
    explicit Flags(const O& options)
        : has_penalty(!is_decoupled(options) && !options.weight_decay.is_number_zero()),
          shrinks(is_decoupled(options) && !options.weight_decay.is_number_zero()),
          maximize(options.maximize) {}
    void describe(Attributes& a) {
      a("has_penalty", has_penalty, false);
      a("shrinks", shrinks, false);
      a("maximize", maximize, false);
    }

    bool has_penalty, shrinks, maximize;
  };

  /// beta1, beta2, rate, eps, penalty, shrink.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const O& options, const Hyper& lr, std::int64_t step) {
    using std::pow;
    using std::sqrt;
    const C beta1 = detail::coefficient<C>(options.beta1), beta2 = detail::coefficient<C>(options.beta2);
    const C rate = detail::coefficient<C>(lr), penalty = detail::coefficient<C>(options.weight_decay);
    const C shrink = 1 - rate * penalty;
    const auto t = static_cast<double>(step);
    // The second correction is put into rate and eps, which saves a division of each element:
    // r m / (sqrt(v) / c + eps) = r c m / (sqrt(v) + c eps).
    const C correction = sqrt(1 - pow(beta2, t));
    return {beta1,
            beta2,
            rate * correction / (1 - pow(beta1, t)),
            detail::coefficient<C>(options.eps) * correction,
            penalty,
            shrink};
  }

  template <class C>
  struct Formula {
    Formula(const std::array<C, coefficients>& numbers, const Flags& flags)
        : beta1(numbers[0]),
          beta2(numbers[1]),
          rate(numbers[2]),
          eps(numbers[3]),
          penalty(numbers[4]),
          shrink(numbers[5]),
          has_penalty(flags.has_penalty),
          shrinks(flags.shrinks),
          maximize(flags.maximize) {}

    auto direction(const auto& p, const auto& g) const {
      const auto downhill = maximize ? -g : g;
      return has_penalty ? downhill + penalty * p : downhill;
    }

    auto moved(const auto& p, const auto& m, const auto& v) const {
      const auto move = rate * m / (root(v) + eps);
      return shrinks ? shrink * p - move : p - move;
    }

    auto operator()(const auto& p, const auto& g, const auto& m, const auto& v) const {
      const auto d = direction(p, g);
      const auto next_m = beta1 * m + (1 - beta1) * d;
      const auto next_v = beta2 * v + (1 - beta2) * square(d);
      return std::tuple(moved(p, next_m, next_v), next_m, next_v);
    }

    auto operator()(const auto& p, const auto& g, const auto& m, const auto& v, const auto& v_max) const {
      const auto d = direction(p, g);
      const auto next_m = beta1 * m + (1 - beta1) * d;
      const auto next_v = beta2 * v + (1 - beta2) * square(d);
      const auto next_v_max = maximum(v_max, next_v);
      return std::tuple(moved(p, next_m, next_v_max), next_m, next_v, next_v_max);
    }

    C beta1, beta2, rate, eps, penalty, shrink;
    bool has_penalty, shrinks, maximize;
  };
};

template <class Options>
Tensor advance_one(const Options& options, const Update& update, State& state) {
  return options.amsgrad ? detail::advance_with<Rule<Options>, 3>(options, update, state)
                         : detail::advance_with<Rule<Options>, 2>(options, update, state);
}

template <class Options>
Stepped step_of(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
                const std::vector<State>& states, const Options& options) {
  check_options(options);
  return detail::step_all(
      name_of(options), options.lr, parameters, gradients, states,
      [&](const Update& update, State& state) { return advance_one(options, update, state); });
}

}  // namespace

Adam::Adam(std::vector<nn::ParameterRef> parameters, const AdamOptions& options)
    : OptimizerWith(name_of(options)) {
  add_group(std::move(parameters), options);
}

void Adam::check(const AdamOptions& options) const { check_options(options); }

std::span<const std::string_view> Adam::moment_names(std::size_t group) const {
  return names_of(options_of(group).amsgrad);
}

Tensor Adam::advance(std::size_t group, const Update& update, State& state) const {
  return advance_one(options_of(group), update, state);
}

AdamW::AdamW(std::vector<nn::ParameterRef> parameters, const AdamWOptions& options)
    : OptimizerWith(name_of(options)) {
  add_group(std::move(parameters), options);
}

void AdamW::check(const AdamWOptions& options) const { check_options(options); }

std::span<const std::string_view> AdamW::moment_names(std::size_t group) const {
  return names_of(options_of(group).amsgrad);
}

Tensor AdamW::advance(std::size_t group, const Update& update, State& state) const {
  return advance_one(options_of(group), update, state);
}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamOptions& options) {
  return step_of(parameters, gradients, states, options);
}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamWOptions& options) {
  return step_of(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
