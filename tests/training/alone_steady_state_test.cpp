// Counts every request to the system's allocator during training steps, by standing in front of it.
#include <doctest/doctest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "tests/support/skip.h"
#include "xtgrad/autograd/core/thread_state.h"
#include "xtgrad/autograd/memory.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/loader.h"
#include "xtgrad/nn/capture.h"
#include "xtgrad/nn/nn.h"
#include "xtgrad/optim/optim.h"
#include "xtgrad/xtgrad.h"

#if XTGRAD_ADDRESS_SANITIZER || XTGRAD_THREAD_SANITIZER
#define XTGRAD_COUNTS_ALLOCATIONS 0
#else
#define XTGRAD_COUNTS_ALLOCATIONS 1
#endif

namespace {

struct Requests {
  std::atomic<long> malloc{0};
  std::atomic<long> mmap{0};
  std::atomic<long> brk{0};
};
constinit Requests requests;

}  // namespace

#if XTGRAD_COUNTS_ALLOCATIONS

extern "C" {

void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  requests.malloc.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  requests.malloc.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  requests.malloc.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(block, bytes);
}
void* memalign(std::size_t alignment, std::size_t bytes) {
  requests.malloc.fetch_add(1, std::memory_order_relaxed);
  return __libc_memalign(alignment, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) {
  *block = memalign(alignment, bytes);
  return *block == nullptr ? ENOMEM : 0;
}
void* mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
  requests.mmap.fetch_add(1, std::memory_order_relaxed);
  // The system call itself: asking the C library for the next mmap would allocate.
  return reinterpret_cast<void*>(syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}
int brk(void* address) noexcept {
  requests.brk.fetch_add(1, std::memory_order_relaxed);
  return reinterpret_cast<void*>(syscall(SYS_brk, address)) == address ? 0 : -1;
}

}  // extern "C"

#endif

using namespace xtgrad;

namespace {

struct Counts {
  long malloc;
  long mmap;
  long brk;
  std::int64_t growths;
};

Counts counts() {
  return {requests.malloc.load(), requests.mmap.load(), requests.brk.load(), detail::pool_stats().growths};
}

template <class Optimizer>
void train_epoch(nn::Module& model, Optimizer& optimizer, datasets::Loader& loader) {
  for (auto& [x, y] : loader) {
    Tensor loss = nn::cross_entropy(model(x), y);
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
}

template <class Optimizer>
Counts requests_of_three_epochs(nn::Module& model, Optimizer& optimizer, datasets::Loader& loader) {
  const Counts before = counts();
  for (int epoch = 0; epoch < 3; ++epoch) train_epoch(model, optimizer, loader);
  const Counts after = counts();
  return {after.malloc - before.malloc, after.mmap - before.mmap, after.brk - before.brk,
          after.growths - before.growths};
}

template <class Optimizer>
void check_steady_state(Optimizer make_optimizer, Dtype dtype, std::int64_t width, std::int64_t batch) {
  const DefaultDtype scope(dtype);
  nn::MLP model({.sizes = {64, width, 48, 10}, .dropout = 0.1});
  auto optimizer = make_optimizer(model);
  datasets::Loader loader(datasets::digits({.dtype = dtype}),
                          {.batch_size = batch, .shuffle = true, .seed = 1});
  for (int epoch = 0; epoch < 2; ++epoch) train_epoch(model, optimizer, loader);
  Counts asked = requests_of_three_epochs(model, optimizer, loader);
  // A worker that the system lets run for the first time only now fetches what it will keep at hand.
  for (int late = 0; late < 5 && num_threads() > 1 && asked.growths > 0; ++late) {
    asked = requests_of_three_epochs(model, optimizer, loader);
  }
  CHECK(asked.malloc == 0);
  CHECK(asked.mmap == 0);
  CHECK(asked.brk == 0);
  CHECK(asked.growths == 0);
}

}  // namespace

TEST_CASE("the counters count") {
#if XTGRAD_COUNTS_ALLOCATIONS
  const Counts before = counts();
  std::string text(1000, 'x');
  void* volatile block = std::malloc(10);
  std::free(block);
  void* pages = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(pages, 4096);
  const Counts after = counts();
  CHECK(text.size() == 1000);
  CHECK(after.malloc - before.malloc >= 2);
  CHECK(after.mmap - before.mmap == 1);
#else
  testing::skip("a sanitizer has its own allocator in the way");
#endif
}

TEST_CASE("a training step in the steady state asks the system for no memory") {
#if XTGRAD_COUNTS_ALLOCATIONS
  // 96 wide is one tile; 512 by 512 is eight, which several threads share.
  const struct {
    int threads;
    std::int64_t width, batch;
  } runs[] = {{1, 96, 64}, {1, 512, 512}, {2, 512, 512}};
  for (const auto& run : runs) {
    set_num_threads(run.threads);
    for (const Dtype dtype : {float32, float64}) {
      CAPTURE(run.threads);
      CAPTURE(run.width);
      CAPTURE(to_string(dtype));
      check_steady_state([](nn::Module& model) { return optim::Adam(model.parameters(), {.lr = 1e-3}); },
                         dtype, run.width, run.batch);
      check_steady_state(
          [](nn::Module& model) {
            return optim::SGD(model.parameters(), {.lr = 0.01, .momentum = 0.9, .weight_decay = 1e-4});
          },
          dtype, run.width, run.batch);
    }
  }
#else
  testing::skip("a sanitizer has its own allocator in the way");
#endif
}

TEST_CASE("a captured training step builds no node, and asks neither the system nor the pools for memory") {
#if XTGRAD_COUNTS_ALLOCATIONS
  for (const Dtype dtype : {float32, float64}) {
    const DefaultDtype scope(dtype);
    set_num_threads(1);
    nn::MLP model({.sizes = {64, 96, 10}, .dropout = 0.1});
    optim::Adam adam(model.parameters(), {.lr = 1e-3});
    const Tensor x = randn({32, 64}), y = argmax(randn({32, 10}), 1);
    auto step = capture(
        [&](const Tensor& input, const Tensor& target) {
          Tensor loss = nn::cross_entropy(model(input), target);
          adam.zero_grad();
          loss.backward();
          adam.step();
          return loss;
        },
        {x, y}, {&model, &adam});
    // Each result and state is written over once its memory has gone around.
    for (int i = 0; i < 3; ++i) static_cast<void>(step(x, y));
    const Counts before = counts();
    const std::uint64_t nodes = detail::thread_state.last_id;
    const std::int64_t in_use = memory_in_use();
    for (int i = 0; i < 20; ++i) static_cast<void>(step(x, y));
    const Counts after = counts();
    CHECK(after.malloc == before.malloc);
    CHECK(after.mmap == before.mmap);
    CHECK(after.growths == before.growths);
    CHECK(detail::thread_state.last_id == nodes);
    CHECK(memory_in_use() == in_use);
  }
#else
  testing::skip("a sanitizer has its own allocator in the way");
#endif
}
