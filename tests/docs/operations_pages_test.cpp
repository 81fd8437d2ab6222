// The pages in docs/operations have every operation of the registry, each in a table's first column, and what
// a reader looks for: shapes, errors, derivatives, sources and code that runs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "tests/support/program.h"
#include "xtgrad/autograd/core/op_id.h"

namespace {

using xtgrad::testing::file_text;

std::map<std::string, std::string> pages() {
  std::map<std::string, std::string> found;
  const std::filesystem::path folder = std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs" / "operations";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".md") found[entry.path().filename().string()] = file_text(entry.path());
  }
  return found;
}

/// Names of the functions that stand as code, called or not, in a cell: add of `add(a, b)`.
void add_functions_of(std::string_view cell, std::set<std::string>& found) {
  for (std::size_t at = cell.find('`'); at != std::string_view::npos; at = cell.find('`', at)) {
    const std::size_t end = cell.find('`', at + 1);
    if (end == std::string_view::npos) return;
    const std::string_view code = cell.substr(at + 1, end - at - 1);
    const auto stop = std::find_if(code.begin(), code.end(),
                                   [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
    if (stop == code.end() || *stop == '(') found.emplace(code.begin(), stop);
    at = end + 1;
  }
}

std::set<std::string> functions_in_tables(const std::string& page) {
  std::set<std::string> found;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| "))
      add_functions_of(std::string_view(line).substr(2, line.find(" |", 2) - 2), found);
  }
  return found;
}

}  // namespace

TEST_CASE("docs/operations: every operation of the registry has a row in a table") {
  std::set<std::string> documented;
  for (const auto& [name, page] : pages()) documented.merge(functions_in_tables(page));
  for (std::size_t i = 0; i < static_cast<std::size_t>(xtgrad::detail::OpId::count_); ++i) {
    const std::string function(xtgrad::detail::function_name(static_cast<xtgrad::detail::OpId>(i)));
    CHECK_MESSAGE(documented.contains(function), function << " is in no table of docs/operations");
  }
}

TEST_CASE("docs/operations: the first column is read, and no other") {
  CHECK(functions_in_tables("| `neg(x)`, `exp` | `log(x)` |\n`sin(x)`\n| `x.max` and `max_of` | |\n") ==
        std::set<std::string>{"exp", "max_of", "neg"});
}

TEST_CASE("docs/operations: every page has shapes, errors, derivatives, sources and code") {
  const auto all = pages();
  CHECK(all.size() >= 9);
  for (const auto& [name, page] : all) {
    for (const char* part : {"**Shapes", "**Errors", "**Derivative", "\n## Source", "<!-- from: tests/docs/"})
      CHECK_MESSAGE(page.find(part) != std::string::npos, name << " lacks " << part);
  }
}
