// Alone, because it forks beside the loader's threads.
#include <doctest/doctest.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/forks.h"
#include "tests/support/values.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/sanitizers.h"
#include "xtgrad/datasets/loader.h"

using namespace xtgrad;

// A child of a process with threads may not start any under the thread sanitizer, and the address sanitizer's
// allocator leaves its own locks held in it.
#if !XTGRAD_THREAD_SANITIZER && !XTGRAD_ADDRESS_SANITIZER

TEST_CASE("a child of fork() goes on with an epoch that its parent's workers were at, and ends it") {
  const datasets::Dataset data({.inputs = arange(40), .labels = zeros({40})});
  datasets::Loader loader(data, {.batch_size = 4, .workers = 3});
  std::vector<std::vector<double>> batches;
  for (auto& batch : loader) batches.push_back(testing::values(batch.inputs));
  REQUIRE(batches.size() == 10);
  for (int round = 0; round < 50; ++round) {
    std::optional<datasets::Loader::Iterator> at = loader.begin();
    ++*at;
    // The child's copy of the iterator ends there, without waiting for workers that it has not.
    const auto rest_is_right = [&] {
      for (std::size_t i = 1; i < batches.size(); ++i, ++*at) {
        if (testing::values((**at).inputs) != batches[i]) return 1;
      }
      const bool is_over = *at == loader.end();
      at.reset();
      return is_over ? 0 : 2;
    };
    const testing::ChildEnd end = testing::in_child(rest_is_right);
    REQUIRE(!end.hung);
    REQUIRE(end.code == 0);
    CHECK(rest_is_right() == 0);
  }
}

#endif
