#include "tests/random_programs/series.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "tests/random_programs/generate.h"
#include "tests/random_programs/shrink.h"
#include "tests/support/share.h"

namespace xtgrad::random_programs {
namespace {

/// An exception and a wrong number are two faults.
bool fails_alike(const std::string& failure, const std::string& other) {
  return !other.empty() && failure.starts_with("threw") == other.starts_with("threw");
}

std::string described(const Program& program, Check which, std::uint64_t seed, const std::string& failure) {
  const Program small = smallest_that_fails(program, which, seed);
  return fmt::format("seed {}, {}: {}\nof {} steps, {} are left: {}\n{}\n{}", seed, to_string(which), failure,
                     program.steps.size(), small.steps.size(), check(small, which, seed).failure,
                     to_text(small), to_cpp(small));
}

}  // namespace

std::uint64_t first_seed() {
  const char* seed = std::getenv("XTGRAD_PROGRAM_SEED");
  return seed == nullptr ? 0 : std::strtoull(seed, nullptr, 10);
}

std::string Series::text(Check which, std::uint64_t first) const {
  return fmt::format("{}: {} programs of {} steps from seed {}, {} of them not comparable, {} failed",
                     to_string(which), programs, steps, first, not_comparable, failures.size());
}

Program smallest_that_fails(const Program& program, Check which, std::uint64_t seed) {
  const std::string failure = check(program, which, seed).failure;
  return shrunk(program,
                [&](const Program& each) { return fails_alike(failure, check(each, which, seed).failure); });
}

Series check_series(Check which, std::uint64_t first, std::size_t count) {
  constexpr std::size_t most_failures = 5;
  const testing::Share part = testing::share();
  Series series;
  for (std::size_t i = 0; i < count && series.failures.size() < most_failures; ++i) {
    if (!part.has(i)) continue;
    const std::uint64_t seed = first + i;
    const Program program = generate(seed);
    const Verdict verdict = check(program, which, seed);
    ++series.programs;
    series.steps += program.steps.size();
    series.not_comparable += verdict.is_comparable ? 0 : 1;
    if (!verdict.failure.empty()) series.failures.push_back(described(program, which, seed, verdict.failure));
  }
  return series;
}

void run_series(Check which, std::size_t count) {
  const std::uint64_t first = first_seed();
  const Series series = check_series(which, first, count);
  std::cout << series.text(which, first) << std::endl;
  for (const std::string& failure : series.failures) FAIL_CHECK(failure);
  CHECK(series.programs >= testing::share().least_of(count));
  CHECK(static_cast<double>(series.not_comparable) <=
        1 + most_not_comparable * static_cast<double>(series.programs));
}

}  // namespace xtgrad::random_programs
