#include "xtgrad/optim/rmsprop.h"

#include <array>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<RMSPropOptions> : RuleBase {
  using Options = RMSPropOptions;
  static constexpr std::string_view name = "RMSProp";
  static constexpr std::string_view step_name = "rmsprop_step";
  static constexpr std::string_view coefficients_name = "rmsprop_rates";
  static constexpr std::array<NamedHyper<Options>, 4> hypers{{{"alpha", &Options::alpha},
                                                              {"eps", &Options::eps},
                                                              {"weight_decay", &Options::weight_decay},
                                                              {"momentum", &Options::momentum}}};
  static constexpr std::size_t coefficients = 5;
  static constexpr std::array<std::size_t, 3> moment_counts{1, 2, 3};

  struct Flags {
    explicit Flags(const Options& options)
        : has_penalty(!options.weight_decay.is_number_zero()),
          centered(options.centered),
          eps_inside(options.eps_inside_root),
          maximize(options.maximize) {}
    void describe(Attributes& a) {
      a("has_penalty", has_penalty, false);
      a("centered", centered, false);
      a("eps_inside", eps_inside, false);
      a("maximize", maximize, false);
    }

    bool has_penalty, centered, eps_inside, maximize;
  };

  static void check(const Options& options) {
    check_not_negative(name, "lr", options.lr);
    check_decay_rate(name, "alpha", options.alpha);
    check_not_negative(name, "eps", options.eps);
    check_not_negative(name, "weight_decay", options.weight_decay);
    check_not_negative(name, "momentum", options.momentum);
  }

  static void each_other(Options& options, auto&& list) {
    list("centered", options.centered);
    list("eps_inside_root", options.eps_inside_root);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const Options& options) {
    static constexpr std::array<std::string_view, 3> names{"v", "mean", "momentum"};
    static constexpr std::array<std::string_view, 2> uncentered{"v", "momentum"};
    const std::size_t count = options.momentum.is_number_zero() ? 1 : 2;
    if (options.centered) return std::span(names).first(count + 1);
    return std::span(uncentered).first(count);
  }

  /// lr, alpha, eps, momentum, penalty.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr, std::int64_t) {
    return {coefficient<C>(lr), coefficient<C>(options.alpha), coefficient<C>(options.eps),
            coefficient<C>(options.momentum), coefficient<C>(options.weight_decay)};
  }

  template <class C>
  using Formula = RMSpropFormula<C>;
};

}  // namespace detail

template class OptimizerOf<RMSPropOptions>;
RMSProp::RMSProp(std::vector<nn::ParameterRef> parameters, const RMSPropOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const RMSPropOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
