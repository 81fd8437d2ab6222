#pragma once

#include <array>
#include <cmath>
#include <vector>

#include "tests/support/values.h"

namespace xtgrad::inline v1::testing {

// Textbook updates of one number in long double, written from the formulas in the classes' documentation and
// none of the library's code.

struct ReferenceState {
  int t = 0;
  Real momentum = 0;
  Real m = 0;
  Real v = 0;
  Real v_max = 0;
};

struct ReferenceSGD {
  Real momentum = 0;
  Real dampening = 0;
  Real weight_decay = 0;
  bool nesterov = false;
  bool lr_in_velocity = false;
  bool maximize = false;

  [[nodiscard]] Real step(Real p, Real g, Real lr, ReferenceState& s) const {
    if (maximize) g = -g;
    g += weight_decay * p;
    ++s.t;
    if (momentum == 0) return p - lr * g;
    const Real pull = lr_in_velocity ? lr * g : g;
    s.momentum = s.t == 1 ? pull : momentum * s.momentum + (1 - dampening) * pull;
    const Real move = nesterov ? pull + momentum * s.momentum : s.momentum;
    return lr_in_velocity ? p - move : p - lr * move;
  }
};

struct ReferenceAdam {
  Real beta1 = 0.9;
  Real beta2 = 0.999;
  Real eps = 1e-8;
  Real weight_decay = 0;
  bool decoupled = false;
  bool amsgrad = false;
  bool maximize = false;

  [[nodiscard]] Real step(Real p, Real g, Real lr, ReferenceState& s) const {
    if (maximize) g = -g;
    if (decoupled) {
      p *= 1 - lr * weight_decay;
    } else {
      g += weight_decay * p;
    }
    ++s.t;
    s.m = beta1 * s.m + (1 - beta1) * g;
    s.v = beta2 * s.v + (1 - beta2) * g * g;
    s.v_max = std::max(s.v_max, s.v);
    const Real denominator =
        std::sqrt(amsgrad ? s.v_max : s.v) / std::sqrt(1 - std::pow(beta2, Real(s.t))) + eps;
    return p - lr / (1 - std::pow(beta1, Real(s.t))) * (s.m / denominator);
  }
};

/// A learning rate that changes in every step: the two kinds of momentum differ by nothing else.
inline double changing_lr(int step) { return 0.05 * (1 + 0.8 * std::sin(0.7 * step)) / (1 + 0.02 * step); }

}  // namespace xtgrad::testing
