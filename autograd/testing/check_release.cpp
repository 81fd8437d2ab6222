// What stays alive.
#include <fmt/format.h>

#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/testing/subject.h"

namespace xtgrad::inline v1::detail::checks {
namespace {

void use(const Subject& subject) {
  const Dtype dtype = subject.floating_dtypes().back();
  const std::vector<Tensor> inputs = subject.tensors(subject.point(dtype), dtype, true);
  const std::vector<Tensor> outputs = subject.apply(inputs);
  if (recorded_of(outputs).empty()) return;
  Random random = subject.random();
  const std::vector<Values> cotangents = draw_cotangents(outputs, 0.4, 2, Signs::both, random);
  const std::vector<Tensor> wanted = subject.differentiable_of(inputs);
  for (const bool create_graph : {false, true})
    static_cast<void>(subject.gradients(inputs, wanted, cotangents, create_graph));
}

}  // namespace

void check_release(Subject& subject) {
  use(subject);  // what is made once and kept, such as a table, is not a leak
  const std::int64_t before = pool_stats().live_blocks;
  use(subject);
  const std::int64_t after = pool_stats().live_blocks;
  if (after != before) subject.fail(fmt::format("{} blocks stay alive", after - before));
}

}  // namespace xtgrad::v1::detail::checks
