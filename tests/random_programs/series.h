// Many programs, and what is said of the ones that fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/random_programs/check.h"

namespace xtgrad::random_programs {

/// The first program's seed: XTGRAD_PROGRAM_SEED, a number, or 0. Program number i has that one plus i.
[[nodiscard]] std::uint64_t first_seed();

struct Series {
  std::size_t programs = 0;
  std::size_t steps = 0;
  std::size_t not_comparable = 0;
  std::vector<std::string> failures = {};  ///< the first few: shrunk, with a C++ program

  /// "gradient: 500 programs of 9716 steps from seed 0, 1 of them not comparable, 0 failed".
  [[nodiscard]] std::string text(Check which, std::uint64_t first) const;
};

/// Makes a check of so many programs, or of this build's share of them (XTGRAD_SHARE).
[[nodiscard]] Series check_series(Check which, std::uint64_t first, std::size_t count);

/// The program made small, as long as the check still fails in the same way.
[[nodiscard]] Program smallest_that_fails(const Program& program, Check which, std::uint64_t seed);

/// The share of programs whose numerical derivatives may be too poor to say anything: steep ones, and those
/// with a kink that a step has led to.
inline constexpr double most_not_comparable = 0.02;

/// Makes a series, and fails the test case for what it finds, for too many that are not comparable, and for
/// none at all. Prints what was done.
void run_series(Check which, std::size_t count);

}  // namespace xtgrad::random_programs
