#pragma once

#include <cstdint>

#include "xtgrad/autograd/random.h"

namespace xtgrad::inline v1::datasets::detail {

/// What a seed is used for.
enum class SeedUse : std::uint64_t { samples, split, order, transform, sample_transform, sampler };

/// A generator for one use of a seed. Users give one seed to everything. If its bits were the same
/// everywhere, the noise of sample i would decide where sample i ends up in a split or a shuffle, and a test
/// set would be noisier than its training set.
inline Random random_for(std::uint64_t seed, SeedUse use) {
  // Positions at the far end, which no generator seeded by the user reaches.
  const auto words = Random::block(seed, ~static_cast<std::uint64_t>(use), 0);
  return Random(words[0] | std::uint64_t{words[1]} << 32);
}

}  // namespace xtgrad::v1::datasets::detail
