#include <doctest/doctest.h>
#include <sys/resource.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

TEST_CASE("ten million chained nodes on a stack of 8 MB, at most 216 bytes a node") {
  rlimit stack{};
  REQUIRE(getrlimit(RLIMIT_STACK, &stack) == 0);
  CHECK(stack.rlim_cur <= rlim_t{8} << 20);  // else the test would prove less than it says
  constexpr std::int64_t nodes = 10'000'000;
  const detail::PoolStats at_start = detail::pool_stats();
  Tensor x = full({}, 0.5, {.requires_grad = true});
  Tensor y = x;
  for (std::int64_t i = 0; i < nodes / 2; ++i) y = tanh(y * 1.01);
  const detail::PoolStats built = detail::pool_stats();
  const std::int64_t bytes_a_node = (built.live_bytes - at_start.live_bytes) / nodes;
  MESSAGE(bytes_a_node, " bytes a node");
  CHECK(bytes_a_node <= 216);
  y.backward();
  CHECK(x.grad().defined());
  y = Tensor();
  const detail::PoolStats freed = detail::pool_stats();
  // What the pool took from the system in all, sweep included, and what is still in use: the leaf (node,
  // buffer, and two blocks of state) and its gradient.
  CHECK(freed.reserved_bytes - at_start.reserved_bytes <= 220 * nodes);
  CHECK(freed.live_blocks - at_start.live_blocks == 6);
}
