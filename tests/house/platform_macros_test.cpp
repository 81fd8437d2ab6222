// A program may have included a platform's headers before ours, and their macros know no namespaces: no
// public header uses one as a name. The list beside this file has those that could be one of ours; it was
// made by `gcc -E -dM` of the headers that it names.
#include <doctest/doctest.h>

#include <cstddef>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/program.h"

namespace xtgrad::house { namespace {

using testing::file_text;
using testing::lines_of;

/// For each name whether it strikes only where a parenthesis follows.
std::map<std::string, bool> platform_macros() {
  std::map<std::string, bool> macros;
  for (const std::string& line : lines_of(file_text(source_root() / "tests/house/platform_macros.txt"))) {
    if (line.empty() || line[0] == '#') continue;
    const bool takes_arguments = line.ends_with("()");
    macros.emplace(line.substr(0, line.size() - (takes_arguments ? 2 : 0)), takes_arguments);
  }
  return macros;
}

/// Those that are installed: what says XTGRAD_PUBLIC, and what these include.
std::set<std::string> public_headers() {
  static const std::regex include("#include \"xtgrad/([^\"]+)\"");
  std::vector<std::string> waiting;
  for (const std::string& file : sources_in(library_folders())) {
    if (file.ends_with(".h") &&
        file_text(source_root() / file).find("inline namespace XTGRAD_PUBLIC ") != std::string::npos) {
      waiting.push_back(file);
    }
  }
  std::set<std::string> headers;
  while (!waiting.empty()) {
    const std::string file = std::move(waiting.back());
    waiting.pop_back();
    if (!headers.insert(file).second) continue;
    const std::string text = file_text(source_root() / file);
    for (std::sregex_iterator it(text.begin(), text.end(), include), end; it != end; ++it)
      waiting.push_back((*it)[1]);
  }
  return headers;
}

/// Each name that `text` uses which `macros` would replace. Comments and strings do not count, nor do the
/// preprocessor's own lines.
std::set<std::string> replaced_names(const std::string& text, const std::map<std::string, bool>& macros) {
  static const std::regex word(
      "//[^\n]*|/\\*(?:[^*]|\\*[^/])*\\*/|\"(?:\\\\.|[^\"\\\\\n])*\"|(?:^|\n) *#[^\n]*|"
      "\\b([A-Za-z_][A-Za-z0-9_]*)(\\s*\\()?");
  std::set<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) {
    if (!(*it)[1].matched) continue;
    const auto macro = macros.find((*it)[1]);
    if (macro != macros.end() && (!macro->second || (*it)[2].matched)) found.insert(macro->first);
  }
  return found;
}

TEST_CASE("public headers use no name that a platform's headers define as a macro") {
  const std::map<std::string, bool> macros = platform_macros();
  CHECK(macros.size() > 3000);
  for (const char* name : {"columns", "lines", "bell", "None", "Bool", "Status", "near", "interface", "I"}) {
    CAPTURE(name);
    CHECK(macros.contains(name));
    CHECK_FALSE(macros.at(name));
  }
  for (const char* name : {"check", "major", "require"}) CHECK(macros.at(name));
  const std::set<std::string> headers = public_headers();
  CHECK(headers.size() > 100);
  // Of the standard library, which nobody expects to survive them, and in parentheses or without any in ours.
  const std::set<std::string> left{"min", "max"};
  std::vector<std::string> found;
  for (const std::string& header : headers) {
    for (const std::string& name : replaced_names(file_text(source_root() / header), macros)) {
      if (!left.contains(name)) found.push_back(header + ": " + name);
    }
  }
  check_none(found);
}

TEST_CASE("a macro that takes arguments replaces a name before a parenthesis alone") {
  const std::map<std::string, bool> macros{{"tab", false}, {"check", true}};
  CHECK(replaced_names("int tab; // check(1)\n", macros) == std::set<std::string>{"tab"});
  CHECK(replaced_names("/* tab */ int check; f(\"tab\");\n#define tab\n", macros).empty());
  CHECK(replaced_names("void check (int tabs);", macros) == std::set<std::string>{"check"});
}

}}  // namespace xtgrad::house
