// Samples of converting.
#include "tests/support/op_samples.h"
#include "xtgrad/autograd/creation.h"

namespace xtgrad::inline v1::testing { namespace {

constexpr double inf = infinity;
constexpr double nan = not_a_number;

Dtype to_the_other(Dtype dtype) { return dtype == float32 ? float64 : float32; }

const OpSamples cast_samples(OpId::cast, [](Op& op) {
  op.accuracy = {.ulps = correctly_rounded};
  op.accepts = Accepts::everything;
  // Its argument is converted to the other dtype: a conversion to its own makes no node.
  op.elementwise({.attributes = "to the other",
                  .apply = [](const Tensor& x) { return x.to(to_the_other(x.dtype())); },
                  .reference = [](Real x) { return x; },
                  .points = {{{1e3}, 1e3, {1}, {0}}, {{inf}, inf, {1}, {0}}, {{nan}, nan, {1}, {0}}},
                  .linear_in = {0},
                  .result = to_the_other});
  op.throws<DtypeError>("the value nan does not fit int64", [] { return full({2}, nan).to(int64); });
  op.throws<DtypeError>("the value -inf does not fit int64", [] { return full({2}, -inf).to(int64); });
});

}}  // namespace xtgrad::v1::testing
