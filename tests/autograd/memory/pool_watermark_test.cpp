#include "xtgrad/autograd/memory/pool_watermark.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <thread>

#include "xtgrad/autograd/memory/pool.h"

using namespace xtgrad::detail;

namespace {

constexpr std::size_t large = std::size_t{1} << 16;

/// What the pool counts for a block of so many bytes.
std::int64_t counted(std::size_t bytes) {
  const std::int64_t before = pool_stats().live_bytes;
  void* block = pool_allocate(bytes);
  const std::int64_t size = pool_stats().live_bytes - before;
  pool_free(block);
  return size;
}

void take_and_give(std::size_t bytes) { pool_free(pool_allocate(bytes)); }

}  // namespace

TEST_CASE("a watermark knows the most that its thread took, and starts anew when asked") {
  const std::int64_t size = counted(large), small = counted(100);
  void* earlier = pool_allocate(large);
  PoolWatermark mark;
  CHECK(mark.take_rise() == 0);
  take_and_give(large);
  CHECK(mark.take_rise() == size);
  CHECK(mark.take_rise() == 0);
  void* kept = pool_allocate(large);
  take_and_give(100);
  CHECK(mark.take_rise() == size + small);
  // What was there before may be given back; a rise is counted from the last call.
  pool_free(earlier);
  take_and_give(100);
  CHECK(mark.take_rise() == 0);
  pool_free(kept);
  take_and_give(large);
  take_and_give(large);
  CHECK(mark.take_rise() == 0);
  take_and_give(large);
  CHECK(mark.take_rise() == size);
}

TEST_CASE("watermarks nest, go with a fault hook, and leave the pool as it was") {
  const std::int64_t size = counted(large);
  const std::int64_t live = pool_stats().live_bytes;
  void* block = nullptr;
  {
    PoolWatermark outer;
    take_and_give(large);
    {
      PoolWatermark inner;
      block = pool_allocate(large);
      CHECK(inner.take_rise() == size);
      set_pool_fault_hook([](PoolRequest) { return true; });
      CHECK_THROWS_AS(static_cast<void>(pool_allocate(large)), std::bad_alloc);
    }
    CHECK_THROWS_AS(static_cast<void>(pool_allocate(large)), std::bad_alloc);
    set_pool_fault_hook(nullptr);
    CHECK(outer.take_rise() == size);
    take_and_give(large);
    CHECK(outer.take_rise() == size);
  }
  CHECK(pool_stats().live_bytes == live + size);
  pool_free(block);
  CHECK(pool_stats().live_bytes == live);
  // The block is the next to be used: nothing went a detour.
  void* again = pool_allocate(large);
#if !XTGRAD_POOL_PASSES_THROUGH
  CHECK(again == block);
#endif
  pool_free(again);
}

TEST_CASE("a watermark sees its own thread, whose blocks another may give back, and the other way round") {
  const std::int64_t size = counted(large);
  const std::int64_t live = pool_stats().live_bytes;
  PoolWatermark mark;
  void* mine = pool_allocate(large);
  void* other = nullptr;
  std::thread([&] {
    take_and_give(large);
    pool_free(mine);
    other = pool_allocate(large);
    PoolWatermark own;
    take_and_give(large);
    CHECK(own.take_rise() == size);
  }).join();
  CHECK(mark.take_rise() == size);
  pool_free(other);
  CHECK(mark.take_rise() == 0);
  CHECK(pool_stats().live_bytes == live);
}
