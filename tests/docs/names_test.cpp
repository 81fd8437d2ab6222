// What the documentation names is there: files by their paths, links by their targets, and, on the pages
// about the library itself, every word that is set as code.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace {

namespace fs = std::filesystem;
using xtgrad::testing::file_text;

const fs::path root = XTGRAD_SOURCE_DIR;

std::vector<fs::path> documents() {
  std::vector<fs::path> found{root / "README.md", root / "CONTRIBUTING.md"};
  for (const auto& entry : fs::recursive_directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") found.push_back(entry.path());
  }
  return found;
}

/// The first group of every match.
std::vector<std::string> all(const std::string& text, const char* pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) {
    found.push_back((*it)[1]);
  }
  return found;
}

/// A page without its blocks of code, which are quoted from sources or are what a program prints.
std::string prose(const std::string& page) {
  std::string text;
  bool in_block = false;
  for (const std::string& line : xtgrad::testing::lines_of(page)) {
    if (line.starts_with("```")) in_block = !in_block;
    if (!in_block && !line.starts_with("```")) text += line + "\n";
  }
  return text;
}

/// What stands between backquotes in a line.
std::vector<std::string> code_in(const std::string& text) { return all(text, "`([^`\n]+)`"); }

bool is_path(const std::string& code) {
  static const std::regex path("[\\w./-]+");
  static const std::set<std::string> folders = {
      "autograd", "nn",      "optim",  "datasets", "training", "tests", "examples", "benchmarks",
      "scripts",  "docs",    "cmake",  "include",  "kernels",  "core",  "sweep",    "ops",
      "memory",   "observe", "replay", "io",       "check",    "plot"};
  const std::size_t slash = code.find('/');
  return slash != std::string::npos && std::regex_match(code, path) &&
         folders.contains(code.substr(0, slash));
}

/// What a build makes, and what is others'.
const std::set<std::string> elsewhere = {"tests/fuzz/found/", "OMP_WAIT_POLICY", "passive"};

/// Paths are from the root; those in autograd/ may begin there, and a program has the name of its source.
bool is_there(const std::string& path) {
  for (const fs::path& folder : {root, root / "autograd", root / "include"}) {
    if (fs::exists(folder / path) || fs::exists(folder / (path + ".cpp"))) return true;
  }
  return false;
}

/// Every word of the sources, those of comments left out.
std::set<std::string> words_of_sources() {
  static const std::regex comment("//[^\n]*");
  static const std::set<std::string> kinds = {".h", ".cpp", ".def", ".c", ".cmake", ".txt", ".json"};
  std::set<std::string> words;
  const auto add = [&](const fs::path& file) {
    const std::string text = std::regex_replace(file_text(file), comment, "");
    for (std::string& word : all(text, "([A-Za-z_]\\w*)")) words.insert(std::move(word));
  };
  for (const char* folder : {"autograd", "nn", "optim", "datasets", "training", "plot", "tests", "examples",
                             "benchmarks", "cmake"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && kinds.contains(entry.path().extension().string())) add(entry.path());
    }
  }
  add(root / "CMakeLists.txt");
  return words;
}

}  // namespace

TEST_CASE("files and folders that a page names are there") {
  std::size_t count = 0;
  for (const fs::path& document : documents()) {
    CAPTURE(document.filename().string());
    for (const std::string& code : code_in(prose(file_text(document)))) {
      if (!is_path(code)) continue;
      CHECK_MESSAGE((is_there(code) || elsewhere.contains(code)), code);
      ++count;
    }
  }
  CHECK(count > 80);
  CHECK(is_path("core/compute.h"));
  CHECK_FALSE(is_there("core/door.h"));
}

TEST_CASE("links lead to files that are there") {
  std::size_t count = 0;
  for (const fs::path& document : documents()) {
    CAPTURE(document.filename().string());
    const std::string text = std::regex_replace(prose(file_text(document)), std::regex("`[^`\n]*`"), "");
    for (const std::string& target : all(text, "\\]\\(([^)#]+)")) {
      if (target.starts_with("http")) continue;
      CHECK_MESSAGE(fs::exists(document.parent_path() / target), target);
      ++count;
    }
    for (const std::string& image : all(text, "<img src=\"([^\"]+)")) {
      CHECK_MESSAGE(fs::exists(document.parent_path() / image), image);
    }
  }
  CHECK(count > 10);
}

TEST_CASE("what the conv net's page erases from a state is a stream of its model") {
  const std::string page = file_text(root / "docs" / "conv_net.md");
  const std::vector<std::string> layers = all(page, "erase\\(\"(\\w+)\\.stream\"\\)");
  REQUIRE(layers.size() == 1);
  CHECK(page.find("nn::Dropout " + layers[0] + "{") != std::string::npos);
  CHECK(page.find("m(\"" + layers[0] + "\", " + layers[0] + ");") != std::string::npos);
}

TEST_CASE("every word that the pages on the library set as code is one of its sources'") {
  const std::set<std::string> words = words_of_sources();
  for (const std::string page :
       {"architecture.md", "traps.md", "extending.md", "observing.md", "checkpoint_and_implicit.md",
        "transforms.md", "training.md", "plot.md", "data.md", "programs.md"}) {
    CAPTURE(page);
    for (const std::string& code : code_in(prose(file_text(root / "docs" / page)))) {
      if (is_path(code)) continue;
      for (const std::string& word : all(code, "([A-Za-z_]\\w*)")) {
        CHECK_MESSAGE((words.contains(word) || elsewhere.contains(word)),
                      "`" << code << "`: no source says " << word);
      }
    }
  }
  CHECK(words.contains("PendingCotangents"));
  CHECK_FALSE(words.contains(std::string("Pending") + "Heap"));
}
