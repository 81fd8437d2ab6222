#include "xtgrad/autograd/memory/system_memory.h"

#include <atomic>
#include <new>

#if !XTGRAD_POOL_PASSES_THROUGH
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace xtgrad::inline v1::detail {
namespace {

constinit thread_local PoolFaultHook fault_hook = nullptr;

}  // namespace

void fail_if_asked_to(PoolRequest request) {
  if (fault_hook != nullptr && fault_hook(request)) throw std::bad_alloc();
}

void keep_fault_hook(PoolFaultHook hook) { fault_hook = hook; }

#if !XTGRAD_POOL_PASSES_THROUGH

namespace {

constinit std::atomic<std::int64_t> reserved_bytes = 0;
constinit std::atomic<std::int64_t> growths = 0;
constinit std::atomic<std::int64_t> returns = 0;

}  // namespace

char* map_arena(std::size_t bytes) noexcept {
  if (fault_hook != nullptr && fault_hook(PoolRequest::mapping)) return nullptr;
  const std::size_t mapped = bytes + pool_arena_bytes;
  // No MAP_NORESERVE: a size that cannot be had should throw rather than end the program on first use.
  void* memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  char* first = static_cast<char*>(memory);
  const std::size_t skipped = (0 - reinterpret_cast<std::uintptr_t>(memory)) % pool_arena_bytes;
  if (skipped != 0) munmap(first, skipped);
  munmap(first + skipped + bytes, pool_arena_bytes - skipped);
#ifdef MADV_HUGEPAGE
  // Page faults are most of the cost of building a large graph. Advice only: refusal does no harm.
  madvise(first + skipped, bytes, MADV_HUGEPAGE);
#endif
  reserved_bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  growths.fetch_add(1, std::memory_order_relaxed);
  return first + skipped;
}

void* map_pages(std::size_t bytes) noexcept {
  if (fault_hook != nullptr && fault_hook(PoolRequest::mapping)) return nullptr;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  reserved_bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  growths.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void unmap(char* begin, std::size_t bytes) noexcept {
  munmap(begin, bytes);
  reserved_bytes.fetch_sub(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  returns.fetch_add(1, std::memory_order_relaxed);
}

std::size_t discard(char* begin, char* end) noexcept {
  const auto page = static_cast<std::uintptr_t>(getpagesize());
  begin += (0 - reinterpret_cast<std::uintptr_t>(begin)) % page;
  end -= reinterpret_cast<std::uintptr_t>(end) % page;
  if (begin >= end) return 0;
  const auto bytes = static_cast<std::size_t>(end - begin);
  madvise(begin, bytes, MADV_DONTNEED);
  returns.fetch_add(1, std::memory_order_relaxed);
  return bytes;
}

SystemCounts system_counts() {
  return {.reserved_bytes = reserved_bytes.load(std::memory_order_relaxed),
          .growths = growths.load(std::memory_order_relaxed),
          .returns = returns.load(std::memory_order_relaxed)};
}

#endif

}  // namespace xtgrad::v1::detail
