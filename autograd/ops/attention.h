#pragma once

#include "xtgrad/autograd/functions/attention.h"

namespace xtgrad::inline v1::detail {

/// softmax(q k' scale + mask) [..., L, S], what `scaled_dot_product_attention` multiplies v by, as a tensor
/// of its own; 0 for a query that may look at no key. Of `options` all but `enable_gqa` count.
Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& options);

}  // namespace xtgrad::v1::detail
