#include "xtgrad/optim/nadam.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<NAdamOptions> : RuleBase {
  using Options = NAdamOptions;
  static constexpr std::string_view name = "NAdam";
  static constexpr std::string_view step_name = "nadam_step";
  static constexpr std::string_view coefficients_name = "nadam_rates";
  static constexpr std::array<NamedHyper<Options>, 5> hypers{{{"beta1", &Options::beta1},
                                                              {"beta2", &Options::beta2},
                                                              {"eps", &Options::eps},
                                                              {"weight_decay", &Options::weight_decay},
                                                              {"momentum_decay", &Options::momentum_decay}}};
  static constexpr std::size_t coefficients = 7;
  static constexpr std::size_t scalars = 1;
  static constexpr std::array<std::size_t, 1> moment_counts{2};
  using Flags = DecayFlags;

  static void check(const Options& options) {
    check_adam_options(name, options);
    check_not_negative(name, "momentum_decay", options.momentum_decay);
  }

  static void each_other(Options& options, auto&& list) {
    list("decoupled_decay", options.decoupled_decay);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 3> names{"m", "v", "mu_product"};
    return names;
  }

  /// beta1, beta2, rates of g and of m, eps, penalty, shrink; and the product.
  template <class C>
  static std::array<C, coefficients + scalars> coefficients_of(const Options& options, const Hyper& lr,
                                                               std::int64_t step,
                                                               const std::array<C, scalars>& before) {
    using std::exp;
    using std::pow;
    using std::sqrt;
    const C beta1 = coefficient<C>(options.beta1), beta2 = coefficient<C>(options.beta2);
    const C rate = coefficient<C>(lr), penalty = coefficient<C>(options.weight_decay);
    const C psi = coefficient<C>(options.momentum_decay);
    const auto t = static_cast<double>(step);
    const auto mu_of = [&](double s) { return beta1 * (1 - 0.5 * exp(s * std::log(0.96) * psi)); };
    const C mu = mu_of(t), next_mu = mu_of(t + 1);
    const C product = step == 1 ? mu : C(before[0] * mu);
    // The correction of v is put into rates and eps, which saves a division of each element.
    const C correction = sqrt(1 - pow(beta2, t));
    return {beta1,
            beta2,
            rate * correction * (1 - mu) / (1 - product),
            rate * correction * next_mu / (1 - product * next_mu),
            coefficient<C>(options.eps) * correction,
            penalty,
            1 - rate * penalty,
            product};
  }

  template <class C>
  using Formula = NAdamFormula<C>;
};

}  // namespace detail

template class OptimizerOf<NAdamOptions>;
NAdam::NAdam(std::vector<nn::ParameterRef> parameters, const NAdamOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const NAdamOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
