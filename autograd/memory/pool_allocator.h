#pragma once

#include <cstddef>

#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

/// Lets a standard container take its memory from the pool, so that a sweep's scratch, which comes and goes
/// with each training step, never reaches the system's allocator.
template <class T>
class PoolAllocator {
 public:
  using value_type = T;

  PoolAllocator() = default;
  template <class U>
  PoolAllocator(const PoolAllocator<U>&) {}  // NOLINT(google-explicit-constructor): containers rebind it

  // NOLINTNEXTLINE(bugprone-sizeof-expression): where T is a pointer, that is what is meant
  T* allocate(std::size_t n) { return static_cast<T*>(pool_allocate(n * sizeof(T))); }
  void deallocate(T* block, std::size_t) { pool_free(block); }

  friend bool operator==(const PoolAllocator&, const PoolAllocator&) { return true; }
};

/// Base of small classes whose objects are made and dropped within a training step.
struct FromPool {
  static void* operator new(std::size_t bytes) { return pool_allocate(bytes); }
  static void operator delete(void* block) { pool_free(block); }
};

}  // namespace xtgrad::v1::detail
