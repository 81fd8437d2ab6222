#pragma once

#include "xtgrad/autograd/formulas/norm.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// factor * value, which broadcast; 0 where a factor of 0 meets an infinity, where a product is NaN: what has
/// no weight in a loss has no share in it. The derivative in such a factor is 0, too.
Tensor weighted(const Tensor& factor, const Tensor& value);

inline Tensor formulas::Weighted::operator()(const Tensor& f, const Tensor& v) const {
  return weighted(f, v);
}

}  // namespace xtgrad::v1::detail
