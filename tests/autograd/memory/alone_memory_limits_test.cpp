// Alone, because it looks at the memory of the whole process, and limits it.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <fstream>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/sanitizers.h"

using namespace xtgrad;

// The address sanitizer keeps what was freed, that of threads has shadows of all that is touched.
#if !XTGRAD_POOL_PASSES_THROUGH && !XTGRAD_THREAD_SANITIZER

namespace {

constexpr std::int64_t mib = std::int64_t{1} << 20;

/// Of the process, as the system counts it.
std::int64_t resident() {
  std::ifstream file("/proc/self/statm");
  std::int64_t all = 0;
  std::int64_t pages = 0;
  file >> all >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

/// A tensor of so many bytes, all of which have been written.
Tensor filled(std::int64_t bytes) { return full({bytes / 4}, 1.0, {.dtype = float32}); }

/// What is resident above what was there at the start, against the most bytes of tensors that live at once.
class Bounds {
 public:
  void lives(std::int64_t bytes) { most_ = std::max(most_, bytes); }
  void check() const {
    const std::int64_t grown = resident() - at_start_;
    MESSAGE("resident: " << grown / mib << " MiB, at most " << most_ / mib << " MiB of tensors");
    CHECK(grown <= most_ + most_ / 2 + 64 * mib);
    CHECK(memory_reserved() <= most_ + most_ / 2 + 64 * mib);
  }

 private:
  std::int64_t at_start_ = resident();
  std::int64_t most_ = 0;
};

/// Limits the address space of the process while it lives.
class AddressSpace {
 public:
  explicit AddressSpace(std::int64_t more) {
    getrlimit(RLIMIT_AS, &before_);
    std::ifstream file("/proc/self/statm");
    std::int64_t pages = 0;
    file >> pages;
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + more);
    setrlimit(RLIMIT_AS, &limit);
  }
  ~AddressSpace() { setrlimit(RLIMIT_AS, &before_); }
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("memory: pairs of tensors that grow leave no more than they need") {
  Bounds bounds;
  for (std::int64_t bytes = mib; bytes <= 256 * mib; bytes += bytes / 6) {
    const Tensor a = filled(bytes);
    const Tensor b = filled(bytes);
    bounds.lives(2 * bytes);
  }
  bounds.check();
  release_cached_memory();
  CHECK(memory_reserved() <= 16 * mib);
}

TEST_CASE("memory: sizes that shrink find room in what was there") {
  Bounds bounds;
  for (std::int64_t bytes = 256 * mib; bytes >= mib; bytes -= bytes / 6) {
    const Tensor a = filled(bytes);
    const Tensor b = filled(bytes);
    bounds.lives(2 * bytes);
  }
  bounds.check();
}

TEST_CASE("memory: batches and sequences of random lengths") {
  Bounds bounds;
  std::mt19937 random(7);
  const Tensor w = full({64, 64}, 0.01, {.dtype = float32, .requires_grad = true});
  std::int64_t most = 0;
  for (int step = 0; step < 300; ++step) {
    const auto batch = static_cast<std::int64_t>(1 + random() % 64);
    const auto length = static_cast<std::int64_t>(1 + random() % 256);
    Tensor h = full({batch * length, 64}, 1.0, {.dtype = float32});
    for (int layer = 0; layer < 4; ++layer) h = tanh(matmul(h, w));
    sum(h).backward();
    most = std::max(most, batch * length * 64 * 4 * 5);
  }
  bounds.lives(most);
  bounds.check();
}

TEST_CASE("memory: a smaller tensor fits after one that did not") {
  const AddressSpace limit(600 * mib);
  std::int64_t refused = 0;
  std::int64_t bytes = 16 * mib;
  for (int i = 0; i < 60; ++i) {
    try {
      const Tensor t = filled(bytes);
      bytes += bytes / 6;
    } catch (const OutOfMemory& error) {
      CHECK(error.operation() == "full");
      CHECK(error.bytes_asked() >= bytes);
      CHECK(error.bytes_in_use() < mib);
      // With nothing else alive, what does not fit is what is larger than the limit.
      REQUIRE(bytes > 400 * mib);
      ++refused;
      bytes /= 3;
    }
  }
  CHECK(refused > 2);
}

TEST_CASE("memory: what lies idle in small blocks makes room for a large one") {
  const AddressSpace limit(1500 * mib);
  {
    std::vector<void*> blocks;
    blocks.reserve(4'000'000);
    for (int i = 0; i < 4'000'000; ++i) blocks.push_back(detail::pool_allocate(208));
    for (void* block : blocks) detail::pool_free(block);
  }
  const Tensor t = filled(1000 * mib);
  CHECK(t.numel() == 250 * mib);
}

TEST_CASE("memory: a graph that is dropped leaves room for tensors") {
  Bounds bounds;
  for (int round = 0; round < 2; ++round) {
    std::vector<void*> blocks;
    for (int i = 0; i < 1'000'000; ++i) blocks.push_back(detail::pool_allocate(round == 0 ? 208 : 272));
    bounds.lives(detail::pool_stats().live_bytes);
    for (void* block : blocks) detail::pool_free(block);
  }
  {
    const Tensor t = filled(300 * mib);
    bounds.lives(300 * mib);
    bounds.check();
  }
}

TEST_CASE("memory: what a thread had serves others when it has ended") {
  Bounds bounds;
  const auto work = [] {
    std::vector<Tensor> large;
    for (int i = 0; i < 10; ++i) large.push_back(filled(20 * mib));
    for (int i = 0; i < 100; ++i) large.push_back(filled(mib / 2));
    std::vector<void*> small;
    for (int i = 0; i < 500'000; ++i) small.push_back(detail::pool_allocate(208));
    for (void* block : small) detail::pool_free(block);
  };
  bounds.lives(350 * mib);
  work();
  for (int i = 0; i < 4; ++i) std::thread(work).join();
  bounds.check();
  release_cached_memory();
  CHECK(memory_reserved() <= 8 * mib);
}

TEST_CASE("memory: a graph built by a thread that has ended and dropped by another") {
  Bounds bounds;
  std::vector<void*> blocks(1'000'000);
  for (int i = 0; i < 4; ++i) {
    // All of a size of their own, so that nothing is used again but by way of whole units.
    const std::size_t bytes = 200 + 64 * static_cast<std::size_t>(i);
    std::thread([&] {
      for (void*& block : blocks) block = detail::pool_allocate(bytes);
    }).join();
    bounds.lives(detail::pool_stats().live_bytes);
    for (void* block : blocks) detail::pool_free(block);
  }
  bounds.check();
}

TEST_CASE("memory: a repeated step asks the system for nothing and returns nothing") {
  const auto step = [] {
    std::vector<Tensor> kept;
    for (const std::int64_t kib : {3, 30, 300, 3000, 30'000, 60'000}) {
      for (int i = 0; i < 5; ++i) kept.push_back(filled(kib * 1024));
      const Tensor temporary = filled(kib * 700);
    }
  };
  for (int i = 0; i < 3; ++i) step();
  const detail::PoolStats before = detail::pool_stats();
  for (int i = 0; i < 10; ++i) step();
  const detail::PoolStats after = detail::pool_stats();
  CHECK(after.growths == before.growths);
  CHECK(after.returns == before.returns);
}

TEST_CASE("memory: numbers of what is in use, held and was") {
  release_cached_memory();
  reset_peak_memory();
  const std::int64_t before = memory_in_use();
  CHECK(peak_memory() == before);
  Tensor t = filled(40 * mib);
  CHECK(memory_in_use() - before >= 40 * mib);
  CHECK(memory_in_use() - before <= 50 * mib + 1024);
  CHECK(memory_reserved() >= memory_in_use());
  CHECK(peak_memory() >= memory_in_use());
  t = Tensor();
  CHECK(memory_in_use() == before);
  CHECK(memory_reserved() - before >= 40 * mib);  // idle
  CHECK(peak_memory() - before >= 40 * mib);
  CHECK(peak_memory() - before <= 50 * mib + 1024);
  release_cached_memory();
  CHECK(memory_reserved() - before < 2 * mib);
  CHECK(peak_memory() - before >= 40 * mib);
  reset_peak_memory();
  CHECK(peak_memory() == before);
}

TEST_CASE("memory: a limit on what lies idle") {
  CHECK(memory_cache_limit() == -1);
  set_memory_cache_limit(10 * mib);
  CHECK(memory_cache_limit() == 10 * mib);
  for (const std::int64_t bytes : {mib, 6 * mib, 60 * mib}) {
    { const std::array<Tensor, 3> three{filled(bytes), filled(bytes), filled(bytes)}; }
    CHECK(memory_reserved() - memory_in_use() <= 10 * mib + 8 * mib);
  }
  const std::int64_t returns = detail::pool_stats().returns;
  set_memory_cache_limit(-1);
  for (int i = 0; i < 3; ++i) {
    const std::array<Tensor, 3> three{filled(60 * mib), filled(60 * mib), filled(60 * mib)};
  }
  CHECK(detail::pool_stats().returns == returns);
}

namespace {

/// A thread that has done `work` and sleeps while it lives.
class Sleeper {
 public:
  template <class F>
  explicit Sleeper(F work)
      : thread_([this, work] {
          work();
          stage_ = 1;
          stage_.notify_all();
          stage_.wait(1);
        }) {
    stage_.wait(0);
  }
  ~Sleeper() {
    stage_ = 2;
    stage_.notify_all();
    thread_.join();
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

 private:
  std::atomic<int> stage_ = 0;
  std::thread thread_;
};

/// Blocks of several sizes, all of which die before it returns.
void build_and_drop() {
  std::vector<void*> blocks;
  for (const std::size_t bytes : {208, 1000, 4000}) {
    for (std::size_t i = 0; i < (std::size_t{200} << 20) / bytes; ++i) {
      blocks.push_back(detail::pool_allocate(bytes));
    }
  }
  for (void* block : blocks) detail::pool_free(block);
}

}  // namespace

TEST_CASE("memory: what a thread left that sleeps now goes back, but for two magazines of each size") {
  release_cached_memory();
  const std::int64_t before = memory_reserved();
  const Sleeper sleeper(build_and_drop);
  CHECK(memory_reserved() - before >= 590 * mib);
  release_cached_memory();
  // Of three sizes 64 KiB each, and these blocks lie in a unit or two.
  CHECK(memory_reserved() - before <= 3 * mib / 2);
  const Sleeper another(build_and_drop);
  const Sleeper third(build_and_drop);
  release_cached_memory();
  CHECK(memory_reserved() - before <= 9 * mib / 2);
}

TEST_CASE("memory: a large tensor fits where threads sleep on what they left") {
  Bounds bounds;
  const AddressSpace limit(1500 * mib);
  const Sleeper sleeper(build_and_drop);
  bounds.lives(1000 * mib);
  const Tensor t = filled(1000 * mib);
  CHECK(t.numel() == 250 * mib);
  bounds.check();
}

TEST_CASE("memory: blocks of a sleeping thread that others freed serve all") {
  release_cached_memory();
  const std::int64_t before = memory_reserved();
  std::vector<void*> blocks(1'000'000);
  const Sleeper sleeper([&] {
    for (void*& block : blocks) block = detail::pool_allocate(208);
  });
  for (void* block : blocks) detail::pool_free(block);
  CHECK(memory_reserved() - before >= 190 * mib);
  release_cached_memory();
  CHECK(memory_reserved() - before <= mib);
}

TEST_CASE("memory: other threads give back what they keep when they are asked and need more") {
  // The thread's pool, driven step by step: it keeps idle blocks while the main thread releases.
  constexpr std::size_t kept = 900 * 1024;
  std::int64_t held_before = 0;
  std::int64_t held_after = 0;
  std::atomic<int> stage = 0;
  std::thread other([&] {
    std::vector<void*> blocks;
    for (int i = 0; i < 3; ++i) blocks.push_back(detail::pool_allocate(kept));
    for (void* block : blocks) detail::pool_free(block);
    stage = 1;
    stage.notify_all();
    stage.wait(1);
    held_before = memory_reserved();
    detail::pool_free(detail::pool_allocate(2 * mib));  // more than a thread keeps
    held_after = memory_reserved();
  });
  stage.wait(0);
  release_cached_memory();
  stage = 2;
  stage.notify_all();
  other.join();
  CHECK(held_before >= static_cast<std::int64_t>(3 * kept));
  release_cached_memory();
  CHECK(memory_reserved() <= 8 * mib);
  CHECK(held_after <= held_before + 4 * mib);
}

#endif
