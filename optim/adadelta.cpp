#include "xtgrad/optim/adadelta.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"

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
  struct Formula {
    Formula(const std::array<C, coefficients>& numbers, const Flags& flags)
        : lr(numbers[0]),
          rho(numbers[1]),
          eps(numbers[2]),
          downhill{numbers[3], flags.has_penalty, flags.maximize} {}

    auto operator()(const auto& p, const auto& g, const auto& v, const auto& u) const {
      const auto d = downhill(p, g);
      const auto next_v = rho * v + (1 - rho) * square(d);
      const auto change = root(u + eps) / root(next_v + eps) * d;
      const auto next_u = rho * u + (1 - rho) * square(change);
      return std::tuple(p - lr * change, next_v, next_u);
    }

    C lr, rho, eps;
    Downhill<C> downhill;
  };
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
