// What ctest is told of a test that skips itself: this program runs some of its own cases, which are hidden
// from ctest, and looks at its exit code.
#include "tests/support/skip.h"

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include "tests/support/program.h"

using namespace xtgrad::testing;

TEST_CASE("hidden: skips" * doctest::skip()) { skip("the reason"); }
TEST_CASE("hidden: passes" * doctest::skip()) { CHECK(true); }
TEST_CASE("hidden: fails and then skips" * doctest::skip()) {
  CHECK(false);
  skip("the reason");
}
TEST_CASE("hidden: skips and then throws" * doctest::skip()) {
  skip("the reason");
  throw std::runtime_error("the failure");
}

namespace {

ProgramResult run_hidden(const std::string& cases) {
  return run_program("/proc/self/exe", {"--no-skip", "--test-case=" + cases});
}

}  // namespace

TEST_CASE("a test that skips itself ends with the exit code that says so, and its reason") {
  const ProgramResult result = run_hidden("hidden: skips");
  CHECK(result.exit_code == skipped_exit_code);
  CHECK(result.out.find("skipped: the reason") != std::string::npos);
}

TEST_CASE("a test that fails is not skipped, whatever it says") {
  for (const std::string name : {"hidden: fails and then skips", "hidden: skips and then throws"}) {
    CAPTURE(name);
    const ProgramResult result = run_hidden(name);
    CHECK(result.exit_code == 1);
    CHECK(result.out.find("skipped: the reason") != std::string::npos);
  }
}

TEST_CASE("a program is not skipped if one of its tests is not") {
  CHECK(run_hidden("hidden: skips,hidden: passes").exit_code == 0);
  CHECK(run_hidden("hidden: passes").exit_code == 0);
  CHECK(run_hidden("hidden: skips,hidden: fails*").exit_code == 1);
}
