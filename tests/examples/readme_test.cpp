#include <doctest/doctest.h>

#include <filesystem>
#include <regex>
#include <string>

#include "tests/support/program.h"

using namespace xtgrad::testing;

namespace {

/// What is between two marks; fails the test if either is missing.
std::string between(const std::string& text, const std::string& first, const std::string& last) {
  const std::size_t begin = text.find(first);
  REQUIRE_MESSAGE(begin != std::string::npos, "not found: ", first);
  const std::size_t end = text.find(last, begin + first.size());
  REQUIRE_MESSAGE(end != std::string::npos, "not found: ", last);
  return text.substr(begin + first.size(), end - begin - first.size());
}

}  // namespace

TEST_CASE("README.md shows the model of examples/readme_model.cpp, to the letter") {
  const std::filesystem::path root = XTGRAD_SOURCE_DIR;
  const std::string readme = file_text(root / "README.md");
  const std::string section = readme.substr(std::min(readme.find("\n## A model\n"), readme.size()));
  const std::string shown = between(section, "```cpp\n", "```");
  const std::string code =
      between(file_text(root / "examples/readme_model.cpp"), "// [readme]\n", "// [/readme]");
  CHECK(shown == code);
}

TEST_CASE("the model of README.md learns the digits") {
  const ProgramResult result = run_program(std::filesystem::path(XTGRAD_EXAMPLES) / "readme_model", {});
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  REQUIRE(std::regex_match(result.out, std::regex("accuracy: [01]\\.\\d{4}\n")));
  CHECK(std::stod(result.out.substr(10)) > 0.95);
}
