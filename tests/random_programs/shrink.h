// Makes a failing program small.
#pragma once

#include <functional>

#include "tests/random_programs/program.h"

namespace xtgrad::random_programs {

/// Fewer outputs, steps replaced by leaves of their value or by an operand, smaller leaves, as long as
/// `fails` says so; what throws as it is tried is no such program.
[[nodiscard]] Program shrunk(const Program& program, const std::function<bool(const Program&)>& fails);

}  // namespace xtgrad::random_programs
