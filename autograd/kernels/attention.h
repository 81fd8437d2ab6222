#pragma once

#include <cstdint>
#include <limits>

#include "xtgrad/autograd/core/array.h"

namespace xtgrad::inline v1::detail {

// Attention, block by block of the scores, which are never stored as a whole: a softmax over blocks of keys
// that brings its sums along (Dao et al., "FlashAttention", 2022). How work is cut follows from the sizes
// alone, and with it all bits.

/// Arrays of one floating dtype, [..., L, d], [..., S, d] and [..., S, e], whose leading dimensions broadcast
/// to those of the result [..., L, e]. The mask [..., L or 1, S or 1] is bool, or of that dtype; without a
/// buffer for none.
struct AttentionOperands {
  Array q, k, v, mask;
  Shape result;
};

struct AttentionRule {
  double scale = 1;
  bool is_causal = false;
};

/// The result y, and what the derivatives need of each row of scores: float64 [2, rows], the largest one and
/// the sum of exp(score - largest), -inf and 0 where all keys are hidden.
void attention(const AttentionOperands& in, const AttentionRule& rule, Array& scales, Array& y);

/// Where the gradients go, as many elements as if the operands had all leading dimensions of the result; null
/// for those not wanted.
struct AttentionGrads {
  Array* q;
  Array* k;
  Array* v;
};

/// The derivatives of y with the cotangent g. `v` and `y` are read for those of q and k alone.
void attention_grad(const AttentionOperands& in, const AttentionRule& rule, const Array& g, const Array& y,
                    const Array& scales, const AttentionGrads& out);

}  // namespace xtgrad::v1::detail
