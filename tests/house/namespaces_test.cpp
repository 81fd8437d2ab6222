// Namespaces that open and close together stand in one line.
#include <doctest/doctest.h>

#include <cctype>
#include <cstddef>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/house/sources.h"
#include "tests/support/program.h"

namespace xtgrad::house { namespace {

using testing::file_text;

/// The text without comments and literals: the braces that are left are C++'s.
std::string bare(const std::string& text) {
  std::string left;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = std::string_view(text).substr(at);
    if (rest.starts_with("//")) {
      at = text.find('\n', at);
      if (left.ends_with('\n')) left += '/';  // a line that is not blank
      left += '\n';
    } else if (rest.starts_with("/*")) {
      at = text.find("*/", at) + 1;
    } else if (rest.starts_with("R\"")) {
      const std::string mark = text.substr(at + 2, text.find('(', at) - at - 2);
      at = text.find(")" + mark + "\"", at) + mark.size() + 1;
    } else if (text[at] == '"' ||
               (text[at] == '\'' && std::isalnum(static_cast<unsigned char>(text[at - 1])) == 0)) {
      const char quote = text[at];
      for (++at; text[at] != quote; ++at) at += text[at] == '\\' ? 1 : 0;
    } else {
      left += text[at];
    }
  }
  return left;
}

struct Span {
  std::size_t begin, end;  // numbers among the lines that are not blank
};

/// Where namespaces open and close.
std::vector<Span> namespaces_in(const std::string& text) {
  static const std::regex opening("^(inline )?namespace\\b[^;]*\\{$");
  constexpr std::size_t other = 0;
  std::vector<Span> found;
  std::vector<std::size_t> open;  // for each brace the line that opened a namespace, or `other`
  std::istringstream lines(bare(text));
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    line.erase(line.find_last_not_of(' ') + 1);
    if (line.empty()) continue;
    ++number;
    const bool opens = std::regex_match(line, opening);
    for (const char letter : line) {
      if (letter == '{') open.push_back(opens ? number : other);
      if (letter != '}' || open.empty()) continue;
      if (open.back() != other) found.push_back({open.back(), number});
      open.pop_back();
    }
  }
  return found;
}

/// Namespaces that open one right after the other, and close so, in lines of their own.
std::vector<std::string> split_namespaces(const std::string& file, const std::string& text) {
  std::vector<std::string> found;
  const std::vector<Span> spans = namespaces_in(text);
  for (const Span& outer : spans) {
    for (const Span& inner : spans) {
      if (inner.begin == outer.begin + 1 && inner.end + 1 == outer.end)
        found.push_back(file + ": namespaces that open and close together stand in two lines");
    }
  }
  return found;
}

TEST_CASE("namespaces open and close in one line") {
  for (const std::string& file : sources_in(all_folders())) {
    check_none(split_namespaces(file, file_text(source_root() / file)));
  }
  CHECK(split_namespaces("x", "namespace a {\nnamespace b {\n\nint i;\n\n}\n}  // namespace a\n").size() ==
        1);
  CHECK(namespaces_in("namespace a {  // {\nchar c = '{';\nint n = 1'000;\nconst char* s = \"{\\\"{\";\n}\n")
            .size() == 1);
  CHECK(split_namespaces("x", "namespace a {\n\nnamespace {\nint f() {\n}\n}\nint g();\n}\n").empty());
}

}}  // namespace xtgrad::house
