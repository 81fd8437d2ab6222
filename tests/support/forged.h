#pragma once

#include <string>

namespace xtgrad::inline v1::testing {

/// A file's bytes with every occurrence of `from` replaced by `to`, which is as long: for forging what no
/// writer would write. Fails the test where there is none.
std::string replaced(std::string bytes, const std::string& from, const std::string& to);

}  // namespace xtgrad::testing
