#include <doctest/doctest.h>

#include <string>

#include "tests/examples/train_program.h"

using namespace xtgrad::testing;

namespace {

double mean_accuracy(const std::string& model) {
  double total = 0;
  for (const std::string seed : {"0", "1", "2", "3", "4"}) {
    const TemporaryFolder folder;
    const ProgramResult result = train_into(folder.path(), {"--model", model, "--quiet", "--seed", seed});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const double accuracy = report_in(folder.path()).at("test_accuracy").get<double>();
    MESSAGE("seed ", seed, ": test accuracy ", accuracy);
    total += accuracy;
  }
  MESSAGE("mean ", total / 5);
  return total / 5;
}

}  // namespace

TEST_CASE("train, as it comes, gets 96.5 % of the test digits right over five seeds") {
  CHECK(mean_accuracy("mlp") >= 0.965);
}

TEST_CASE("the conv net of the demo gets 98 % of the test digits right over five seeds") {
  CHECK(mean_accuracy("convnet") >= 0.98);
}
