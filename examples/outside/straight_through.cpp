// The small way: a function of tensors, and a rule.
#include <xtgrad/autograd/custom_vjp.h>
#include <xtgrad/autograd/ops.h>

#include "operations.h"

using namespace xtgrad;

Tensor straight_through(const Tensor& x) {
  return custom_vjp([](const Tensor& v) { return sign(v); },
                    [](const Tensor&, const Tensor&, const Tensor& g) { return g; }, x,
                    {.name = "straight_through"});
}
