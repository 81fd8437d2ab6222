// Twenty thousand programs through each of the checks: some ten minutes.
#include <doctest/doctest.h>

#include "tests/random_programs/series.h"

namespace xtgrad::random_programs { namespace {

constexpr std::size_t count = 20000;

TEST_CASE("twenty thousand random programs: gradients") { run_series(Check::gradient, count); }
TEST_CASE("twenty thousand random programs: second derivatives") { run_series(Check::second, count); }
TEST_CASE("twenty thousand random programs: third derivatives") { run_series(Check::third, count); }
TEST_CASE("twenty thousand random programs: float32") { run_series(Check::precision, count); }
TEST_CASE("twenty thousand random programs: checkpoints") { run_series(Check::checkpoint, count); }
TEST_CASE("twenty thousand random programs: steps run again") { run_series(Check::again, count); }
TEST_CASE("twenty thousand random programs: replays") { run_series(Check::replay, count); }

}}  // namespace xtgrad::random_programs
