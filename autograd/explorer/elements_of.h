#pragma once

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// f(span of the elements), in their own type.
template <class F>
auto with_elements(const Tensor& tensor, const F& f) {
  switch (tensor.dtype()) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  case Dtype::name:                                         \
    return f(tensor.data<Storage>());
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  throw InternalError("explorer_page: a tensor of no dtype");
}

}  // namespace xtgrad::v1::detail
