#pragma once

#include <span>
#include <string>
#include <vector>

namespace xtgrad::inline v1::testing {

/// docs/derivatives.md, of the operations' lines and what is said of faults in rules.
std::string matrix_page(std::span<const std::string> lines, const std::string& mutations);
/// The operations' lines of such a page.
std::vector<std::string> matrix_lines(const std::string& page);

}  // namespace xtgrad::v1::testing
