#pragma once

#include <string>

namespace xtgrad::inline v1::testing {

/// The exit code of a test program all of whose cases skipped themselves, and none of which failed. ctest,
/// which runs one case at a time, is told what it means in tests/CMakeLists.txt.
inline constexpr int skipped_exit_code = 77;

/// Says why this test case has nothing to test here; the caller returns next. A check that fails, before or
/// after, fails the case nevertheless.
void skip(const std::string& reason);

/// The exit code of a program whose tests ended with doctest's `result`.
[[nodiscard]] int exit_code(int result);

}  // namespace xtgrad::testing
