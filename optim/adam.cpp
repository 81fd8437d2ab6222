#include "xtgrad/optim/adam.h"

#include <array>
#include <cmath>
#include <type_traits>

#include "xtgrad/optim/rule.h"

namespace xtgrad::inline v1::optim {
namespace detail {
namespace {

// Adam and AdamW have the same options, with other defaults, and differ in where the weights decay.
template <class Options>
constexpr bool is_decoupled = std::is_same_v<Options, AdamWOptions>;

/// Adam's update, and AdamW's.
template <class O>
struct AdamRule : RuleBase {
  using Options = O;
  static constexpr std::string_view name = is_decoupled<O> ? "AdamW" : "Adam";
  static constexpr std::string_view step_name = "adam_step";
  static constexpr std::string_view coefficients_name = "adam_rates";
  static constexpr std::array<NamedHyper<O>, 4> hypers{
      {{"beta1", &O::beta1}, {"beta2", &O::beta2}, {"eps", &O::eps}, {"weight_decay", &O::weight_decay}}};
  static constexpr std::size_t coefficients = 6;
  static constexpr std::array<std::size_t, 2> moment_counts{2, 3};

  static void check(const O& options) {
    check_not_negative(name, "lr", options.lr);
    check_decay_rate(name, "beta1", options.beta1);
    check_decay_rate(name, "beta2", options.beta2);
    check_not_negative(name, "eps", options.eps);
    check_not_negative(name, "weight_decay", options.weight_decay);
  }

  static std::span<const std::string_view> moment_names(const O& options) {
    static constexpr std::array<std::string_view, 3> names{"m", "v", "v_max"};
    return std::span(names).first(options.amsgrad ? 3 : 2);
  }

  struct Flags {
    explicit Flags(const O& options)
        : has_penalty(!is_decoupled<O> && !options.weight_decay.is_number_zero()),
          shrinks(is_decoupled<O> && !options.weight_decay.is_number_zero()),
          maximize(options.maximize) {}
    void describe(Attributes& a) {
      a("has_penalty", has_penalty, false);
      a("shrinks", shrinks, false);
      a("maximize", maximize, false);
    }

    bool has_penalty, shrinks, maximize;
  };

  /// beta1, beta2, rate, eps, penalty, shrink.
  template <class C>
  static std::array<C, coefficients> coefficients_of(const O& options, const Hyper& lr, std::int64_t step) {
    using std::pow;
    using std::sqrt;
    const C beta1 = coefficient<C>(options.beta1), beta2 = coefficient<C>(options.beta2);
    const C rate = coefficient<C>(lr), penalty = coefficient<C>(options.weight_decay);
    const C shrink = 1 - rate * penalty;
    const auto t = static_cast<double>(step);
    // The second correction is put into rate and eps, which saves a division of each element:
    // r m / (sqrt(v) / c + eps) = r c m / (sqrt(v) + c eps).
    const C correction = sqrt(1 - pow(beta2, t));
    return {beta1,   beta2, rate * correction / (1 - pow(beta1, t)), coefficient<C>(options.eps) * correction,
            penalty, shrink};
  }

  template <class C>
  struct Formula {
    Formula(const std::array<C, coefficients>& numbers, const Flags& flags)
        : beta1(numbers[0]),
          beta2(numbers[1]),
          rate(numbers[2]),
          eps(numbers[3]),
          penalty(numbers[4]),
          shrink(numbers[5]),
          has_penalty(flags.has_penalty),
          shrinks(flags.shrinks),
          maximize(flags.maximize) {}

    auto direction(const auto& p, const auto& g) const {
      const auto downhill = maximize ? -g : g;
      return has_penalty ? downhill + penalty * p : downhill;
    }

    auto moved(const auto& p, const auto& m, const auto& v) const {
      const auto move = rate * m / (root(v) + eps);
      return shrinks ? shrink * p - move : p - move;
    }

    auto operator()(const auto& p, const auto& g, const auto& m, const auto& v) const {
      const auto d = direction(p, g);
      const auto next_m = beta1 * m + (1 - beta1) * d;
      const auto next_v = beta2 * v + (1 - beta2) * square(d);
      return std::tuple(moved(p, next_m, next_v), next_m, next_v);
    }

    auto operator()(const auto& p, const auto& g, const auto& m, const auto& v, const auto& v_max) const {
      const auto d = direction(p, g);
      const auto next_m = beta1 * m + (1 - beta1) * d;
      const auto next_v = beta2 * v + (1 - beta2) * square(d);
      const auto next_v_max = maximum(v_max, next_v);
      return std::tuple(moved(p, next_m, next_v_max), next_m, next_v, next_v_max);
    }

    C beta1, beta2, rate, eps, penalty, shrink;
    bool has_penalty, shrinks, maximize;
  };
};

}  // namespace

template <>
struct RuleOf<AdamOptions> : AdamRule<AdamOptions> {};
template <>
struct RuleOf<AdamWOptions> : AdamRule<AdamWOptions> {};

}  // namespace detail

template class OptimizerOf<AdamOptions>;
template class OptimizerOf<AdamWOptions>;

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

Stepped step(const std::vector<Tensor>& parameters, const std::vector<Tensor>& gradients,
             const std::vector<State>& states, const AdamWOptions& options) {
  return detail::step_all(parameters, gradients, states, options);
}

}  // namespace xtgrad::v1::optim
