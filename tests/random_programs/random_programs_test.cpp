// Five hundred programs through each of the checks. XTGRAD_PROGRAM_SEED, a number, draws others; a failure is
// printed with its seed, shrunk, and as a C++ program.
#include <doctest/doctest.h>

#include "tests/random_programs/series.h"

namespace xtgrad::random_programs { namespace {

constexpr std::size_t count = 500;

TEST_CASE("random programs have the gradients that differences of their values say") {
  run_series(Check::gradient, count);
}
TEST_CASE("random programs have the second derivatives that differences of gradients say") {
  run_series(Check::second, count);
}
TEST_CASE("random programs have the third derivatives that differences of second ones say") {
  run_series(Check::third, count);
}
TEST_CASE("random programs give in float32 what they give in float64") {
  run_series(Check::precision, count);
}
TEST_CASE("random programs keep their bits in a checkpoint") { run_series(Check::checkpoint, count); }
TEST_CASE("random programs keep their bits where their steps run again") { run_series(Check::again, count); }
TEST_CASE("random programs keep their bits in a replay") { run_series(Check::replay, count); }

}}  // namespace xtgrad::random_programs
