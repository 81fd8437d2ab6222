#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/examples/conv_net_page.h"
#include "tests/support/program.h"
#include "tests/support/skip.h"

using namespace xtgrad::testing;
namespace fs = std::filesystem;

TEST_CASE("the MNIST program of docs/conv_net.md learns in an epoch what the page says, above 0.97") {
  const char* named = std::getenv("XTGRAD_DATA");
  const fs::path folder =
      named != nullptr && *named != '\0' ? fs::path(named) : fs::path(XTGRAD_SOURCE_DIR) / "../shared/data";
  if (!fs::is_directory(folder / "mnist")) {
    skip("no mnist in " + folder.string() + "; XTGRAD_DATA can name another folder");
    return;
  }
  // One thread has the bits of any number, and does not wait for cores that other tests are using.
  const ProgramResult result = run_program(fs::path(XTGRAD_EXAMPLES) / "mnist_conv_net", {folder.string()},
                                           {.environment = {"OMP_NUM_THREADS=1"}});
  REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  std::size_t blocks = 0;
  for (const PageBlock& block : conv_net_page()) {
    if (block.subject != "mnist_conv_net with data, about") continue;
    ++blocks;
    check_lines(result.out, block.text, true);
  }
  CHECK(blocks == 1);
  const std::string before = "test accuracy after epoch 1: ";
  const std::size_t at = result.out.find(before);
  REQUIRE(at != std::string::npos);
  CHECK(std::stod(result.out.substr(at + before.size())) > 0.97);
}
