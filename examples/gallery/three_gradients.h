#pragma once

#include <cstdint>

#include "xtgrad/autograd/tensor.h"

// The gradient of one loss, in three ways.

namespace gallery {

using namespace xtgrad;

/// A network of one hidden layer, out = tanh(x Uᵀ + c) vᵀ / √h + d, with h hidden neurons, and eight samples
/// for it. Its 5 h + 1 weights U, c, v and d stand in one list w.
struct FitProblem {
  std::int64_t hidden;
  Tensor w;  ///< [5 h + 1]
  Tensor x;  ///< [8, 3]
  Tensor y;  ///< [8, 1]

  [[nodiscard]] FitProblem in(Dtype dtype) const { return {hidden, w.to(dtype), x.to(dtype), y.to(dtype)}; }
};

/// In float64, of numbers that float32 has, too: so both dtypes can have the same problem.
[[nodiscard]] FitProblem make_problem(std::int64_t hidden);

/// C = ½ Σ (out − y)² at the weights w.
[[nodiscard]] Tensor loss(const FitProblem& p, const Tensor& w);

[[nodiscard]] Tensor by_engine(const FitProblem& p);
[[nodiscard]] Tensor by_hand(const FitProblem& p);

/// (C(w + step) − C(w)) / step for each weight; central, (C(w + step) − C(w − step)) / 2 step. Losses are
/// computed in the problem's dtype.
[[nodiscard]] Tensor numerical(const FitProblem& p, double step, bool central);

/// Where what the formula leaves out and what is rounded away are about equal: √ε, and ³√ε for central
/// differences. ε is the distance from 1 to the next number.
[[nodiscard]] double best_step(Dtype dtype, bool central);

}  // namespace gallery
