// Draws programs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/random_programs/program.h"

namespace xtgrad::random_programs {

struct GenerateOptions {
  std::int64_t least_steps = 5;
  std::int64_t most_steps = 60;
  /// Rows beside those of the table.
  std::vector<const Row*> more = {};
  /// If there is one, a row that comes in after the first few steps, and whose value is used.
  const Row* with = nullptr;
};

/// A program that depends on the seed alone. All values are finite, up to 100 in size, and away from kinks by
/// `kink_margin` at least.
[[nodiscard]] Program generate(std::uint64_t seed, const GenerateOptions& options = {});

inline constexpr double kink_margin = 0.02;

}  // namespace xtgrad::random_programs
