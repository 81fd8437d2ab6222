#include "xtgrad/optim/asgd.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>
#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<ASGDOptions> : RuleBase {
  using Options = ASGDOptions;
  static constexpr std::string_view name = "ASGD";
  static constexpr std::string_view step_name = "asgd_step";
  static constexpr std::string_view coefficients_name = "asgd_rates";
  static constexpr std::array<NamedHyper<Options>, 3> hypers{
      {{"decay", &Options::decay}, {"alpha", &Options::alpha}, {"weight_decay", &Options::weight_decay}}};
  static constexpr std::size_t coefficients = 5;
  static constexpr std::size_t scalars = 1;
  static constexpr std::array<std::size_t, 1> moment_counts{1};

  using Flags = PenaltyFlags;

  static void describe_others(Attributes& a, Options& options) { a("t0", options.t0); }

  static void check(const Options& options) {
    check_not_negative(name, "lr", options.lr);
    check_not_negative(name, "decay", options.decay);
    check_finite(name, "alpha", options.alpha);
    check_finite(name, "t0", options.t0);
    check_not_negative(name, "weight_decay", options.weight_decay);
  }

  static void each_other(Options& options, auto&& list) {
    list("t0", options.t0);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 2> names{"average", "eta"};
    return names;
  }

  /// eta, shrink, mu, 1 - mu, penalty; and the next eta.
  template <class C>
  static std::array<C, coefficients + scalars> coefficients_of(const Options& options, const Hyper& lr,
                                                               std::int64_t step,
                                                               const std::array<C, scalars>& before) {
    using std::pow;
    const C rate = coefficient<C>(lr), decay = coefficient<C>(options.decay);
    const auto t = static_cast<double>(step);
    const C eta = step == 1 ? rate : before[0];
    const C mu = 1 / std::max(1.0, t - 1 - options.t0);
    return {eta,
            1 - decay * eta,
            mu,
            1 - mu,
            coefficient<C>(options.weight_decay),
            rate / pow(1 + decay * rate * t, coefficient<C>(options.alpha))};
  }

  template <class C>
  using Formula = ASGDFormula<C>;
};

}  // namespace detail

template class OptimizerOf<ASGDOptions>;
ASGD::ASGD(std::vector<nn::ParameterRef> parameters, const ASGDOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

std::vector<Tensor> ASGD::averages() const {
  std::vector<Tensor> averages = moments(0);
  const std::vector<nn::ParameterRef> held = parameters();
  for (std::size_t i = 0; i < averages.size(); ++i) {
    if (!averages[i].defined()) averages[i] = held[i]->tensor().detach();
  }
  return averages;
}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const ASGDOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
