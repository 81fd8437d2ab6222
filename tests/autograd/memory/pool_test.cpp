#include "xtgrad/autograd/memory/pool.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <random>
#include <thread>
#include <vector>

namespace {

using xtgrad::detail::pool_allocate;
using xtgrad::detail::pool_class_bytes;
using xtgrad::detail::pool_class_of;
using xtgrad::detail::pool_free;
using xtgrad::detail::pool_stats;
using xtgrad::detail::PoolStats;

constexpr std::size_t mib = std::size_t{1} << 20;

bool is_aligned(const void* block, std::size_t alignment) {
  return reinterpret_cast<std::uintptr_t>(block) % alignment == 0;
}

void check_nothing_lives_since(const PoolStats& before) {
  const PoolStats after = pool_stats();
  CHECK(after.live_blocks == before.live_blocks);
  CHECK(after.live_bytes == before.live_bytes);
}

// Small sizes one by one, and the neighbourhood of every class boundary and power of two further up.
std::vector<std::size_t> interesting_sizes() {
  std::vector<std::size_t> sizes;
  for (std::size_t bytes = 0; bytes <= 1100; ++bytes) sizes.push_back(bytes);
  for (std::size_t power = 2048; power <= 32 * mib; power *= 2) {
    for (std::size_t quarter = 4; quarter < 8; ++quarter) {
      const std::size_t boundary = power / 4 * quarter;
      for (const std::size_t bytes : {boundary - 1, boundary, boundary + 1, boundary + 64}) {
        sizes.push_back(bytes);
      }
    }
  }
  return sizes;
}

struct Block {
  unsigned char* begin;
  std::size_t bytes;
  unsigned char mark;
};

// Marks the first and last part: enough to see an overlap without touching every page of a large block.
void for_each_marked_byte(const Block& block, auto&& visit) {
  constexpr std::size_t edge = 300;
  const std::size_t head = std::min(block.bytes, edge);
  for (std::size_t i = 0; i < head; ++i) visit(block.begin[i]);
  for (std::size_t i = std::max(head, block.bytes - head); i < block.bytes; ++i) visit(block.begin[i]);
}

Block allocate_marked(std::size_t bytes, unsigned char mark) {
  Block block{static_cast<unsigned char*>(pool_allocate(bytes)), bytes, mark};
  for_each_marked_byte(block, [mark](unsigned char& byte) { byte = mark; });
  return block;
}

bool is_intact(const Block& block) {
  bool intact = true;
  for_each_marked_byte(block, [&](unsigned char& byte) { intact = intact && byte == block.mark; });
  return intact;
}

bool any_overlap(std::vector<Block> blocks) {
  std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) { return a.begin < b.begin; });
  for (std::size_t i = 1; i < blocks.size(); ++i) {
    if (blocks[i - 1].begin + std::max<std::size_t>(blocks[i - 1].bytes, 1) > blocks[i].begin) return true;
  }
  return false;
}

// Blocks on their way from one thread to another, at most `capacity` at a time.
class Channel {
 public:
  void send(void* block) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return blocks_.size() < capacity; });
    blocks_.push_back(block);
    changed_.notify_all();
  }

  std::vector<void*> receive() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !blocks_.empty(); });
    std::vector<void*> received;
    received.swap(blocks_);
    changed_.notify_all();
    return received;
  }

 private:
  static constexpr std::size_t capacity = 1000;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<void*> blocks_;
};

// Uses the pool from its destructor. As a thread_local made before the thread's first allocation, or as a
// static object, it is destroyed after the thread has given its pool away.
struct LateUser {
  void* block = nullptr;
  std::atomic<int>* finished = nullptr;

  ~LateUser() {
    pool_free(block);
    std::array<void*, 100> late{};
    for (void*& each : late) {
      each = pool_allocate(208);
      std::memset(each, 1, 208);
    }
    for (void* each : late) pool_free(each);
    if (finished != nullptr) finished->fetch_add(1);
  }
};

LateUser user_after_main;

}  // namespace

TEST_CASE("pool: size classes") {
  CHECK(pool_class_bytes(pool_class_of(0)) == 16);
  std::size_t largest_ratio_percent = 0;
  for (const std::size_t bytes : interesting_sizes()) {
    CAPTURE(bytes);
    const std::size_t index = pool_class_of(bytes);
    const std::size_t size = pool_class_bytes(index);
    REQUIRE(size >= bytes);
    REQUIRE(size % 16 == 0);
    REQUIRE((bytes == 0 || bytes % 64 != 0 || size % 64 == 0));
    REQUIRE((index == 0 || pool_class_bytes(index - 1) < bytes));
    REQUIRE(pool_class_of(size) == index);
    if (bytes > 256) largest_ratio_percent = std::max(largest_ratio_percent, size * 100 / bytes);
  }
  CHECK(largest_ratio_percent <= 125);
}

TEST_CASE("pool: blocks are aligned, do not overlap and keep their bytes") {
  const PoolStats before = pool_stats();
  std::vector<Block> blocks;
  unsigned char mark = 0;
  for (int round = 0; round < 2; ++round) {
    for (const std::size_t bytes : interesting_sizes()) {
      blocks.push_back(allocate_marked(bytes, ++mark));
      CAPTURE(bytes);
      REQUIRE(is_aligned(blocks.back().begin, bytes != 0 && bytes % 64 == 0 ? 64 : 16));
    }
  }
  CHECK(std::all_of(blocks.begin(), blocks.end(), is_intact));
  CHECK_FALSE(any_overlap(blocks));
  CHECK(pool_stats().live_blocks == before.live_blocks + static_cast<std::int64_t>(blocks.size()));
  for (const Block& block : blocks) pool_free(block.begin);
  check_nothing_lives_since(before);
}

TEST_CASE("pool: random sizes and lifetimes") {
  const PoolStats before = pool_stats();
  const std::uint32_t seed = 20240607;
  CAPTURE(seed);
  std::mt19937 random(seed);
  std::vector<Block> blocks;
  bool intact = true;
  for (int step = 0; step < 60000; ++step) {
    if (blocks.size() < 200 || random() % 2 == 0) {
      const std::size_t bytes = random() % (std::size_t{1} << (4 + random() % 19));
      blocks.push_back(allocate_marked(bytes, static_cast<unsigned char>(random())));
    } else {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      intact = intact && is_intact(blocks.back());
      pool_free(blocks.back().begin);
      blocks.pop_back();
    }
  }
  CHECK(intact);
  CHECK_FALSE(any_overlap(blocks));
  for (const Block& block : blocks) pool_free(block.begin);
  check_nothing_lives_since(before);
}

// Blocks of all these classes meet at the ends of arenas, where a unit has room for a part of a chunk only.
// Were the rest cut for another class, the blocks before it would be freed as that class.
TEST_CASE("pool: classes in turn fill arenas to their ends") {
  const PoolStats before = pool_stats();
  std::vector<void*> blocks;
  for (int round = 0; round < 500; ++round) {
    for (const std::size_t kib : {std::size_t{224}, std::size_t{160}, std::size_t{96}, std::size_t{48}}) {
      blocks.push_back(pool_allocate(kib * 1024));
    }
  }
  for (void* block : blocks) pool_free(block);
  check_nothing_lives_since(before);
}

TEST_CASE("pool: null may be freed, sizes that cannot be had throw") {
  const PoolStats before = pool_stats();
  pool_free(nullptr);
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  for (const std::size_t bytes : {most, most - 15, most - 63, most / 2, most / 2 + 1, most >> 4}) {
    CAPTURE(bytes);
    CHECK_THROWS_AS(static_cast<void>(pool_allocate(bytes)), std::bad_alloc);
  }
  check_nothing_lives_since(before);
}

TEST_CASE("pool: live numbers count class sizes") {
  const PoolStats before = pool_stats();
  void* small = pool_allocate(100);
  void* large = pool_allocate(5 * mib + 1);
  const PoolStats during = pool_stats();
  CHECK(during.live_blocks - before.live_blocks == 2);
  CHECK(during.live_bytes - before.live_bytes == 112 + 6 * static_cast<std::int64_t>(mib));
  pool_free(small);
  pool_free(large);
  check_nothing_lives_since(before);
}

TEST_CASE("pool: a repeated step asks the system for nothing") {
  const PoolStats before = pool_stats();
  std::vector<void*> blocks;
  const auto step = [&blocks] {
    for (std::size_t i = 0; i < 20000; ++i) blocks.push_back(pool_allocate(i % 700));
    for (const std::size_t count : {1U, 4U, 9U, 40U}) blocks.push_back(pool_allocate(count * mib));
    for (void* block : blocks) pool_free(block);
    blocks.clear();
  };
  step();
  const std::int64_t growths = pool_stats().growths;
  for (int i = 0; i < 20; ++i) step();
  CHECK(pool_stats().growths == growths);
  check_nothing_lives_since(before);
}

#if !XTGRAD_POOL_PASSES_THROUGH
TEST_CASE("pool: the last freed block is the next one handed out") {
  for (const std::size_t bytes : {mib / 65536, mib / 16, 4 * mib, 33 * mib}) {
    CAPTURE(bytes);
    void* block = pool_allocate(bytes);
    pool_free(block);
    void* again = pool_allocate(bytes);
    CHECK(again == block);
    pool_free(again);
  }
}

TEST_CASE("pool: large blocks start at different cache lines of a page") {
  for (const std::size_t bytes : {std::size_t{4096}, std::size_t{65536}, 4 * mib, 16 * mib}) {
    CAPTURE(bytes);
    std::vector<void*> blocks;
    std::vector<std::uintptr_t> offsets;
    for (int i = 0; i < 8; ++i) {
      blocks.push_back(pool_allocate(bytes));
      offsets.push_back(reinterpret_cast<std::uintptr_t>(blocks.back()) % 4096);
    }
    std::sort(offsets.begin(), offsets.end());
    // Recycled blocks and a new arena in between may make two of them meet.
    CHECK(std::unique(offsets.begin(), offsets.end()) - offsets.begin() >= 6);
    for (void* block : blocks) pool_free(block);
  }
}
#endif

TEST_CASE("pool: one thread allocates, another frees, memory stays bounded") {
  const PoolStats before = pool_stats();
  Channel channel;
  constexpr int block_count = 200000;
  std::thread consumer([&channel] {
    bool intact = true;
    for (int received = 0; received < block_count;) {
      for (void* block : channel.receive()) {
        int number = 0;
        std::memcpy(&number, block, sizeof number);
        intact = intact && number == received++;
        pool_free(block);
      }
    }
    CHECK(intact);
  });
  for (int i = 0; i < block_count; ++i) {
    void* block = pool_allocate(i % 100 == 0 ? 100000 : 320);
    std::memcpy(block, &i, sizeof i);
    channel.send(block);
  }
  consumer.join();
  // Two arenas of 32 MiB at most, and the table of each. Without the way back this would be 260 MB.
  CHECK(pool_stats().reserved_bytes - before.reserved_bytes <= static_cast<std::int64_t>(65 * mib));
  check_nothing_lives_since(before);
}

TEST_CASE("pool: several threads free each other's blocks") {
  const PoolStats before = pool_stats();
  constexpr std::size_t thread_count = 4;
  std::array<std::atomic<void*>, 64> exchange{};
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < thread_count; ++t) {
    threads.emplace_back([&exchange, t] {
      std::mt19937 random(static_cast<std::uint32_t>(t));
      for (int i = 0; i < 50000; ++i) {
        const std::size_t bytes = 16 + random() % 1000;
        void* block = pool_allocate(bytes);
        std::memset(block, static_cast<int>(t), bytes);
        pool_free(exchange[random() % exchange.size()].exchange(block, std::memory_order_acq_rel));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& slot : exchange) pool_free(slot.load());
  check_nothing_lives_since(before);
}

TEST_CASE("pool: new threads adopt the pools of ended ones, with what was freed meanwhile") {
  const PoolStats before = pool_stats();
  constexpr std::size_t thread_count = 3;
  std::array<std::vector<void*>, thread_count> blocks;
  std::int64_t growths = 0;
  for (int i = 0; i < 30; ++i) {
    // All threads hold a pool before any of them ends, so that there are several to adopt.
    std::barrier all_started(static_cast<std::ptrdiff_t>(thread_count));
    std::vector<std::thread> threads;
    threads.reserve(thread_count);
    for (std::vector<void*>& own : blocks) {
      threads.emplace_back([&own, &all_started] {
        pool_free(pool_allocate(1000));
        all_started.arrive_and_wait();
        for (int k = 0; k < 3000; ++k) {
          own.push_back(pool_allocate(1000));
          std::memset(own.back(), 7, 1000);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    if (i == 0) growths = pool_stats().growths;
    for (std::vector<void*>& own : blocks) {
      for (void* block : own) pool_free(block);
      own.clear();
    }
  }
  CHECK(pool_stats().growths == growths);
  check_nothing_lives_since(before);
}

TEST_CASE("pool: thread-local objects may use it after the thread gave its pool away") {
  const PoolStats before = pool_stats();
  std::atomic<int> finished = 0;
  for (int i = 0; i < 10; ++i) {
    std::thread([&finished] {
      thread_local LateUser user;
      user.finished = &finished;
      user.block = pool_allocate(5000);
    }).join();
  }
  CHECK(finished == 10);
  check_nothing_lives_since(before);
}

TEST_CASE("pool: static objects may use it after main") {
  // The destructor runs after the last check; it is here to crash, or to be caught by a sanitizer.
  if (user_after_main.block == nullptr) user_after_main.block = pool_allocate(300);
  CHECK(user_after_main.block != nullptr);
}
