#pragma once

#include "xtgrad/autograd/formulas/binary.h"
#include "xtgrad/autograd/ops/elementwise.h"
#include "xtgrad/autograd/ops/shape.h"

namespace xtgrad::inline v1::detail {

/// a + b; here, and not with its family, because sweeps run it on sums of cotangents as well.
struct Add final : Elementwise<Add, formulas::Add, OpId::add, 2, true> {
  // The cotangent itself goes to both sides: no pass over memory unless a side was broadcast.
  void vjp(VjpContext& context) const override {
    if (context.wanted(0)) context.set(0, summed_to(context.g(), context.shape(0)));
    if (context.wanted(1)) context.set(1, summed_to(context.g(), context.shape(1)));
  }
};

}  // namespace xtgrad::v1::detail
