// Where headers are found, and what is called what.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/program.h"

namespace xtgrad::house { namespace {

using testing::file_text;

namespace fs = std::filesystem;

TEST_CASE("headers are where their users' include says, without a configured build") {
  static const std::regex include("#include \"(xtgrad/[^\"]+)\"");
  std::set<std::string> named;
  for (const std::string& file : sources_in(all_folders())) {
    const std::string text = file_text(source_root() / file);
    for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it) {
      named.insert((*it)[1]);
    }
  }
  CHECK(named.size() > 150);
  for (const std::string& header : named)
    CHECK_MESSAGE(fs::exists(source_root() / "include" / header), header);
  for (const std::string& folder : library_folders()) {
    const fs::path link = source_root() / "include/xtgrad" / folder;
    CHECK(fs::is_symlink(link));
    CHECK(fs::read_symlink(link).is_relative());
  }
}

TEST_CASE("a test's name leaves it to ctest --preset long only where that is meant") {
  std::set<std::string> left;
  for (const auto& entry : fs::recursive_directory_iterator(source_root() / "tests")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("long_") && name.ends_with("_test.cpp")) left.insert(name);
  }
  CHECK(left == std::set<std::string>{"long_accuracy_test.cpp", "long_conv_net_test.cpp",
                                      "long_fork_test.cpp", "long_pytorch_test.cpp",
                                      "long_random_programs_test.cpp", "long_real_data_accuracy_test.cpp"});
}

TEST_CASE("one header knows how each compiler tells its sanitizers") {
  std::vector<std::string> folders = library_folders();
  folders.insert(folders.end(), {"tests", "benchmarks", "examples"});
  std::set<std::string> asking;
  for (const std::string& file : sources_in(folders)) {
    const std::string text = file_text(source_root() / file);
    // In two, or this file would be one of them.
    if (text.find("__SANI"
                  "TIZE_") != std::string::npos)
      asking.insert(file);
  }
  CHECK(asking == std::set<std::string>{"autograd/sanitizers.h"});
}

TEST_CASE("what is called a slot is one thing") {
  static const std::regex slot("\\b(?:class|struct) (?:XTGRAD_\\w+ )?(\\w*Slot)\\b[^;]*\\{");
  std::map<std::string, std::string> found;
  for (const std::string& file : sources_in(library_folders())) {
    const std::string text = file_text(source_root() / file);
    for (std::sregex_iterator it(text.begin(), text.end(), slot), end; it != end; ++it) {
      CHECK_MESSAGE(found.emplace((*it)[1], file).second, (*it)[1].str() << " is another one in " << file);
    }
  }
  CHECK(found == std::map<std::string, std::string>{{"Slot", "autograd/core/node.h"}});
}

}}  // namespace xtgrad::house
