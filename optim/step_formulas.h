// The optimizers' updates as formulas: of parameter, gradient and moments their next values, in one pass over
// lanes or recorded on tensors. C is the type of the coefficients: double on lanes, Hyper on tensors.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>

namespace xtgrad::inline v1::optim::detail {

/// The number behind a coefficient, for a formula's branches.
double value_of(double x);

/// What most formulas begin with: the gradient downhill, with the one of an L2 penalty.
template <class C>
struct Downhill {
  C penalty;
  bool has_penalty;
  bool maximize;

  auto operator()(const auto& p, const auto& g) const {
    const auto downhill = maximize ? -g : g;
    return has_penalty ? downhill + penalty * p : downhill;
  }
};

/// The square root, with derivative 0 at 0: an element whose gradients were all 0 would get inf * 0 = NaN.
auto root(const auto& v) { return where(v == 0, 0, sqrt(where(v == 0, 1, v))); }

/// A mean that forgets: `rate` of what it was, and the rest of the next value.
auto mean_of(const auto& rate, const auto& before, const auto& next) {
  return rate * before + (1 - rate) * next;
}

template <class C>
struct SgdFormula {
  template <std::size_t N>
  SgdFormula(const std::array<C, N>& numbers, const auto& chosen)
      : lr(numbers[0]),
        momentum(numbers[1]),
        gain(numbers[2]),
        downhill{numbers[3], chosen.decays, chosen.maximize},
        nesterov(chosen.nesterov),
        lr_in_velocity(chosen.lr_in_velocity) {}

  auto operator()(const auto& p, const auto& g) const { return std::tuple(p - lr * downhill(p, g)); }

  auto operator()(const auto& p, const auto& g, const auto& b) const {
    const auto d = downhill(p, g);
    const auto pull = lr_in_velocity ? lr * d : d;
    const auto velocity = momentum * b + gain * pull;
    const auto move = nesterov ? pull + momentum * velocity : velocity;
    return std::tuple(lr_in_velocity ? p - move : p - lr * move, velocity);
  }

  C lr, momentum, gain;
  Downhill<C> downhill;
  bool nesterov, lr_in_velocity;
};

template <class C>
struct AdagradFormula {
  template <std::size_t N>
  AdagradFormula(const std::array<C, N>& numbers, const auto& flags)
      : rate(numbers[0]),
        eps(numbers[1]),
        start(numbers[2]),
        downhill{numbers[3], flags.has_penalty, flags.maximize} {}

  auto operator()(const auto& p, const auto& g, const auto& s) const {
    const auto d = downhill(p, g);
    const auto next_s = s + start + square(d);
    return std::tuple(p - rate * d / (root(next_s) + eps), next_s);
  }

  C rate, eps, start;
  Downhill<C> downhill;
};

template <class C>
struct AdadeltaFormula {
  template <std::size_t N>
  AdadeltaFormula(const std::array<C, N>& numbers, const auto& flags)
      : lr(numbers[0]),
        rho(numbers[1]),
        eps(numbers[2]),
        downhill{numbers[3], flags.has_penalty, flags.maximize} {}

  auto operator()(const auto& p, const auto& g, const auto& v, const auto& u) const {
    const auto d = downhill(p, g);
    const auto next_v = mean_of(rho, v, square(d));
    const auto change = root(u + eps) / root(next_v + eps) * d;
    const auto next_u = mean_of(rho, u, square(change));
    return std::tuple(p - lr * change, next_v, next_u);
  }

  C lr, rho, eps;
  Downhill<C> downhill;
};

template <class C>
struct RMSpropFormula {
  template <std::size_t N>
  RMSpropFormula(const std::array<C, N>& numbers, const auto& chosen)
      : lr(numbers[0]),
        alpha(numbers[1]),
        eps(numbers[2]),
        momentum(numbers[3]),
        downhill{numbers[4], chosen.has_penalty, chosen.maximize},
        centered(chosen.centered),
        eps_inside(chosen.eps_inside) {}

  auto mean(const auto& before, const auto& x) const { return mean_of(alpha, before, x); }
  /// `v` may be less than 0 by its rounding.
  auto divisor(const auto& v) const {
    return eps_inside ? root(maximum(v, 0) + eps) : root(maximum(v, 0)) + eps;
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
    if (centered) {
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
  bool centered, eps_inside;
};

template <class C>
struct AdamFormula {
  template <std::size_t N>
  AdamFormula(const std::array<C, N>& numbers, const auto& flags)
      : beta1(numbers[0]),
        beta2(numbers[1]),
        rate(numbers[2]),
        eps(numbers[3]),
        downhill{numbers[4], flags.has_penalty, flags.maximize},
        shrink(numbers[5]),
        shrinks(flags.shrinks) {}

  auto moved(const auto& p, const auto& m, const auto& v) const {
    const auto move = rate * m / (root(v) + eps);
    return shrinks ? shrink * p - move : p - move;
  }

  auto operator()(const auto& p, const auto& g, const auto& m, const auto& v) const {
    const auto d = downhill(p, g);
    const auto next_m = mean_of(beta1, m, d);
    const auto next_v = mean_of(beta2, v, square(d));
    return std::tuple(moved(p, next_m, next_v), next_m, next_v);
  }

  auto operator()(const auto& p, const auto& g, const auto& m, const auto& v, const auto& v_max) const {
    const auto d = downhill(p, g);
    const auto next_m = mean_of(beta1, m, d);
    const auto next_v = mean_of(beta2, v, square(d));
    const auto next_v_max = maximum(v_max, next_v);
    return std::tuple(moved(p, next_m, next_v_max), next_m, next_v, next_v_max);
  }

  C beta1, beta2, rate, eps;
  Downhill<C> downhill;
  C shrink;
  bool shrinks;
};

template <class C>
struct AdamaxFormula {
  template <std::size_t N>
  AdamaxFormula(const std::array<C, N>& numbers, const auto& flags)
      : rate(numbers[0]),
        beta1(numbers[1]),
        beta2(numbers[2]),
        eps(numbers[3]),
        downhill{numbers[4], flags.has_penalty, flags.maximize} {}

  auto operator()(const auto& p, const auto& g, const auto& m, const auto& u) const {
    const auto d = downhill(p, g);
    const auto next_m = mean_of(beta1, m, d);
    const auto next_u = maximum(beta2 * u, abs(d) + eps);
    // Where all gradients were 0, and eps is, there is no direction.
    return std::tuple(p - rate * next_m / where(next_u == 0, 1, next_u), next_m, next_u);
  }

  C rate, beta1, beta2, eps;
  Downhill<C> downhill;
};

template <class C>
struct NAdamFormula {
  template <std::size_t N>
  NAdamFormula(const std::array<C, N>& numbers, const auto& flags)
      : beta1(numbers[0]),
        beta2(numbers[1]),
        rate_of_g(numbers[2]),
        rate_of_m(numbers[3]),
        eps(numbers[4]),
        downhill{numbers[5], flags.has_penalty, flags.maximize},
        shrink(numbers[6]),
        shrinks(flags.shrinks) {}

  auto operator()(const auto& p, const auto& g, const auto& m, const auto& v) const {
    const auto d = downhill(p, g);
    const auto next_m = mean_of(beta1, m, d);
    const auto next_v = mean_of(beta2, v, square(d));
    const auto move = (rate_of_g * d + rate_of_m * next_m) / (root(next_v) + eps);
    return std::tuple(shrinks ? shrink * p - move : p - move, next_m, next_v);
  }

  C beta1, beta2, rate_of_g, rate_of_m, eps;
  Downhill<C> downhill;
  C shrink;
  bool shrinks;
};

template <class C>
struct RAdamFormula {
  template <std::size_t N>
  RAdamFormula(const std::array<C, N>& numbers, const auto& flags)
      : beta1(numbers[0]),
        beta2(numbers[1]),
        rate(numbers[2]),
        adapts(value_of(numbers[3]) != 0),
        eps(numbers[4]),
        downhill{numbers[5], flags.has_penalty, flags.maximize},
        shrink(numbers[6]),
        shrinks(flags.shrinks) {}

  auto operator()(const auto& p, const auto& g, const auto& m, const auto& v) const {
    const auto d = downhill(p, g);
    const auto next_m = mean_of(beta1, m, d);
    const auto next_v = mean_of(beta2, v, square(d));
    // Not 0 times the root, which may be infinite.
    const auto move = adapts ? rate * next_m / (root(next_v) + eps) : rate * next_m;
    return std::tuple(shrinks ? shrink * p - move : p - move, next_m, next_v);
  }

  C beta1, beta2, rate;
  bool adapts;
  C eps;
  Downhill<C> downhill;
  C shrink;
  bool shrinks;
};

template <class C>
struct LionFormula {
  template <std::size_t N>
  LionFormula(const std::array<C, N>& numbers, const auto& chosen)
      : lr(numbers[0]),
        beta1(numbers[1]),
        beta2(numbers[2]),
        shrink(numbers[3]),
        shrinks(chosen.shrinks),
        maximize(chosen.maximize) {}

  auto operator()(const auto& p, const auto& g, const auto& m) const {
    const auto d = maximize ? -g : g;
    const auto direction = sign(mean_of(beta1, m, d));
    const auto kept = shrinks ? shrink * p : p;
    return std::tuple(kept - lr * direction, mean_of(beta2, m, d));
  }

  C lr, beta1, beta2, shrink;
  bool shrinks, maximize;
};

template <class C>
struct RpropFormula {
  template <std::size_t N>
  RpropFormula(const std::array<C, N>& numbers, const auto& chosen)
      : start(numbers[0]),
        eta_minus(numbers[1]),
        eta_plus(numbers[2]),
        min_step(chosen.min_step),
        max_step(chosen.max_step),
        maximize(chosen.maximize) {}

  auto operator()(const auto& p, const auto& g, const auto& previous, const auto& size) const {
    const auto d = maximize ? -g : g;
    const auto now = size + start;
    const auto agreement = d * previous;
    const auto scaled = where(agreement > 0, eta_plus * now, where(agreement < 0, eta_minus * now, now));
    const auto next_size = minimum(maximum(scaled, min_step), max_step);
    const auto used = where(agreement < 0, 0, d);
    return std::tuple(p - next_size * sign(used), used, next_size);
  }

  C start, eta_minus, eta_plus;
  double min_step, max_step;
  bool maximize;
};

template <class C>
struct ASGDFormula {
  template <std::size_t N>
  ASGDFormula(const std::array<C, N>& numbers, const auto& flags)
      : eta(numbers[0]),
        shrink(numbers[1]),
        mu(numbers[2]),
        rest(numbers[3]),
        downhill{numbers[4], flags.has_penalty, flags.maximize} {}

  auto operator()(const auto& p, const auto& g, const auto& average) const {
    const auto next = shrink * p - eta * downhill(p, g);
    return std::tuple(next, rest * average + mu * next);
  }

  C eta, shrink, mu, rest;
  Downhill<C> downhill;
};

}  // namespace xtgrad::v1::optim::detail
