// docs/ops.md is generated from the registry; this test is the generator, too:
//   XTGRAD_UPDATE_DOCS=1 ctest --preset release -R docs/
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "xtgrad/autograd/core/op_id.h"

namespace {

using xtgrad::detail::OpId;

const std::filesystem::path root = XTGRAD_SOURCE_DIR;

struct Line {
  std::string name;
  std::string function;  // `mul` of mul_number
  std::string family;
  std::string kind;
};

std::string function_of(OpId id) { return std::string(xtgrad::detail::function_name(id)); }

const std::vector<Line> registry{
#define XTGRAD_PRIMITIVE(name, family) {#name, function_of(OpId::name), #family, "primitive"},
#define XTGRAD_COMPOSITE(name, family) {#name, function_of(OpId::name), #family, "composite"},
#define XTGRAD_CONSTANT(name, family) {#name, function_of(OpId::name), #family, "no gradient"},
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
  const std::string header =
      contents(root / "autograd" / "ops.h") + contents(root / "autograd" / "where_safe.h");
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

bool takes_number(const std::string& declaration) {
  return declaration.find("Scalar number") != std::string::npos;
}

std::string page() {
  const auto functions = declarations();
  const auto is_registered = [](const std::string& name) {
    return std::any_of(registry.begin(), registry.end(), [&](const Line& line) { return line.name == name; });
  };
  std::string text =
      "# Operations\n\n"
      "Generated from `autograd/ops.def` and `autograd/ops.h`; a test keeps it so. Primitives have a "
      "derivative rule\n"
      "of their own, composites are built from primitives, and both have derivatives of every order. The "
      "last kind\n"
      "gives bool or integers and is never recorded.\n\n"
      "| operation | family | kind | functions |\n|---|---|---|---|\n";
  for (const Line& line : registry) {
    const bool number = line.function != line.name;
    const auto [first, last] = functions.equal_range(line.function);
    std::string signatures;
    for (auto it = first; it != last; ++it) {
      // `sub(number, x)` and the like belong to the families that take numbers, the others elsewhere.
      if (takes_number(it->second) != number) continue;
      // With the number first it is a family of its own, or the same as with the number last.
      const bool number_first =
          it->second.find("(Scalar number") != std::string::npos && is_registered("number_" + line.function);
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
