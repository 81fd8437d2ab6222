#pragma once

#include <algorithm>
#include <cmath>

#include "tests/support/values.h"

namespace xtgrad::testing {

// Textbook updates of one number in long double, written from the formulas in the classes' documentation and
// none of the library's code. Each keeps the state of its number.

struct AdagradReference {
  Real lr_decay = 0, weight_decay = 0, start = 0, eps = 1e-10L;
  bool maximize = false;
  int t = 0;
  Real s = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    g += weight_decay * p;
    if (++t == 1) s = start;
    s += g * g;
    return p - lr / (1 + (t - 1) * lr_decay) * g / (std::sqrt(s) + eps);
  }
};

struct RMSPropReference {
  Real alpha = 0.99L, eps = 1e-8L, weight_decay = 0, momentum = 0;
  bool centered = false, eps_inside = false, maximize = false;
  Real v = 0, a = 0, b = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    g += weight_decay * p;
    v = alpha * v + (1 - alpha) * g * g;
    a = alpha * a + (1 - alpha) * g;
    const Real variance = centered ? v - a * a : v;
    const Real divisor = eps_inside ? std::sqrt(variance + eps) : std::sqrt(variance) + eps;
    if (momentum == 0) return p - lr * g / divisor;
    b = momentum * b + g / divisor;
    return p - lr * b;
  }
};

struct AdadeltaReference {
  Real rho = 0.9L, eps = 1e-6L, weight_decay = 0;
  bool maximize = false;
  Real v = 0, u = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    g += weight_decay * p;
    v = rho * v + (1 - rho) * g * g;
    const Real change = std::sqrt(u + eps) / std::sqrt(v + eps) * g;
    u = rho * u + (1 - rho) * change * change;
    return p - lr * change;
  }
};

struct AdamaxReference {
  Real beta1 = 0.9L, beta2 = 0.999L, eps = 1e-8L, weight_decay = 0;
  bool maximize = false;
  int t = 0;
  Real m = 0, u = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    g += weight_decay * p;
    ++t;
    m = beta1 * m + (1 - beta1) * g;
    u = std::max(beta2 * u, std::abs(g) + eps);
    return p - lr / (1 - std::pow(beta1, Real(t))) * m / u;
  }
};

struct NAdamReference {
  Real beta1 = 0.9L, beta2 = 0.999L, eps = 1e-8L, weight_decay = 0, psi = 4e-3L;
  bool decoupled = false, maximize = false;
  int t = 0;
  Real m = 0, v = 0, product = 1;

  [[nodiscard]] Real mu(int s) const { return beta1 * (1 - std::pow(0.96L, s * psi) / 2); }

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    if (decoupled) p *= 1 - lr * weight_decay;
    if (!decoupled) g += weight_decay * p;
    ++t;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    product *= mu(t);
    const Real divisor = std::sqrt(v / (1 - std::pow(beta2, Real(t)))) + eps;
    const Real next = mu(t + 1);
    return p - lr * ((1 - mu(t)) / (1 - product) * g + next / (1 - product * next) * m) / divisor;
  }
};

struct RAdamReference {
  Real beta1 = 0.9L, beta2 = 0.999L, eps = 1e-8L, weight_decay = 0;
  bool decoupled = false, maximize = false;
  int t = 0;
  Real m = 0, v = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    if (decoupled) p *= 1 - lr * weight_decay;
    if (!decoupled) g += weight_decay * p;
    ++t;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const Real power = std::pow(beta2, Real(t));
    const Real n = 2 / (1 - beta2) - 1;
    const Real n_t = n - 2 * t * power / (1 - power);
    const Real mean = m / (1 - std::pow(beta1, Real(t)));
    if (n_t <= 5) return p - lr * mean;
    const Real r = std::sqrt((n_t - 4) * (n_t - 2) * n / ((n - 4) * (n - 2) * n_t));
    return p - lr * mean * r * std::sqrt(1 - power) / (std::sqrt(v) + eps);
  }
};

struct RpropReference {
  Real eta_minus = 0.5L, eta_plus = 1.2L, min_step = 1e-6L, max_step = 50;
  bool maximize = false;
  int t = 0;
  Real previous = 0, size = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    if (++t == 1) size = lr;
    if (g * previous > 0) size *= eta_plus;
    if (g * previous < 0) {
      size *= eta_minus;
      g = 0;
    }
    size = std::clamp(size, min_step, max_step);
    previous = g;
    return p - size * Real((g > 0) - (g < 0));
  }
};

struct ASGDReference {
  Real decay = 1e-4L, alpha = 0.75L, t0 = 1e6L, weight_decay = 0;
  bool maximize = false;
  int t = 0;
  Real average = 0, eta = 0, mu = 1;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    if (++t == 1) eta = lr;
    g += weight_decay * p;
    p *= 1 - decay * eta;
    p -= eta * g;
    average = mu == 1 ? p : average + mu * (p - average);
    eta = lr / std::pow(1 + decay * lr * t, alpha);
    mu = 1 / std::max(Real(1), t - t0);
    return p;
  }
};

struct LionReference {
  Real beta1 = 0.9L, beta2 = 0.99L, weight_decay = 0;
  bool maximize = false;
  Real m = 0;

  Real step(Real p, Real g, Real lr) {
    if (maximize) g = -g;
    const Real c = beta1 * m + (1 - beta1) * g;
    m = beta2 * m + (1 - beta2) * g;
    return p - lr * (Real((c > 0) - (c < 0)) + weight_decay * p);
  }
};

}  // namespace xtgrad::testing
