#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/program.h"

namespace xtgrad::inline v1::testing {

/// Runs a program of examples/ on one thread; it must end well.
inline ProgramResult run_example(const std::string& name, const std::vector<std::string>& arguments = {}) {
  const ProgramResult result = run_program(std::filesystem::path(XTGRAD_EXAMPLES) / name, arguments,
                                           {.environment = {"OMP_NUM_THREADS=1"}});
  CAPTURE(name);
  CHECK_MESSAGE(result.exit_code == 0, result.err);
  return result;
}

/// The number behind the `count`-th appearance of `text`.
inline double number_after(const ProgramResult& result, const std::string& text, int count = 1) {
  std::size_t at = 0;
  for (int i = 0; i < count; ++i) {
    at = result.out.find(text, at);
    REQUIRE_MESSAGE(at != std::string::npos, "not found: " << text << " in " << result.out);
    at += text.size();
  }
  return std::stod(result.out.substr(at));
}

}  // namespace xtgrad::v1::testing
