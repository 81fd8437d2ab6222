#include "xtgrad/optim/sgd.h"

#include <fmt/format.h>

#include <array>
#include <utility>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/optim/rule.h"
#include "xtgrad/optim/step_formulas.h"
#include "xtgrad/optim/step_text.h"

namespace xtgrad::inline v1::optim {
namespace detail {

template <>
struct RuleOf<SGDOptions> : RuleBase {
  using Options = SGDOptions;
  static constexpr std::string_view name = "SGD";
  static constexpr std::string_view step_name = "sgd_step";
  static constexpr std::string_view coefficients_name = "sgd_rates";
  static constexpr std::array<NamedHyper<SGDOptions>, 3> hypers{
      {{"momentum", &SGDOptions::momentum},
       {"dampening", &SGDOptions::dampening},
       {"weight_decay", &SGDOptions::weight_decay}}};
  static constexpr std::size_t coefficients = 4;
  static constexpr std::array<std::size_t, 2> moment_counts{0, 1};

  static void check(const SGDOptions& options) {
    check_not_negative(name, "lr", options.lr);
    check_not_negative(name, "momentum", options.momentum);
    check_finite(name, "dampening", options.dampening);
    check_not_negative(name, "weight_decay", options.weight_decay);
    if (options.nesterov && (options.momentum.value() == 0 || options.dampening.value() != 0)) {
      throw ValueError(fmt::format(
          "{}: nesterov needs momentum above 0 and no dampening: got momentum {} and dampening {}", name,
          options.momentum.value(), options.dampening.value()));
    }
  }

  static void each_other(SGDOptions& options, auto&& list) {
    list("nesterov", options.nesterov);
    list("lr_in_velocity", options.lr_in_velocity);
    list("maximize", options.maximize);
  }

  static std::span<const std::string_view> moment_names(const SGDOptions& options) {
    static constexpr std::array<std::string_view, 1> names{"momentum"};
    return std::span(names).first(options.momentum.is_number_zero() ? 0 : 1);
  }

  struct Flags {
    explicit Flags(const SGDOptions& options)
        : decays(!options.weight_decay.is_number_zero()),
          nesterov(options.nesterov),
          lr_in_velocity(options.lr_in_velocity),
          maximize(options.maximize) {}
    void describe(Attributes& a) {
      a("decays", decays, false);
      a("nesterov", nesterov, false);
      a("lr_in_velocity", lr_in_velocity, false);
      a("maximize", maximize, false);
    }

    bool decays, nesterov, lr_in_velocity, maximize;
  };

  /// lr, momentum, gain, weight decay.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const SGDOptions& options, const auto& lr,
                                                     const auto& step) {
    // b starts at 0, so that b = g in the first step takes no more than leaving the dampening out.
    const C gain = chosen(step == 1, coefficient<C>(1), C(1 - coefficient<C>(options.dampening)));
    return {coefficient<C>(lr), coefficient<C>(options.momentum), gain, coefficient<C>(options.weight_decay)};
  }

  template <class C>
  using Formula = SgdFormula<C>;
};

namespace {

const core::TextFamily texts(step_texts<RuleOf<SGDOptions>>());

}  // namespace
}  // namespace detail

template class OptimizerOf<SGDOptions>;
SGD::SGD(std::vector<nn::ParameterRef> parameters, const SGDOptions& options)
    : OptimizerOf(std::move(parameters), options) {}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const SGDOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
