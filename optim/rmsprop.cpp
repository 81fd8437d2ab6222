#include "xtgrad/optim/rmsprop.h"

#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "xtgrad/optim/rule.h"

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
  struct Formula {
    Formula(const std::array<C, coefficients>& numbers, const Flags& chosen)
        : lr(numbers[0]),
          alpha(numbers[1]),
          eps(numbers[2]),
          momentum(numbers[3]),
          downhill{numbers[4], chosen.has_penalty, chosen.maximize},
          flags(chosen) {}

    auto mean(const auto& before, const auto& x) const { return alpha * before + (1 - alpha) * x; }
    /// `v` may be less than 0 by its rounding.
    auto divisor(const auto& v) const {
      return flags.eps_inside ? root(maximum(v, 0) + eps) : root(maximum(v, 0)) + eps;
    }

    auto operator()(const auto& p, const auto& g, const auto& v) const {
      const auto d = downhill(p, g);
      const auto next_v = mean(v, square(d));
      return std::tuple(p - lr * d / divisor(next_v), next_v);
    }

    /// The third is the mean, or the momentum.
    auto operator()(const auto& p, const auto& g, const auto& v, const auto& other) const {
      const auto d = downhill(p, g);
      const auto next_v = mean(v, square(d));
      if (flags.centered) {
        const auto next_mean = mean(other, d);
        return std::tuple(p - lr * d / divisor(next_v - square(next_mean)), next_v, next_mean);
      }
      const auto next_b = momentum * other + d / divisor(next_v);
      return std::tuple(p - lr * next_b, next_v, next_b);
    }

    auto operator()(const auto& p, const auto& g, const auto& v, const auto& a, const auto& b) const {
      const auto d = downhill(p, g);
      const auto next_v = mean(v, square(d));
      const auto next_mean = mean(a, d);
      const auto next_b = momentum * b + d / divisor(next_v - square(next_mean));
      return std::tuple(p - lr * next_b, next_v, next_mean, next_b);
    }

    C lr, alpha, eps, momentum;
    Downhill<C> downhill;
    Flags flags;
  };
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
