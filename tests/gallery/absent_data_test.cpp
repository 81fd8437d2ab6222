// What a full run of a page does where MNIST and CIFAR-10 are not found.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/program.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

const fs::path programs = fs::path(XTGRAD_EXAMPLES) / "gallery";

/// A full run that looks for data in an empty folder, and is started in another: `data` of the folder that it
/// is started in is looked at, too.
ProgramResult run_without_data(const std::string& page, const fs::path& notes) {
  const TemporaryFolder empty;
  const TemporaryFolder place;
  return run_program("/bin/sh",
                     {"-c", "cd \"$1\" && exec \"$2\" \"$3\"", "sh", place.path().string(),
                      (programs / page).string(), notes.string()},
                     {.environment = {"XTGRAD_DATA=" + empty.path().string()}});
}

nlohmann::json notes_in(const TemporaryFolder& folder, const std::string& page) {
  return nlohmann::json::parse(file_text(folder.path() / (page + ".json")));
}

bool says(const std::string& text, const std::string& what) { return text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("gallery: a page whose data is absent says which files are missing, draws the rest, and goes on") {
  const TemporaryFolder folder;
  const ProgramResult result = run_without_data("03_linear_classifier", folder.path());
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  CHECK(says(result.out,
             "03_linear_classifier: what needs mnist is left out: mnist: no folder has all of "
             "train-images-idx3-ubyte, train-labels-idx1-ubyte"));
  CHECK(says(result.out,
             "03_linear_classifier: what needs cifar10 is left out: cifar10: no folder has all of "
             "data_batch_1.bin"));
  CHECK(says(result.out, "scripts/download_data.sh mnist"));
  CHECK(says(result.out, "scripts/download_data.sh cifar10"));

  const nlohmann::json notes = notes_in(folder, "03_linear_classifier");
  CHECK(notes["left out"] == nlohmann::json({"mnist", "cifar10"}));
  REQUIRE(notes["pictures"].size() == 2);
  for (const auto& [file, caption] : notes["pictures"].items()) CHECK(fs::exists(folder.path() / file));
  CHECK(notes["pictures"].contains("03_linear_classifier_templates_digits.png"));
  CHECK(notes["numbers"]["accuracy of one matrix (%)"].size() == 2);  // spirals and digits
}

TEST_CASE("gallery: what is left out stays as the run before has noted it, and the index says so") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "03_linear_classifier.json") << R"json({"title": "Old",
      "pictures": {"03_linear_classifier_templates_MNIST.png": "Of the run before",
                   "03_linear_classifier_templates_digits.png": "Of the run before"},
      "numbers": {"MNIST: chosen λ": 0.25, "digits: chosen λ": 77}, "left out": []})json";
  const ProgramResult result = run_without_data("03_linear_classifier", folder.path());
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const nlohmann::json notes = notes_in(folder, "03_linear_classifier");
  CHECK(notes["title"] != "Old");
  CHECK(notes["pictures"]["03_linear_classifier_templates_MNIST.png"] == "Of the run before");
  CHECK(notes["pictures"]["03_linear_classifier_templates_digits.png"] != "Of the run before");
  CHECK(notes["numbers"]["MNIST: chosen λ"] == 0.25);
  CHECK(notes["numbers"]["digits: chosen λ"] != 77);

  REQUIRE(run_program(programs / "gallery_index", {folder.path().string()}).exit_code == 0);
  const std::string index = file_text(folder.path() / "index.html");
  CHECK(says(index, "What needs mnist was left out: scripts/download_data.sh mnist"));
  CHECK(says(index, "03_linear_classifier_templates_MNIST.png has not been drawn here."));
}

TEST_CASE("gallery: a page that needs absent data for all it shows ends well, and has nothing to show") {
  const TemporaryFolder folder;
  const ProgramResult result = run_without_data("14_conv_net", folder.path());
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  CHECK(says(result.out, "14_conv_net: what needs mnist is left out"));
  const nlohmann::json notes = notes_in(folder, "14_conv_net");
  CHECK(notes["left out"] == nlohmann::json({"mnist", "cifar10"}));
  CHECK(notes["pictures"].empty());
  CHECK(notes["numbers"].empty());
}
