// The parts together, through the one header that has them all.
#include "xtgrad/datasets/datasets.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <span>

#include "xtgrad/xtgrad.h"

using namespace xtgrad;
using namespace xtgrad::datasets;

TEST_CASE("datasets: digits, split, normalised and loaded, are told apart by their class means") {
  const Dataset data = unit_range(digits({.dtype = float64}), {.high = 16});
  auto [train, test] = stratified_split(data, {.test = 0.25, .seed = 1});
  const Normalizer normalizer = Normalizer::fit(train.inputs());
  train = normalizer(train);
  test = normalizer(test);

  // Sums of each class's images: one-hot labels [b, 10] pick the rows.
  Tensor sums = zeros({10, 64}, {.dtype = float64});
  Tensor counts = zeros({10, 1}, {.dtype = float64});
  Loader loader(train, {.batch_size = 64, .shuffle = true, .seed = 1, .transform = one_hot_labels(10)});
  for (auto& [x, y] : loader) {
    sums = sums + matmul(y, x, {.transpose_a = true});  // [10, 64]
    counts = counts + reshape(sum(y, {.axes = {0}}), {10, 1});
  }
  CHECK(sum(counts).item() == static_cast<double>(train.size()));
  const Tensor means = sums / counts;

  std::int64_t right = 0;
  Loader test_loader(test, {.batch_size = 100});
  for (auto& [x, y] : test_loader) {
    // |x - m|^2 less |x|^2, which is the same for all m.
    const Tensor distance = sum(square(means), {.axes = {1}}) - 2.0 * matmul(x, means, {.transpose_b = true});
    const Tensor guess = argmax(-distance, 1);
    const Tensor hits = equal(guess, y);
    for (const bool hit : hits.data<bool>()) right += hit;
  }
  // A tenth would be chance, as labels that lost their images would give.
  CHECK(static_cast<double>(right) > 0.85 * static_cast<double>(test.size()));
}
