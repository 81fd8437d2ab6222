// What the compiler says about a signature that a module cannot have: one sentence, first of all.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/program.h"

using namespace xtgrad::testing;

namespace {

/// The lines that the compiler prints about a program that derives from `base`, and calls a module of its
/// type.
std::vector<std::string> compile(const std::string& base, const std::string& result,
                                 const std::string& argument) {
  const TemporaryFolder folder;
  const std::filesystem::path source = folder.path() / "model.cpp";
  std::ofstream(source) << "#include <xtgrad/nn/module.h>\n"
                           "using namespace xtgrad;\n"
                           "struct Opaque { int a; };\n"
                           "struct M : nn::ModuleOf<"
                        << base << "> {\n  " << result << " forward(" << argument
                        << ") override { throw 1; }\n"
                        << "};\n";
  const std::string include = (std::filesystem::path(XTGRAD_SOURCE_DIR) / "include").string();
  const ProgramResult compiled =
      run_program(XTGRAD_CXX, {"-std=c++20", "-fsyntax-only", "-I", include, source.string()});
  std::vector<std::string> lines = lines_of(compiled.err);
  CHECK((compiled.exit_code == 0) == lines.empty());
  return lines;
}

/// True if the first error is this sentence, and little else is said.
void check_says(const std::vector<std::string>& lines, const std::string& sentence) {
  for (const std::string& line : lines) CAPTURE(line);
  CHECK(lines.size() <= 12);
  const auto first = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("error:") != std::string::npos;
  });
  REQUIRE(first != lines.end());
  CAPTURE(*first);
  CHECK(first->find(sentence) != std::string::npos);
}

}  // namespace

TEST_CASE("a signature that a module can have compiles without a word") {
  CHECK(compile("Tensor(const Tensor&, bool)", "Tensor", "const Tensor&, bool").empty());
}

TEST_CASE("the compiler says in a sentence what a module's signature may not be") {
  check_says(compile("Tensor(const Opaque&)", "Tensor", "const Opaque&"),
             "nn::ModuleOf: every argument of forward must be a Tensor, ");
  check_says(compile("Tensor(Tensor&)", "Tensor", "Tensor&"),
             "nn::ModuleOf: every argument of forward must be a Tensor, ");
  check_says(compile("Opaque(const Tensor&)", "Opaque", "const Tensor&"),
             "nn::ModuleOf: forward must return a Tensor, ");
  check_says(compile("void(const Tensor&)", "void", "const Tensor&"),
             "nn::ModuleOf: forward must return a Tensor, ");
  check_says(compile("Tensor", "Tensor", "const Tensor&"),
             "nn::ModuleOf is given the signature of forward, as in ");
}
