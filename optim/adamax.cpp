#include "xtgrad/optim/adamax.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"

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
  struct Formula {
    Formula(const std::array<C, coefficients>& numbers, const Flags& flags)
        : rate(numbers[0]),
          beta1(numbers[1]),
          beta2(numbers[2]),
          eps(numbers[3]),
          downhill{numbers[4], flags.has_penalty, flags.maximize} {}

    auto operator()(const auto& p, const auto& g, const auto& m, const auto& u) const {
      const auto d = downhill(p, g);
      const auto next_m = beta1 * m + (1 - beta1) * d;
      const auto next_u = maximum(beta2 * u, abs(d) + eps);
      // Where all gradients were 0, and eps is, there is no direction.
      return std::tuple(p - rate * next_m / where(next_u == 0, 1, next_u), next_m, next_u);
    }

    C rate, beta1, beta2, eps;
    Downhill<C> downhill;
  };
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
