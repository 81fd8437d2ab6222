// What kernels compute on the way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "xtgrad/autograd/kernels/levels/level.h"
#include "xtgrad/autograd/kernels/scratch_memory.h"

namespace xtgrad::inline v1::detail::inline XTGRAD_LANES {

/// For standard containers, whose functions it puts into the level's namespace.
template <class T>
class ScratchAllocator {
 public:
  using value_type = T;

  ScratchAllocator() = default;
  template <class U>
  ScratchAllocator(const ScratchAllocator<U>&) {
  }  // NOLINT(google-explicit-constructor): as containers rebind

  T* allocate(std::size_t n) { return static_cast<T*>(scratch_allocate(n * sizeof(T))); }
  void deallocate(T* block, std::size_t) { scratch_free(block); }

  friend bool operator==(const ScratchAllocator&, const ScratchAllocator&) { return true; }
};

template <class T>
using ScratchVector = std::vector<T, ScratchAllocator<T>>;

/// n numbers that nobody has set, from a multiple of 64 bytes on. Of none there is no memory.
template <class T>
class Scratch {
 public:
  explicit Scratch(std::int64_t n)
      : numbers_(n == 0 ? nullptr
                        : static_cast<T*>(
                              scratch_allocate((static_cast<std::size_t>(n) * sizeof(T) + 63) / 64 * 64))) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { scratch_free(numbers_); }

  [[nodiscard]] T* data() const { return numbers_; }

 private:
  T* numbers_;
};

}  // namespace xtgrad::v1::detail
