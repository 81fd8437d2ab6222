#pragma once

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scalar.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// f(x) where `mask` is true, else `other`, with finite derivatives of every order even where f has none off
/// the mask: f sees `harmless` there. Use it for sqrt at 0, log at 0, division by 0:
/// `where_safe(x > 0, x, [](const Tensor& t) { return sqrt(t); }, 0)`.
[[nodiscard]] Tensor where_safe(const Tensor& mask, const Tensor& x, const Callable<Tensor(const Tensor&)>& f,
                                Scalar other, Scalar harmless = 1);

}}  // namespace xtgrad::v1
