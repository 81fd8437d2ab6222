// The code of docs/memory.md, without that of other libraries: see eigen_test.cpp, dlpack_test.cpp and
// alone_opencv_test.cpp.

#include <doctest/doctest.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/memory.h"
#include "xtgrad/xtgrad.h"

using namespace xtgrad;

TEST_CASE("docs/memory.md: numbers") {
  reset_peak_memory();
  const std::int64_t before = memory_in_use();
  {
    const Tensor x = zeros({1000, 1000});
    CHECK(memory_in_use() - before >= 4'000'000);
  }
  CHECK(peak_memory() - before >= 4'000'000);  // the most since reset_peak_memory
  CHECK(memory_in_use() == before);
  CHECK(memory_reserved() >= memory_in_use());  // in use, and idle
}

TEST_CASE("docs/memory.md: limits") {
  set_memory_cache_limit(100'000'000);  // at most so many bytes lie idle
  release_cached_memory();              // none do
  set_memory_cache_limit(-1);
}

TEST_CASE("docs/memory.md: running out") {
  std::string said;
  try {
    static_cast<void>(zeros({1'000'000, 1'000'000, 100}));
  } catch (const OutOfMemory& error) {
    said = error.what();  // "zeros: out of memory: 400000000000064 bytes asked for, ... bytes in use"
    CHECK(error.bytes_asked() >= 400'000'000'000'000);
  }
  CHECK(said.starts_with("zeros: out of memory: "));
}

TEST_CASE("docs/memory.md: spans") {
  const std::vector<float> pixels(6, 0.5F);
  const Tensor x = from_span(std::span<const float>(pixels), {2, 3});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.at({1, 2}) == 0.5);
}
