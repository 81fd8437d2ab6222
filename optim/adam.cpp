#include "xtgrad/optim/adam.h"

#include <array>
#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"
#include "xtgrad/optim/step_text.h"

namespace xtgrad::inline v1::optim {
namespace detail {
namespace {

// Adam and AdamW have the same options, with other defaults, and differ in where the weights decay.
template <class Options>
constexpr bool is_decoupled = std::is_same_v<Options, AdamWOptions>;

/// Adam's update, and AdamW's.
template <class O>
struct AdamRule : RuleBase {
  using Options = O;
  static constexpr std::string_view name = is_decoupled<O> ? "AdamW" : "Adam";
  static constexpr std::string_view step_name = is_decoupled<O> ? "adamw_step" : "adam_step";
  static constexpr std::string_view coefficients_name = is_decoupled<O> ? "adamw_rates" : "adam_rates";
  static constexpr auto hypers = adam_hypers<O>;
  static constexpr std::size_t coefficients = 6;
  static constexpr std::array<std::size_t, 2> moment_counts{2, 3};

  static void check(const O& options) { check_adam_options(name, options); }

  static void each_other(O& options, auto&& list) {
    list("amsgrad", options.amsgrad);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const O& options) {
    static constexpr std::array<std::string_view, 3> names{"m", "v", "v_max"};
    return std::span(names).first(options.amsgrad ? 3 : 2);
  }

  struct Flags : DecayFlags {
    explicit Flags(const O& options) : DecayFlags(options, is_decoupled<O>) {}
  };

  /// beta1, beta2, rate, eps, penalty, shrink.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const O& options, const auto& lr, const auto& step) {
    using std::pow;
    using std::sqrt;
    const C beta1 = coefficient<C>(options.beta1), beta2 = coefficient<C>(options.beta2);
    const C rate = coefficient<C>(lr), penalty = coefficient<C>(options.weight_decay);
    const C shrink = 1 - rate * penalty;
    const auto t = exponent_of(step);
    // The second correction is put into rate and eps, which saves a division of each element:
    // r m / (sqrt(v) / c + eps) = r c m / (sqrt(v) + c eps).
    const C correction = sqrt(1 - pow(beta2, t));
    return {beta1,   beta2, rate * correction / (1 - pow(beta1, t)), coefficient<C>(options.eps) * correction,
            penalty, shrink};
  }

  template <class C>
  using Formula = AdamFormula<C>;
};

const core::TextFamily texts(step_texts<AdamRule<AdamOptions>>());
const core::TextFamily decoupled_texts(step_texts<AdamRule<AdamWOptions>>());

}  // namespace

template <>
struct RuleOf<AdamOptions> : AdamRule<AdamOptions> {};
template <>
struct RuleOf<AdamWOptions> : AdamRule<AdamWOptions> {};

}  // namespace detail

template class OptimizerOf<AdamOptions>;
Adam::Adam(std::vector<nn::ParameterRef> parameters, const AdamOptions& options)
    : OptimizerOf(std::move(parameters), options) {}
template class OptimizerOf<AdamWOptions>;
AdamW::AdamW(std::vector<nn::ParameterRef> parameters, const AdamWOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamWOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
