#include "xtgrad/optim/adamax.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<AdamaxOptions> : RuleBase {
  using Options = AdamaxOptions;
  static constexpr std::string_view name = "Adamax";
  static constexpr std::string_view step_name = "adamax_step";
  static constexpr std::string_view coefficients_name = "adamax_rates";
  static constexpr auto hypers = adam_hypers<Options>;
  static constexpr std::size_t coefficients = 5;
  static constexpr std::array<std::size_t, 1> moment_counts{2};
  using Flags = PenaltyFlags;

  static void check(const Options& options) { check_adam_options(name, options); }

  static void each_other(Options& options, auto&& list) { list("maximize", options.maximize); }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 2> names{"m", "u"};
    return names;
  }

  /// rate, beta1, beta2, eps, penalty.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr,
                                                     std::int64_t step) {
    using std::pow;
    const C beta1 = coefficient<C>(options.beta1);
    return {coefficient<C>(lr) / (1 - pow(beta1, static_cast<double>(step))), beta1,
            coefficient<C>(options.beta2), coefficient<C>(options.eps), coefficient<C>(options.weight_decay)};
  }

  template <class C>
  using Formula = AdamaxFormula<C>;
};

}  // namespace detail

template class OptimizerOf<AdamaxOptions>;
Adamax::Adamax(std::vector<nn::ParameterRef> parameters, const AdamaxOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamaxOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
