#include "xtgrad/optim/rprop.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<RpropOptions> : RuleBase {
  using Options = RpropOptions;
  static constexpr std::string_view name = "Rprop";
  static constexpr std::string_view step_name = "rprop_step";
  static constexpr std::string_view coefficients_name = "rprop_rates";
  static constexpr std::array<NamedHyper<Options>, 2> hypers{
      {{"eta_minus", &Options::eta_minus}, {"eta_plus", &Options::eta_plus}}};
  static constexpr std::size_t coefficients = 3;
  static constexpr std::array<std::size_t, 1> moment_counts{2};

  struct Flags {
    explicit Flags(const Options& options)
        : min_step(options.min_step), max_step(options.max_step), maximize(options.maximize) {}
    void describe(Attributes& a) {
      a("min_step", min_step);
      a("max_step", max_step);
      a("maximize", maximize, false);
    }

    double min_step, max_step;
    bool maximize;
  };

  static void check(const Options& options) {
    check_not_negative(name, "lr", options.lr);
    check_finite(name, "eta_minus", options.eta_minus);
    check_finite(name, "eta_plus", options.eta_plus);
    const double minus = options.eta_minus.value(), plus = options.eta_plus.value();
    if (!(minus > 0 && minus < 1 && plus > 1)) {
      throw ValueError(fmt::format("{}: eta_minus must be in (0, 1), and eta_plus above 1: got {} and {}",
                                   name, minus, plus));
    }
    if (!(options.min_step >= 0 && options.min_step <= options.max_step && std::isfinite(options.max_step))) {
      throw ValueError(fmt::format("{}: min_step must be at least 0 and at most max_step: got {} and {}",
                                   name, options.min_step, options.max_step));
    }
  }

  static void each_other(Options& options, auto&& list) {
    list("min_step", options.min_step);
    list("max_step", options.max_step);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 2> names{"previous", "step_size"};
    return names;
  }

  /// What the step sizes start from, eta_minus, eta_plus.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr,
                                                     std::int64_t step) {
    return {step == 1 ? coefficient<C>(lr) : C(0.0), coefficient<C>(options.eta_minus),
            coefficient<C>(options.eta_plus)};
  }

  template <class C>
  using Formula = RpropFormula<C>;
};

}  // namespace detail

template class OptimizerOf<RpropOptions>;
Rprop::Rprop(std::vector<nn::ParameterRef> parameters, const RpropOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const RpropOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
