#pragma once

// Memory that runs out: lets every single request fail, one after the other: those to operator new, those to
// the pool, and the pool's own to the system. What counts is what is left afterwards.
//
// Replaces operator new, so it is included once in a program.

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "tests/support/values.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::testing {

using detail::PoolRequest;

// Of the one thread that tests.
inline bool armed = false;
inline PoolRequest counted = PoolRequest::block;  // which requests; operator new's are blocks, too
inline bool forever = false;                      // whether all fail after the first that did
inline long left = 0;                             // so many succeed before
inline long failed = 0;
inline std::atomic<long> live_objects{0};  // of operator new

inline bool fails(PoolRequest request) {
  if (!armed || request != counted || left-- > 0 || (failed != 0 && !forever)) return false;
  ++failed;
  return true;
}

}  // namespace xtgrad::v1::testing

void* operator new(std::size_t bytes) {
  if (xtgrad::testing::fails(xtgrad::testing::PoolRequest::block)) throw std::bad_alloc();
  void* block = std::malloc(bytes == 0 ? 1 : bytes);
  if (block == nullptr) throw std::bad_alloc();
  xtgrad::testing::live_objects.fetch_add(1, std::memory_order_relaxed);
  return block;
}
void operator delete(void* block) noexcept {
  if (block != nullptr) xtgrad::testing::live_objects.fetch_sub(1, std::memory_order_relaxed);
  std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

namespace xtgrad::inline v1::testing {

/// Lets request number `n` fail, counted from 0, while `attempt` runs. True if there was such a request.
template <class F>
bool fails_at(long n, PoolRequest what, bool and_ever_after, F&& attempt) {
  counted = what;
  left = n;
  failed = 0;
  forever = and_ever_after;
  detail::set_pool_fault_hook(&fails);
  armed = true;
  try {
    attempt();
  } catch (const std::bad_alloc&) {
  }
  armed = false;
  detail::set_pool_fault_hook(nullptr);
  return failed != 0;
}

struct Live {
  std::int64_t blocks = detail::pool_stats().live_blocks;
  long objects = live_objects.load();
};

/// Something new to differentiate.
struct Case {
  std::function<void()> sweep;
  std::function<std::vector<Tensor>()> results;  ///< of a sweep that came through
};

inline std::vector<Tensor> gradients_of(const std::vector<Tensor>& leaves) {
  std::vector<Tensor> gradients;
  for (const Tensor& leaf : leaves) gradients.push_back(leaf.grad());
  return gradients;
}

inline void check_same(const std::vector<Tensor>& got, const std::vector<Tensor>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    REQUIRE(got[i].defined());
    CHECK(same_bits(got[i], want[i]));
  }
}

/// Walks all points of failure. After each, the sweep is tried again on the same graph: its gradients must be
/// right, or it must be refused.
inline void walk(const std::function<Case()>& make, long at_least) {
  const Case model = make();
  model.sweep();
  const std::vector<Tensor> want = model.results();
  for (const bool ever_after : {false, true}) {
    long n = 0;
    long refused = 0;
    for (bool more = true; more; ++n) {
      CAPTURE(n);
      CAPTURE(ever_after);
      const Live before;
      {
        const Case attempt = make();
        more = fails_at(n, PoolRequest::block, ever_after, attempt.sweep);
        if (more) {
          try {
            attempt.sweep();
            check_same(attempt.results(), want);
          } catch (const GraphError& error) {
            ++refused;
            CHECK(std::string(error.what()).find("was freed by an earlier ") != std::string::npos);
          }
        }
      }
      const Live after;
      REQUIRE(after.blocks == before.blocks);
      REQUIRE(after.objects == before.objects);
    }
    CHECK(n > at_least);
    CHECK(refused < n);
  }
}

/// A case whose results are what `compute` returns.
template <class F>
Case returning(F compute) {
  auto found = std::make_shared<std::vector<Tensor>>();
  return {[found, compute] { *found = compute(); }, [found] { return *found; }};
}

/// A case whose results are gradients that `sweep` adds to leaves.
template <class F>
Case adding(const std::vector<Tensor>& leaves, F sweep) {
  return {sweep, [leaves] { return gradients_of(leaves); }};
}

}  // namespace xtgrad::v1::testing
