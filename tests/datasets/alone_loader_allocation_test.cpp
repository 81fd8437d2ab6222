// Alone, because it replaces malloc for the whole program.
#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/memory/pool.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/datasets/augment.h"
#include "xtgrad/datasets/digits.h"
#include "xtgrad/datasets/loader.h"

#if defined(__GLIBC__) && !XTGRAD_ADDRESS_SANITIZER && !XTGRAD_THREAD_SANITIZER

namespace {
std::atomic<std::int64_t> allocations = 0;
}

// glibc's own names for what these replace. operator new ends here, too.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) {
  ++allocations;
  return __libc_malloc(bytes);
}
void* calloc(std::size_t count, std::size_t bytes) {
  ++allocations;
  return __libc_calloc(count, bytes);
}
void* realloc(void* block, std::size_t bytes) {
  ++allocations;
  return __libc_realloc(block, bytes);
}
void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __libc_memalign(alignment, bytes);
}
}

using namespace xtgrad;

namespace {

struct Cost {
  std::int64_t allocations;
  std::int64_t growths;
  std::int64_t samples;
};

/// What three epochs ask of the system, after one that may ask for anything.
Cost cost_of(datasets::Loader loader) {
  std::int64_t samples = 0;
  const auto epoch = [&] {
    for (auto& [x, y] : loader) samples += x.shape()[0];
  };
  epoch();
  samples = 0;
  const std::int64_t allocations_before = allocations;
  const std::int64_t growths_before = detail::pool_stats().growths;
  for (int i = 0; i < 3; ++i) epoch();
  return {allocations - allocations_before, detail::pool_stats().growths - growths_before, samples};
}

}  // namespace

TEST_CASE("loader: the count sees allocations") {
  const std::int64_t before = allocations;
  // Through a volatile pointer, or the compiler removes the pair.
  void* volatile block = std::malloc(10);
  std::free(block);
  delete new std::int64_t volatile(3);
  CHECK(allocations - before >= 1);
}

TEST_CASE("loader: after the first epoch, looping asks the system for no memory") {
  for (const Dtype dtype : {float32, float64}) {
    for (const bool shuffle : {false, true}) {
      CAPTURE(shuffle);
      const Cost cost = cost_of(
          datasets::Loader(datasets::digits({.dtype = dtype}), {.batch_size = 50, .shuffle = shuffle}));
      CHECK(cost.samples == 3 * 1797);
      CHECK(cost.allocations == 0);
      CHECK(cost.growths == 0);
    }
  }
}

TEST_CASE("loader: nor does a transform that allocates nothing itself") {
  const Cost cost = cost_of(datasets::Loader(
      datasets::digits(), {.shuffle = true, .transform = [](datasets::Batch& batch, Random&) {
                             batch.labels = one_hot(batch.labels, 10);
                           }}));
  CHECK(cost.samples == 3 * 1797);
  CHECK(cost.allocations == 0);
  CHECK(cost.growths == 0);
}

TEST_CASE("loader: nor does augmentation") {
  const datasets::Augment augment(
      {datasets::random_crop({.size = 8, .padding = 1, .mode = datasets::CropPadding::reflect}),
       datasets::random_flip(), datasets::random_shift({.pixels = 1}),
       datasets::normalize({.mean = {5}, .scale = {6}})});
  for (const Dtype dtype : {float32, float64}) {
    const Cost cost = cost_of(datasets::Loader(datasets::digits({.dtype = dtype, .image = true}),
                                               {.shuffle = true, .sample_transform = augment}));
    CHECK(cost.samples == 3 * 1797);
    CHECK(cost.allocations == 0);
    CHECK(cost.growths == 0);
  }
}

#endif
