// Programs and what they give, for compare.py, which runs them in PyTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "tests/random_programs/program.h"

namespace xtgrad::random_programs {

/// One line of Python: a dictionary of leaves, steps, outputs, and the terms of the loss, its gradients, and
/// its Hessian times a direction that follows from the seed.
[[nodiscard]] std::string python_case(const Program& program, std::uint64_t seed);

/// A tensor as ("float64", (2, 3), [0.5, ...]).
[[nodiscard]] std::string python_tensor(const Tensor& tensor);

/// What compare.py says of a file of cases: fails the test case if something differs, or nothing was
/// compared, and prints its last line.
void compare_in_python(const std::string& python, const std::filesystem::path& cases);

}  // namespace xtgrad::random_programs
