// Programs as C++: what is printed compiles, whichever lines of steps.def it is made of.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "tests/random_programs/generate.h"
#include "tests/support/program.h"

namespace xtgrad::random_programs { namespace {

TEST_CASE("words of an expression are replaced, members are not") {
  const auto axis = [](std::string_view word) -> std::optional<std::string> {
    return word == "axis" ? std::optional<std::string>("2") : std::nullopt;
  };
  CHECK(replace_words("sum(a, {.axes = {axis}, .axis = axis})", axis) == "sum(a, {.axes = {2}, .axis = 2})");
}

TEST_CASE("printed programs compile") {
  std::set<const Row*> seen;
  std::string text;
  std::size_t printed = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const Program program = generate(seed);
    const std::size_t before = seen.size();
    for (const Step& step : program.steps) seen.insert(step.row);
    if (seen.size() == before) continue;
    const std::string one = to_cpp(program);
    const std::size_t begin = one.find("int main()");
    REQUIRE(begin != std::string::npos);
    if (text.empty()) text = one.substr(0, begin);
    text += "int program" + std::to_string(++printed) + one.substr(begin + std::string("int main").size());
    // A main may end without a return, other functions may not.
    text.insert(text.size() - 2, "  return 0;\n");
  }
  CHECK(seen.size() > all_rows().size());  // and the one that only the generator puts in
  const testing::TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "printed.cpp";
  std::ofstream(source) << text;
  const testing::ProgramResult compiled =
      testing::run_program(XTGRAD_CXX, {"-std=c++20", "-fsyntax-only", "-I", XTGRAD_SOURCE_DIR, "-I",
                                        std::string(XTGRAD_SOURCE_DIR) + "/include", source.string()});
  CHECK_MESSAGE(compiled.exit_code == 0, compiled.err.substr(0, 4000));
}

}}  // namespace xtgrad::random_programs
