#include "xtgrad/optim/lion.h"

#include <array>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<LionOptions> : RuleBase {
  using Options = LionOptions;
  static constexpr std::string_view name = "Lion";
  static constexpr std::string_view step_name = "lion_step";
  static constexpr std::string_view coefficients_name = "lion_rates";
  static constexpr std::array<NamedHyper<Options>, 3> hypers{
      {{"beta1", &Options::beta1}, {"beta2", &Options::beta2}, {"weight_decay", &Options::weight_decay}}};
  static constexpr std::size_t coefficients = 4;
  static constexpr std::array<std::size_t, 1> moment_counts{1};

  struct Flags {
    explicit Flags(const Options& options)
        : shrinks(!options.weight_decay.is_number_zero()), maximize(options.maximize) {}
    void describe(Attributes& a) {
      a("shrinks", shrinks, false);
      a("maximize", maximize, false);
    }

    bool shrinks, maximize;
  };

  static void check(const Options& options) {
    check_not_negative(name, "lr", options.lr);
    check_decay_rate(name, "beta1", options.beta1);
    check_decay_rate(name, "beta2", options.beta2);
    check_not_negative(name, "weight_decay", options.weight_decay);
  }

  static void each_other(Options& options, auto&& list) { list("maximize", options.maximize); }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 1> names{"m"};
    return names;
  }

  /// lr, beta1, beta2, shrink.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr, std::int64_t) {
    const C rate = coefficient<C>(lr);
    return {rate, coefficient<C>(options.beta1), coefficient<C>(options.beta2),
            1 - rate * coefficient<C>(options.weight_decay)};
  }

  template <class C>
  using Formula = LionFormula<C>;
};

}  // namespace detail

template class OptimizerOf<LionOptions>;
Lion::Lion(std::vector<nn::ParameterRef> parameters, const LionOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const LionOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
