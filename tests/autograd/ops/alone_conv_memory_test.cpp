// Alone, because it counts what the whole process asks of the system.
#include <doctest/doctest.h>

#include "tests/support/thread_count.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

// Under the address sanitizer the pool keeps no such count.
#if !XTGRAD_POOL_PASSES_THROUGH

TEST_CASE("a convolution and its gradients never hold the batch's column matrix") {
  const testing::ThreadCount threads(2);
  const Tensor x = zeros({64, 16, 56, 56});  // 13 MB
  const Tensor w = zeros({16, 16, 5, 5});
  constexpr std::int64_t columns = std::int64_t{4} * 64 * 16 * 5 * 5 * 56 * 56;  // bytes: 321 MB
  const std::int64_t before = detail::pool_stats().reserved_bytes;
  const Tensor y = conv2d(x, w, {.padding = 2});
  const Tensor dx = conv_transpose2d(y, w, {.padding = 2});
  const Tensor dw = conv2d_weight_grad(x, y, 5, {.padding = 2});
  const std::int64_t grown = detail::pool_stats().reserved_bytes - before;
  const std::int64_t results = 4 * (y.numel() + dx.numel() + dw.numel());
  MESSAGE("asked of the system: " << (grown >> 20) << " MiB, of which results: " << (results >> 20)
                                  << " MiB; a column matrix has " << (columns >> 20) << " MiB");
  REQUIRE(grown >= results);
  CHECK(grown - results < columns / 6);
}

#endif
