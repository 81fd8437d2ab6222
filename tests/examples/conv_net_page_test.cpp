#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>

#include "tests/examples/conv_net_page.h"
#include "tests/support/program.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

const std::string first_program = "examples/first_conv_net/main.cpp";

ProgramResult run_example(const std::string& name, const std::vector<std::string>& arguments) {
  return run_program(fs::path(XTGRAD_EXAMPLES) / name, arguments);
}

/// The lines from one number to another, both included, counted from 0.
std::string lines_between(const std::vector<std::string>& lines, std::size_t begin, std::size_t end) {
  std::string text;
  for (std::size_t i = begin; i < std::min(end, lines.size()); ++i) text += lines[i] + "\n";
  return text;
}

}  // namespace

TEST_CASE("docs/conv_net.md shows all of its first program, each line once") {
  std::string rest = file_text(fs::path(XTGRAD_SOURCE_DIR) / first_program);
  std::size_t blocks = 0;
  for (const PageBlock& block : conv_net_page()) {
    if (block.subject != first_program) continue;
    ++blocks;
    CAPTURE(block.text);
    const std::size_t at = rest.find(block.text);
    REQUIRE(at != std::string::npos);
    rest.replace(at, block.text.size(), 1, '\n');
  }
  CHECK(blocks >= 10);
  rest.erase(std::remove(rest.begin(), rest.end(), '\n'), rest.end());
  CHECK(rest == "");
}

TEST_CASE("the first program of docs/conv_net.md prints what the page says, and ends above 0.97") {
  const TemporaryFolder folder;
  const fs::path weights = folder.path() / "digits.safetensors";
  const ProgramResult result = run_example("first_conv_net", {weights.string()});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  CHECK(result.err.empty());
  CHECK(fs::exists(weights));

  const std::vector<std::string> printed = lines_of(result.out);
  std::size_t line = 0;
  for (const PageBlock& block : conv_net_page()) {
    const bool about = block.subject == "first_conv_net, about";
    if (block.kind != "printed by" || !(about || block.subject == "first_conv_net")) continue;
    const std::size_t end = line + lines_of(block.text).size();
    check_lines(lines_between(printed, line, end), block.text, about);
    line = end;
  }
  CHECK(line == printed.size());

  std::smatch parts;
  REQUIRE(!printed.empty());
  REQUIRE(std::regex_match(printed.back(), parts,
                           std::regex("test accuracy of the restored model: ([01]\\.\\d{4})")));
  CHECK(std::stod(parts[1]) >= 0.97);
}

TEST_CASE("the first program of docs/conv_net.md says why it cannot write") {
  const TemporaryFolder folder;
  const std::string weights = (folder.path() / "missing" / "digits.safetensors").string();
  const ProgramResult result = run_example("first_conv_net", {weights});
  CHECK(result.exit_code == 1);
  CHECK(lines_of(result.err).size() == 1);
  CHECK_MESSAGE(result.err.find(weights) != std::string::npos, result.err);
}

TEST_CASE("the MNIST program of docs/conv_net.md tells how to get the data, as the page says") {
  const ProgramResult result = run_example("mnist_conv_net", {"no-such-folder"});
  CHECK(result.exit_code == 1);
  CHECK(result.out.empty());
  std::size_t blocks = 0;
  for (const PageBlock& block : conv_net_page()) {
    if (block.subject != "mnist_conv_net no-such-folder") continue;
    ++blocks;
    CHECK(result.err == block.text);
  }
  CHECK(blocks == 1);
}
