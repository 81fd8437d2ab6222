// Counts the requests of grad() to the system's allocator, by standing in front of it.
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <vector>

#include "tests/support/skip.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/xtgrad.h"

#if XTGRAD_ADDRESS_SANITIZER || XTGRAD_THREAD_SANITIZER
#define XTGRAD_COUNTS_ALLOCATIONS 0
#else
#define XTGRAD_COUNTS_ALLOCATIONS 1
#endif

namespace {

constinit std::atomic<long> requests{0};

}  // namespace

#if XTGRAD_COUNTS_ALLOCATIONS

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);

void* malloc(std::size_t bytes) {
  requests.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  requests.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  requests.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(block, bytes);
}

}  // extern "C"

#endif

using namespace xtgrad;

namespace {

struct Counts {
  long requests;
  std::int64_t growths;
};

Counts counts() { return {requests.load(), detail::pool_stats().growths}; }

/// More than twelve cotangents wait at a time, some inputs are used twice.
Tensor graph_of_many(const std::vector<Tensor>& leaves) {
  Tensor sum_of_all = leaves[0] * 2.0;
  Tensor rows[40];
  for (std::size_t i = 0; i < 40; ++i) rows[i] = tanh(leaves[i % leaves.size()] * 1.5);
  for (const Tensor& row : rows) sum_of_all = sum_of_all + row * row;
  return sum(sum_of_all);
}

/// What one call of grad costs in the steady state.
[[maybe_unused]] Counts cost_of_grad(Dtype dtype, bool planned, bool create_graph) {
  std::vector<Tensor> leaves;
  for (int i = 0; i < 30; ++i) leaves.push_back(full({3}, 0.1 * i, {.dtype = dtype, .requires_grad = true}));
  std::vector<Tensor> inputs = leaves;
  if (planned) inputs.pop_back();
  Counts cost{};
  for (int turn = 0; turn < 4; ++turn) {
    const Tensor y = graph_of_many(leaves);
    std::vector<Tensor> with_inner = inputs;
    if (planned) with_inner[0] = y * 1.0;  // an inner tensor asks for a plan
    const Tensor output = planned ? with_inner[0] * 2.0 : y;
    const GradOptions options{.create_graph = create_graph};
    const Counts before = counts();
    const std::vector<Tensor> gradients = grad(std::span(&output, 1), with_inner, options);
    const Counts after = counts();
    cost = {after.requests - before.requests, after.growths - before.growths};
    CHECK(gradients.size() == inputs.size());
  }
  return cost;
}

}  // namespace

TEST_CASE("grad in the steady state asks the system for the vector that it returns, and no more") {
#if XTGRAD_COUNTS_ALLOCATIONS
  set_num_threads(1);
  for (const Dtype dtype : {float32, float64}) {
    for (const bool planned : {false, true}) {
      for (const bool create_graph : {false, true}) {
        CAPTURE(to_string(dtype));
        CAPTURE(planned);
        CAPTURE(create_graph);
        const Counts cost = cost_of_grad(dtype, planned, create_graph);
        CHECK(cost.requests == 1);
        CHECK(cost.growths == 0);
      }
    }
  }
#else
  testing::skip("a sanitizer has its own allocator in the way");
#endif
}
