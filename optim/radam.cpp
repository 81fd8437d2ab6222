#include "xtgrad/optim/radam.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<RAdamOptions> : RuleBase {
  using Options = RAdamOptions;
  static constexpr std::string_view name = "RAdam";
  static constexpr std::string_view step_name = "radam_step";
  static constexpr std::string_view coefficients_name = "radam_rates";
  static constexpr auto hypers = adam_hypers<Options>;
  static constexpr std::size_t coefficients = 7;
  static constexpr std::array<std::size_t, 1> moment_counts{2};
  using Flags = DecayFlags;

  static void check(const Options& options) { check_adam_options(name, options); }

  static void each_other(Options& options, auto&& list) {
    list("decoupled_decay", options.decoupled_decay);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 2> names{"m", "v"};
    return names;
  }

  /// beta1, beta2, rate, 1 if the step adapts and else 0, eps, penalty, shrink.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr,
                                                     std::int64_t step) {
    using std::pow;
    using std::sqrt;
    const C beta1 = coefficient<C>(options.beta1), beta2 = coefficient<C>(options.beta2);
    const C rate = coefficient<C>(lr), penalty = coefficient<C>(options.weight_decay);
    const auto t = static_cast<double>(step);
    const C power = pow(beta2, t);
    const C n = 2 / (1 - beta2) - 1;
    const C n_t = n - 2 * t * power / (1 - power);
    const C plain = rate / (1 - pow(beta1, t));
    const C shrink = 1 - rate * penalty;
    if (!(value_of(n_t) > 5)) return {beta1, beta2, plain, C(0.0), C(0.0), penalty, shrink};
    const C r = sqrt((n_t - 4) * (n_t - 2) * n / ((n - 4) * (n - 2) * n_t));
    return {beta1, beta2, plain * r * sqrt(1 - power), C(1.0), coefficient<C>(options.eps), penalty, shrink};
  }

  template <class C>
  using Formula = RAdamFormula<C>;
};

}  // namespace detail

template class OptimizerOf<RAdamOptions>;
RAdam::RAdam(std::vector<nn::ParameterRef> parameters, const RAdamOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const RAdamOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
