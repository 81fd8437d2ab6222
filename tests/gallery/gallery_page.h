#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace xtgrad::inline v1::testing {

/// How many sentences a caption has: each ends with a full stop, before a space or the end. What follows the
/// last full stop is one, too.
inline int sentences_in(const std::string& caption) {
  int count = 0;
  std::size_t begin = 0;
  while (begin < caption.size()) {
    const std::size_t end = caption.find(". ", begin);
    ++count;
    if (end == std::string::npos) break;
    begin = end + 2;
  }
  return count;
}

/// What a page of the gallery notes in a quick run.
class GalleryPage {
 public:
  /// Runs it; fails the test if it fails, or if a picture that it notes is not there.
  explicit GalleryPage(const std::string& name) {
    const std::filesystem::path program = std::filesystem::path(XTGRAD_EXAMPLES) / "gallery" / name;
    const std::string measured =
        (std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/gallery/measured.json").string();
    const ProgramResult result =
        run_program(program, {"--quick", "--measured", measured, folder_.path().string()});
    REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    notes_ = nlohmann::json::parse(file_text(folder_.path() / (name + ".json")));
    CHECK(!notes_["pictures"].empty());
    for (const auto& picture : notes_["pictures"].items()) {
      const std::string& file = picture.key();
      CHECK_MESSAGE(std::filesystem::file_size(folder_.path() / file) > 500, file);
      const auto caption = picture.value().get<std::string>();
      CHECK_MESSAGE(caption.size() > 40, file);
      CHECK_MESSAGE(sentences_in(caption) == 2, file);
    }
  }

  [[nodiscard]] double number(const std::string& name) const { return noted(name).get<double>(); }
  [[nodiscard]] std::vector<double> numbers(const std::string& name) const {
    return noted(name).get<std::vector<double>>();
  }
  [[nodiscard]] std::string caption(const std::string& file) const { return notes_["pictures"].at(file); }
  [[nodiscard]] std::string text(const std::string& file) const { return file_text(folder_.path() / file); }

 private:
  [[nodiscard]] nlohmann::json noted(const std::string& name) const {
    REQUIRE_MESSAGE(notes_["numbers"].contains(name), name);
    return notes_["numbers"][name];
  }

  TemporaryFolder folder_;
  nlohmann::json notes_;
};

}  // namespace xtgrad::testing
