// Alone, because it counts what the whole process asks of the system.
#include <doctest/doctest.h>

#include "tests/support/thread_count.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/functions/attention.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"

using namespace xtgrad;

// Under the address sanitizer the pool keeps no such count.
#if !XTGRAD_POOL_PASSES_THROUGH

namespace {

std::int64_t reserved() { return detail::pool_stats().reserved_bytes; }

}  // namespace

TEST_CASE("attention and its gradients never hold the scores, a composition does") {
  const testing::ThreadCount threads(2);
  const std::int64_t length = 3072, heads = 4;
  const Shape shape{heads, length, 8};
  const Tensor q = zeros(shape, {.requires_grad = true}), k = zeros(shape, {.requires_grad = true}),
               v = zeros(shape, {.requires_grad = true});
  const std::int64_t scores = 4 * heads * length * length;  // 151 MB
  std::int64_t before = reserved();
  const Tensor y = scaled_dot_product_attention(q, k, v);
  const auto gradients = grad({y}, {q, k, v}, {.cotangents = {ones_like(y)}});
  const std::int64_t grown = reserved() - before;
  MESSAGE("asked of the system: " << (grown >> 20) << " MiB; the scores have " << (scores >> 20) << " MiB");
  // Results and what the rule keeps are 2 MB; memory comes in arenas, one more of which may be begun for each
  // of two threads.
  CHECK(grown < 4 * static_cast<std::int64_t>(detail::pool_arena_bytes) + (4 << 20));
  CHECK(scores > 2 * grown);
  // The count sees the scores where there are any.
  before = reserved();
  const Tensor weights = softmax(matmul(q, k, {.transpose_b = true}), -1);
  CHECK(reserved() - before >= scores);
  CHECK(weights.numel() * 4 == scores);
}

#endif
