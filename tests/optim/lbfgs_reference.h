#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "tests/support/values.h"

namespace xtgrad::inline v1::testing {

// L-BFGS with a strong Wolfe search in plain loops and long double: a matrix H where the library has two
// loops, and a search over arrays. None of the library's code.

using RealVector = std::vector<Real>;

inline Real dot(const RealVector& a, const RealVector& b) {
  Real total = 0;
  for (std::size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

/// The loss at x; sets the gradient.
using ReferenceLoss = std::function<Real(const RealVector& x, RealVector& gradient)>;

struct ReferencePoint {
  Real t = 0, loss = 0, slope = 0;
  RealVector gradient = {};
};

inline Real reference_cubic(const ReferencePoint& p, const ReferencePoint& q, Real low, Real high) {
  const ReferencePoint& a = p.t <= q.t ? p : q;
  const ReferencePoint& b = p.t <= q.t ? q : p;
  const Real d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const Real square = d1 * d1 - a.slope * b.slope;
  if (square < 0) return (low + high) / 2;
  const Real d2 = std::sqrt(square);
  const Real place = b.t - (b.t - a.t) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
  return std::min(std::max(place, low), high);
}

/// The accepted point.
inline ReferencePoint reference_search(const std::function<ReferencePoint(Real)>& at,
                                       const ReferencePoint& start, Real first, Real size, Real tolerance) {
  const auto armijo = [&](const ReferencePoint& p) {
    return p.loss <= start.loss + 1e-4L * p.t * start.slope;
  };
  const auto flat = [&](const ReferencePoint& p) {
    return std::abs(p.slope) <= 0.9L * std::abs(start.slope);
  };
  ReferencePoint ends[2] = {start, at(first)};
  int count = 0;
  for (;; ++count) {
    if (count == 25) return armijo(ends[1]) ? ends[1] : ends[0];
    if (!armijo(ends[1]) || (count > 1 && ends[1].loss >= ends[0].loss)) break;
    if (flat(ends[1])) return ends[1];
    if (ends[1].slope >= 0) break;
    const Real t =
        reference_cubic(ends[0], ends[1], ends[1].t + 0.01L * (ends[1].t - ends[0].t), 10 * ends[1].t);
    ends[0] = ends[1];
    ends[1] = at(t);
  }
  int low = armijo(ends[1]) && ends[1].loss < ends[0].loss ? 1 : 0;
  bool was_close = false;
  for (; count < 25; ++count) {
    const Real left = std::min(ends[0].t, ends[1].t), right = std::max(ends[0].t, ends[1].t);
    if ((right - left) * size < tolerance) break;
    Real t = reference_cubic(ends[0], ends[1], left, right);
    const Real margin = (right - left) / 10;
    if (std::min(right - t, t - left) < margin) {
      if (was_close || t >= right || t <= left) {
        t = right - t < t - left ? right - margin : left + margin;
        was_close = false;
      } else {
        was_close = true;
      }
    } else {
      was_close = false;
    }
    const ReferencePoint next = at(t);
    if (!armijo(next) || next.loss >= ends[low].loss) {
      ends[1 - low] = next;
    } else {
      if (flat(next)) return next;
      if (next.slope * (ends[1 - low].t - ends[low].t) >= 0) ends[1 - low] = ends[low];
      ends[low] = next;
    }
  }
  return ends[low];
}

struct ReferenceLBFGS {
  ReferenceLoss loss;
  Real lr = 1;
  bool searches = false;
  std::size_t history = 100;
  Real tolerance_change = 1e-9L;
  /// What a parameter that is set to x[i] holds; by default x[i].
  std::function<Real(std::size_t i, Real value)> held = [](std::size_t, Real value) { return value; };

  RealVector x;
  RealVector gradient = {}, move = {};                       // of the last iteration
  std::deque<std::pair<RealVector, RealVector>> pairs = {};  // s, y
  int evaluations = 0;

  /// H, built up from its definition: H = (I - rho s y') H (I - rho y s') + rho s s'.
  [[nodiscard]] std::vector<RealVector> inverse_hessian() const {
    const std::size_t n = x.size();
    std::vector<RealVector> h(n, RealVector(n));
    Real scale = 1;
    if (!pairs.empty())
      scale = dot(pairs.back().first, pairs.back().second) / dot(pairs.back().second, pairs.back().second);
    for (std::size_t i = 0; i < n; ++i) h[i][i] = scale;
    for (const auto& [s, y] : pairs) {
      const Real rho = 1 / dot(s, y);
      RealVector hy(n);
      for (std::size_t i = 0; i < n; ++i) hy[i] = dot(h[i], y);
      const Real bend = rho * rho * dot(y, hy) + rho;
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j)
          h[i][j] += bend * s[i] * s[j] - rho * (hy[i] * s[j] + s[i] * hy[j]);
      }
    }
    return h;
  }

  /// Returns the length of the move.
  Real iterate() {
    const std::size_t n = x.size();
    ReferencePoint start;
    start.loss = loss(x, start.gradient);
    ++evaluations;
    const bool is_first = gradient.empty();
    if (!is_first) {
      RealVector y(n);
      for (std::size_t i = 0; i < n; ++i) y[i] = start.gradient[i] - gradient[i];
      if (dot(move, y) > 1e-10L) pairs.emplace_back(move, y);
      if (pairs.size() > history) pairs.pop_front();
    }
    const std::vector<RealVector> h = inverse_hessian();
    RealVector d(n);
    Real sum = 0, size = 0;
    for (std::size_t i = 0; i < n; ++i) {
      d[i] = -dot(h[i], start.gradient);
      sum += std::abs(start.gradient[i]);
      size = std::max(size, std::abs(d[i]));
    }
    start.slope = dot(start.gradient, d);
    Real t = is_first ? std::min<Real>(1, 1 / sum) * lr : lr;
    if (searches) {
      const auto at = [&](Real length) {
        ReferencePoint point{length};
        RealVector there(n);
        for (std::size_t i = 0; i < n; ++i) there[i] = held(i, x[i] + length * d[i]);
        point.loss = loss(there, point.gradient);
        ++evaluations;
        point.slope = dot(point.gradient, d);
        return point;
      };
      t = reference_search(at, start, t, size, tolerance_change).t;
    }
    gradient = start.gradient;
    move.resize(n);
    for (std::size_t i = 0; i < n; ++i) {
      const Real next = held(i, x[i] + t * d[i]);
      move[i] = next - x[i];
      x[i] = next;
    }
    return t;
  }
};

}  // namespace xtgrad::testing
