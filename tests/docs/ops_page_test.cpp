// docs/ops.md is generated from the registry; this test is the generator, too:
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

const std::filesystem::path root = XTGRAD_SOURCE_DIR;

struct Line {
  std::string name;
  std::string family;
  std::string kind;
};

const std::vector<Line> registry{
#define XTGRAD_PRIMITIVE(name, family) {#name, #family, "primitive"},
#define XTGRAD_COMPOSITE(name, family) {#name, #family, "composite"},
#define XTGRAD_CONSTANT(name, family) {#name, #family, "no gradient"},
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
};

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Declarations in ops.h, without attributes and defaults' noise, by the name of the function.
std::multimap<std::string, std::string> declarations() {
  std::multimap<std::string, std::string> found;
  const std::string header = contents(root / "autograd" / "ops.h");
  for (const std::string result : {"Tensor ", "std::vector<Tensor> ", "ValuesAndIndices "}) {
    const std::string start = "[[nodiscard]] " + result;
    for (std::size_t at = header.find(start); at != std::string::npos; at = header.find(start, at + 1)) {
      const std::size_t name = at + start.size();
      std::string text = header.substr(name, header.find(';', at) - name);
      for (std::size_t line = text.find('\n'); line != std::string::npos; line = text.find('\n')) {
        text.replace(line, text.find_first_not_of(" \n", line) - line, " ");
      }
      found.emplace(text.substr(0, text.find('(')), text);
    }
  }
  return found;
}

/// The function behind an id: `mul_number` is `mul` with a number.
std::string function_of(const std::string& name) {
  if (name.rfind("number_", 0) == 0) return name.substr(7);
  const std::size_t suffix = name.rfind("_number");
  return suffix == std::string::npos ? name : name.substr(0, suffix);
}

bool takes_number(const std::string& declaration) {
  return declaration.find("double number") != std::string::npos;
}

std::string page() {
  const auto functions = declarations();
  std::string text =
      "# Operations\n\n"
      "Generated from `autograd/ops.def` and `autograd/ops.h`; a test keeps it so. Primitives have a "
      "derivative rule\n"
      "of their own, composites are built from primitives, and both have derivatives of every order. The "
      "last kind\n"
      "gives bool or int64 and is never recorded.\n\n"
      "| operation | family | kind | functions |\n|---|---|---|---|\n";
  for (const Line& line : registry) {
    const bool number = line.family == "number";
    const auto [first, last] = functions.equal_range(function_of(line.name));
    std::string signatures;
    for (auto it = first; it != last; ++it) {
      // `sub(number, x)` and the like belong to the families that take numbers, the others elsewhere.
      if (takes_number(it->second) != number) continue;
      const bool number_first = it->second.find("(double number") != std::string::npos;
      if (number && number_first != (line.name.rfind("number_", 0) == 0)) continue;
      signatures += (signatures.empty() ? "`" : "<br>`") + it->second + "`";
    }
    if (signatures.empty() && line.name == "cast") signatures = "`Tensor::to(Dtype)`";
    CHECK_MESSAGE(!signatures.empty(), line.name << " has no function in ops.h");
    text += "| " + line.name + " | " + line.family + " | " + line.kind + " | " + signatures + " |\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the page of operations is the registry's") {
  const std::filesystem::path path = root / "docs" / "ops.md";
  const std::string expected = page();
  if (std::getenv("XTGRAD_UPDATE_DOCS") != nullptr) std::ofstream(path) << expected;
  CHECK_MESSAGE(contents(path) == expected,
                "docs/ops.md is out of date: XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/ writes it");
}
