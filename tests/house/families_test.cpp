// A family of operations has one name, wherever it is met.
#include <doctest/doctest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/program.h"

namespace xtgrad::house { namespace {

using testing::file_text;

namespace fs = std::filesystem;

struct Operation {
  std::string name;
  std::string family;
};

const std::vector<Operation> registry{
#define XTGRAD_PRIMITIVE(name, family) {#name, #family},
#define XTGRAD_COMPOSITE(name, family) {#name, #family},
#define XTGRAD_CONSTANT(name, family) {#name, #family},
#include "xtgrad/autograd/ops.def"
#undef XTGRAD_PRIMITIVE
#undef XTGRAD_COMPOSITE
#undef XTGRAD_CONSTANT
};

/// Names of a folder's sources, without the ending.
std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".cpp") names.insert(entry.path().stem().string());
  }
  return names;
}

bool has_word(const std::string& text, const std::string& word) {
  return std::regex_search(text, std::regex("\\b" + word + "\\b"));
}

/// `add` of add_number and of number_add.
std::string function_of(const std::string& operation) {
  return std::regex_replace(operation, std::regex("^number_|_number$"), "");
}

TEST_CASE("every operation stands in the source, and its samples in those, of its family") {
  // What families share.
  const std::set<std::string> helpers = {
      "axes",      "batching",      "checks", "einsum_equation", "index_range", "matrices",  "merged_axes",
      "normalize", "point_samples", "ties",   "weighted",        "windows",     "windows_nd"};
  std::set<std::string> families;
  for (const Operation& operation : registry) {
    CAPTURE(operation.name);
    families.insert(operation.family);
    const std::string file = operation.family + ".cpp";
    const std::string samples = file_text(source_root() / "tests/autograd/ops/samples" / file);
    CHECK(has_word(samples, "OpId::" + operation.name));
    const std::string source = file_text(source_root() / "autograd/ops" / file);
    // where_safe alone takes a function: it has a header and a source of its own, and ops.h no Callable.
    if (operation.name == "where_safe") continue;
    CHECK((has_word(source, operation.name) || has_word(source, function_of(operation.name))));
  }
  CHECK(names_in(source_root() / "tests/autograd/ops/samples") == families);
  std::set<std::string> expected = families;
  expected.insert(helpers.begin(), helpers.end());
  CHECK(names_in(source_root() / "autograd/ops") == expected);
  for (const std::string& helper : helpers)
    CHECK(fs::exists(source_root() / "autograd/ops" / (helper + ".h")));
}

TEST_CASE("what loads a program mentions each source that has primitives, or a linker would leave it out") {
  const std::regex has_primitives(
      R"(\bcheck_loaded\((\w+::)*InputSpecs|"xtgrad/optim/rule\.h"|"xtgrad/autograd/ops/elementwise\.h")");
  std::size_t count = 0;
  for (const auto& [folder, mentions] : std::vector<std::pair<std::string, std::string>>{
           {"autograd", "autograd/program_file/families.cpp"},
           {"autograd/ops", "autograd/program_file/families.cpp"},
           {"nn", "nn/families.cpp"},
           {"optim", "optim/families.cpp"}}) {
    const std::string text = file_text(source_root() / mentions);
    for (const std::string& name : names_in(source_root() / folder)) {
      const std::string source = file_text(source_root() / folder / (name + ".cpp"));
      if (!std::regex_search(source, has_primitives)) continue;
      ++count;
      CHECK_MESSAGE(text.find("{\"" + name + "\"") != std::string::npos, folder << "/" << name << ".cpp");
    }
  }
  CHECK(count > 40);
}

}}  // namespace xtgrad::house
