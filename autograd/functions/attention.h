// Attention.
#pragma once

#include <optional>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

struct AttentionOptions {
  /// Broadcasts to the scores [..., L, S]: bool, true where a query may look at a key, or of q's dtype and
  /// added to the scores.
  std::optional<Tensor> mask = std::nullopt;
  bool is_causal = false;                      ///< query i may look at keys 0 to i alone
  std::optional<double> scale = std::nullopt;  ///< of the scores; 1 / sqrt(d) if absent
  bool enable_gqa = false;                     ///< several heads of q may share one of k and v
};

/// softmax(q k' scale + mask) v along the keys: q is [..., L, d], k [..., S, d], v [..., S, e], the result
/// [..., L, e]. Leading dimensions, heads among them, broadcast; with `enable_gqa` dimension -3 of k and v
/// divides that of q, whose neighbouring heads then share one. Neither the value nor the first derivatives
/// ever hold more than a block of the [..., L, S] scores, but for that of a mask that wants a gradient;
/// derivatives of higher orders hold them all. A mask and `is_causal` hide what either does. A query that may
/// look at no key gets 0, and has the gradient 0; it gives none to the keys. Throws ShapeError or DtypeError
/// where the operands do not fit, ValueError for a scale that is not finite. (Vaswani et al., 2017; Dao et
/// al., 2022)
[[nodiscard]] Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                                  const AttentionOptions& options = {});

}}  // namespace xtgrad::v1
