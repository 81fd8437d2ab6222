// The walk's numerical check: derivatives of orders 1 to 3, in the inputs and in the cotangent, with random
// directions.
#include <fmt/format.h>

#include "tests/autograd/ops/op_walk.h"
#include "xtgrad/autograd/check_grads.h"

namespace xtgrad::testing {

CheckGradsReport check_sample(const Op& op, const Sample& sample, int order) {
  Random random = random_for(op, Check::derivatives);
  const std::vector<Tensor> inputs =
      make_inputs(sample, draw_inputs(sample, float64, random), float64, false);
  const auto f = [&](std::span<const Tensor> x) { return std::vector<Tensor>{sample.apply(x)}; };
  return check_grads(f, inputs,
                     {.order = order,
                      .seed = seed_of(op),
                      .name = fmt::format("{}({})", detail::to_string(op.id), sample.attributes)});
}

void check_derivatives(const Op& op, Findings& findings) {
  if (op.kind == Kind::constant) return;
  constexpr int order = 3;
  for (const Sample& sample : op.samples) {
    if (!sample.derivatives) continue;
    const CheckGradsReport report = check_sample(op, sample, order);
    if (!report.ok()) findings.add(sample, report.message);
  }
}

}  // namespace xtgrad::testing
