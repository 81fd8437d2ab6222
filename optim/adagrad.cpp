#include "xtgrad/optim/adagrad.h"

#include <array>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<AdagradOptions> : RuleBase {
  using Options = AdagradOptions;
  static constexpr std::string_view name = "Adagrad";
  static constexpr std::string_view step_name = "adagrad_step";
  static constexpr std::string_view coefficients_name = "adagrad_rates";
  static constexpr std::array<NamedHyper<Options>, 4> hypers{
      {{"lr_decay", &Options::lr_decay},
       {"weight_decay", &Options::weight_decay},
       {"initial_accumulator", &Options::initial_accumulator},
       {"eps", &Options::eps}}};
  static constexpr std::size_t coefficients = 4;
  static constexpr std::array<std::size_t, 1> moment_counts{1};
  using Flags = PenaltyFlags;

  static void check(const Options& options) {
    check_not_negative(name, "lr", options.lr);
    check_not_negative(name, "lr_decay", options.lr_decay);
    check_not_negative(name, "weight_decay", options.weight_decay);
    check_not_negative(name, "initial_accumulator", options.initial_accumulator);
    check_not_negative(name, "eps", options.eps);
  }

  static void each_other(Options& options, auto&& list) { list("maximize", options.maximize); }

  static std::span<const std::string_view> moment_names(const Options&) {
    static constexpr std::array<std::string_view, 1> names{"sum"};
    return names;
  }

  /// rate, eps, what s starts from, penalty.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const Options& options, const Hyper& lr,
                                                     std::int64_t step) {
    const auto steps_before = static_cast<double>(step - 1);
    return {coefficient<C>(lr) / (1 + steps_before * coefficient<C>(options.lr_decay)),
            coefficient<C>(options.eps), step == 1 ? coefficient<C>(options.initial_accumulator) : C(0.0),
            coefficient<C>(options.weight_decay)};
  }

  template <class C>
  using Formula = AdagradFormula<C>;
};

}  // namespace detail

template class OptimizerOf<AdagradOptions>;
Adagrad::Adagrad(std::vector<nn::ParameterRef> parameters, const AdagradOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdagradOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
