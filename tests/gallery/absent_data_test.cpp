// What a full run of a page does where MNIST and CIFAR-10 are not found.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

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

std::vector<std::string> keys_of(const nlohmann::ordered_json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
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
  REQUIRE(notes["pictures"].size() == 1);
  CHECK(notes["pictures"].contains("03_linear_classifier_templates_digits.png"));
  CHECK(fs::exists(folder.path() / "03_linear_classifier_templates_digits.png"));
  // Of all data sets together, or not at all.
  CHECK_FALSE(fs::exists(folder.path() / "03_linear_classifier_accuracy.png"));
  CHECK_FALSE(notes["numbers"].contains("accuracy of one matrix (%)"));
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

TEST_CASE("gallery: pictures that need absent data stay as they are, with their captions and numbers") {
  // What a run without MNIST and CIFAR-10 may draw and note anew; all the rest is kept.
  struct Case {
    std::string page;
    std::vector<std::string> pictures;
    std::string numbers;  // a pattern
  };
  for (const Case& c :
       {Case{"02_neighbors",
             {"02_neighbors_digits_k.png", "02_neighbors_digits_nearest.png", "02_neighbors_choices.png"},
             "digits: .*|k chosen on .*|labels 1, 0, 0, 1 .*"},
        {"03_linear_classifier",
         {"03_linear_classifier_templates_digits.png"},
         "digits: .*|scores of .*|largest difference .*|training loss .*|two matrices, .*"},
        {"07_activations", {"07_activations_derivatives.png"}, ".* at -3, -1, -0.25, 0.5, 2"},
        {"08_vanishing_gradients", {}, ""},
        {"11_convolution", {}, ""},
        {"14_conv_net", {}, ""}}) {
    CAPTURE(c.page);
    const TemporaryFolder folder;
    // As the committed run has it, but each thing marked.
    nlohmann::ordered_json before = nlohmann::ordered_json::parse(
        file_text(fs::path(XTGRAD_SOURCE_DIR) / "docs/gallery" / (c.page + ".json")));
    for (auto& [file, caption] : before["pictures"].items()) {
      caption = "Of the run before.";
      std::ofstream(folder.path() / file) << "picture of the run before";
    }
    for (auto& [name, value] : before["numbers"].items()) value = -77;
    std::ofstream(folder.path() / (c.page + ".json")) << before;

    const ProgramResult result = run_without_data(c.page, folder.path());
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    CHECK(says(result.out, c.page + ": what needs mnist is left out"));
    const auto after = nlohmann::ordered_json::parse(file_text(folder.path() / (c.page + ".json")));
    REQUIRE(after["pictures"].size() == before["pictures"].size());
    for (const auto& picture : after["pictures"].items()) {
      const std::string& file = picture.key();
      const bool drawn = std::ranges::find(c.pictures, file) != c.pictures.end();
      CHECK_MESSAGE((picture.value() != "Of the run before.") == drawn, file);
      CHECK_MESSAGE((file_text(folder.path() / file) != "picture of the run before") == drawn, file);
    }
    REQUIRE(after["numbers"].size() == before["numbers"].size());
    const std::regex noted(c.numbers);
    for (const auto& number : after["numbers"].items()) {
      const std::string& name = number.key();
      CHECK_MESSAGE((number.value() != -77) == std::regex_match(name, noted), name);
    }
    // In their places, too: the index shows them in this order.
    CHECK(keys_of(after["pictures"]) == keys_of(before["pictures"]));
    CHECK(keys_of(after["numbers"]) == keys_of(before["numbers"]));
  }
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
