#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <regex>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/program.h"

// docs/conv_net.md, and what its programs must print.

namespace xtgrad::inline v1::testing {

/// A fenced block of the page, with the marker in the line before it: `<!-- kind: subject -->`.
struct PageBlock {
  std::string kind;     // "from" or "printed by"
  std::string subject;  // a path, or a command line
  std::string text;
};

/// All blocks of the page; fails the test for one without a marker.
inline std::vector<PageBlock> conv_net_page() {
  std::vector<PageBlock> blocks;
  std::istringstream lines(file_text(std::filesystem::path(XTGRAD_SOURCE_DIR) / "docs/conv_net.md"));
  const std::regex marker("<!-- ([^:]+): (.+) -->");
  std::string before;
  for (std::string line; std::getline(lines, line); before = line) {
    if (line.rfind("```", 0) != 0) continue;
    std::smatch parts;
    REQUIRE_MESSAGE(std::regex_match(before, parts, marker), "a block without a marker, after: ", before);
    PageBlock block{parts[1], parts[2], {}};
    while (std::getline(lines, line) && line != "```") block.text += line + "\n";
    blocks.push_back(std::move(block));
  }
  return blocks;
}

/// Holds a printed line to one on the page, but for numbers, since processors round differently: a plain
/// fraction (a loss, an accuracy) stays within 0.05, and any other number may be another.
inline void check_line_about(const std::string& printed, const std::string& on_page) {
  const std::regex number("\\d+(\\.\\d+)?(e[-+]\\d+)?");
  const std::regex fraction("\\d+\\.\\d+");
  CHECK(std::regex_replace(printed, number, "N") == std::regex_replace(on_page, number, "N"));
  using Numbers = std::sregex_token_iterator;
  const std::vector<std::string> here(Numbers(printed.begin(), printed.end(), number), Numbers());
  const std::vector<std::string> there(Numbers(on_page.begin(), on_page.end(), number), Numbers());
  REQUIRE(here.size() == there.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    if (!std::regex_match(there[i], fraction)) continue;
    CHECK(std::abs(std::stod(here[i]) - std::stod(there[i])) <= 0.05);
  }
}

/// Holds lines to those on the page: to the letter, or, with `about`, as `check_line_about` does.
inline void check_lines(const std::string& printed, const std::string& on_page, bool about) {
  const std::vector<std::string> here = lines_of(printed);
  const std::vector<std::string> there = lines_of(on_page);
  REQUIRE(here.size() == there.size());
  for (std::size_t i = 0; i < here.size(); ++i) {
    CAPTURE(here[i]);
    CAPTURE(there[i]);
    if (about) {
      check_line_about(here[i], there[i]);
    } else {
      CHECK(here[i] == there[i]);
    }
  }
}

}  // namespace xtgrad::testing
