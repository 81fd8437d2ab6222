// examples/emit_digits.cpp and examples/emitted: a conv net as C++, compiled without xtgrad.
#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/support/program.h"
#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/digits.h"

using namespace xtgrad;
using namespace xtgrad::testing;
namespace fs = std::filesystem;

namespace {

/// Bytes of an object's section, as `size -A` lists them.
std::int64_t section_bytes(const std::string& listing, const std::string& section) {
  std::istringstream lines(listing);
  std::int64_t sum = 0;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    std::int64_t bytes = 0;
    if (words >> name >> bytes && (name == section || name.starts_with(section + "."))) sum += bytes;
  }
  return sum;
}

}  // namespace

TEST_CASE("the digits' conv net runs as freestanding C++17, in less than 64 KB of code") {
  const TemporaryFolder folder;
  const fs::path net = folder.path() / "digits_conv_net.cpp", object = folder.path() / "net.o";
  const fs::path program = folder.path() / "read_digit";
  REQUIRE(run_program(fs::path(XTGRAD_EXAMPLES) / "emit_digits", {net.string()}).exit_code == 0);
  const ProgramResult compiled = run_program(
      XTGRAD_CXX, {"-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-ffreestanding",
                   "-fno-exceptions", "-fno-rtti", "-c", "-o", object.string(), net.string()});
  REQUIRE_MESSAGE(compiled.exit_code == 0, compiled.err);
  const ProgramResult sizes = run_program("/usr/bin/size", {"-A", object.string()});
  REQUIRE(sizes.exit_code == 0);
  const std::int64_t code = section_bytes(sizes.out, ".text");
  MESSAGE(code << " bytes of code");
  CHECK(code > 0);
  CHECK(code < 64 * 1024);

  const fs::path main = fs::path(XTGRAD_SOURCE_DIR) / "examples" / "emitted" / "main.cpp";
  const ProgramResult linked =
      run_program(XTGRAD_CXX, {"-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o",
                               program.string(), main.string(), object.string()});
  REQUIRE_MESSAGE(linked.exit_code == 0, linked.err);
  const datasets::Dataset digits = datasets::digits();
  int right = 0;
  constexpr std::int64_t count = 20;
  for (std::int64_t i = 0; i < count; ++i) {
    const Tensor image = digits.subset({i}).inputs() / 16;
    std::string numbers;
    for (const float pixel : image.data<float>()) numbers += std::to_string(pixel) + "\n";
    const fs::path input = folder.path() / "image.txt";
    std::ofstream(input) << numbers;
    const ProgramResult read =
        run_program("/bin/sh", {"-c", "\"$0\" < \"$1\"", program.string(), input.string()});
    REQUIRE(read.exit_code == 0);
    const std::int64_t label = digits.labels().to(int64).at_int64({i});
    right += lines_of(read.out).at(10) == std::to_string(label) ? 1 : 0;
  }
  CHECK(right >= count - 2);
}
