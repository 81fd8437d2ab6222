// The commands of the README on the real files, where they are.
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/examples/train_program.h"
#include "tests/support/skip.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

/// The folder of data sets: XTGRAD_DATA or ../shared/data. Where it has no `folder`, skips the test and
/// returns nothing.
std::string data_folder(const std::string& folder) {
  const char* named = std::getenv("XTGRAD_DATA");
  const fs::path root =
      named != nullptr && *named != '\0' ? fs::path(named) : fs::path(XTGRAD_SOURCE_DIR) / "../shared/data";
  if (fs::is_directory(root / folder)) return root.string();
  skip("no folder " + (root / folder).string());
  return {};
}

/// Mean test accuracy over some seeds of `--data data --model model`, everything else as it comes.
double mean_accuracy(const std::string& root, const std::vector<std::string>& arguments, int seeds) {
  double total = 0;
  for (int seed = 0; seed < seeds; ++seed) {
    const TemporaryFolder folder;
    std::vector<std::string> all{"--data-dir", root, "--seed", std::to_string(seed), "--quiet"};
    all.insert(all.begin(), arguments.begin(), arguments.end());
    const ProgramResult result = train_into(folder.path(), all);
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const double accuracy = report_in(folder.path()).at("test_accuracy").get<double>();
    const auto timing = nlohmann::json::parse(file_text(folder.path() / "timing.json"));
    MESSAGE("seed ", seed, ": test accuracy ", accuracy, ", training ",
            timing.at("training_seconds").get<double>(), " s");
    total += accuracy;
  }
  return total / seeds;
}

}  // namespace

TEST_CASE("the conv net gets 99 % of MNIST right within 3 epochs over three seeds") {
  const std::string root = data_folder("mnist");
  if (root.empty()) return;
  CHECK(mean_accuracy(root, {"--data", "mnist", "--model", "convnet", "--epochs", "3"}, 3) >= 0.990);
}

TEST_CASE("the mlp gets 97.5 % of MNIST right within 5 epochs over three seeds") {
  const std::string root = data_folder("mnist");
  if (root.empty()) return;
  CHECK(mean_accuracy(root, {"--data", "mnist", "--model", "mlp", "--epochs", "5"}, 3) >= 0.975);
}

TEST_CASE("the conv net gets 90 % of Fashion-MNIST right within 8 epochs over three seeds") {
  const std::string root = data_folder("fashion-mnist");
  if (root.empty()) return;
  CHECK(mean_accuracy(root, {"--data", "fashion-mnist", "--model", "convnet", "--epochs", "8"}, 3) >= 0.90);
}

TEST_CASE("the conv net gets half of CIFAR-10's subset right over three seeds") {
  const std::string root = data_folder("cifar10-subset");
  if (root.empty()) return;
  CHECK(mean_accuracy(root, {"--data", "cifar10", "--model", "convnet"}, 3) >= 0.50);
}
