#include <doctest/doctest.h>

#include <string>

#include "tests/examples/train_program.h"

using namespace xtgrad::testing;

TEST_CASE("train, as it comes, gets 96.5 % of the test digits right over five seeds") {
  double total = 0;
  for (const std::string seed : {"0", "1", "2", "3", "4"}) {
    const TemporaryFolder folder;
    const ProgramResult result = train_into(folder.path(), {"--quiet", "--seed", seed});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const double accuracy = report_in(folder.path()).at("test_accuracy").get<double>();
    MESSAGE("seed ", seed, ": test accuracy ", accuracy);
    total += accuracy;
  }
  MESSAGE("mean ", total / 5);
  CHECK(total / 5 >= 0.965);
}
