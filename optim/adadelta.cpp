#include "xtgrad/optim/adadelta.h"

#include <array>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<AdadeltaOptions> : RuleBase {
  using Options = AdadeltaOptions;
  static constexpr std::string_view name = "Adadelta";
  static constexpr std::string_view step_name = "adadelta_step";
  static constexpr std::string_view coefficients_name = "adadelta_rates";
  static constexpr std::array<NamedHyper<Options>, 3> hypers{
      {{"rho", &Options::rho}, {"eps", &Options::eps}, {"weight_decay", &Options::weight_decay}}};
  static constexpr std::size_t coefficients = 4;
  static constexpr std::array<std::size_t, 1> moment_counts{2};
  using Flags = PenaltyFlags;

  static void check(const Options& options) {
    check_not_negative(name, "lr", options.lr);
    check_decay_rate(name, "rho", options.rho);
    check_not_negative(name, "eps", options.eps);
    check_not_negative(name, "weight_decay", options.weight_decay);
  }

  static void each_other(Options& options, auto&& list) { list("maximize", options.maximize); }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 2> names{"v", "u"};
    return names;
  }

  /// lr, rho, eps, penalty.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr, std::int64_t) {
    return {coefficient<C>(lr), coefficient<C>(options.rho), coefficient<C>(options.eps),
            coefficient<C>(options.weight_decay)};
  }

  template <class C>
  using Formula = AdadeltaFormula<C>;
};

}  // namespace detail

template class OptimizerOf<AdadeltaOptions>;
Adadelta::Adadelta(std::vector<nn::ParameterRef> parameters, const AdadeltaOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdadeltaOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
