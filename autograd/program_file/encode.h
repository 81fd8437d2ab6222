#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/io/safetensors.h"
#include "xtgrad/autograd/program_file/saved_program.h"

namespace xtgrad::inline v1::detail {

/// The contents of a program's file. Throws ValueError, which names the step, for a primitive that could not
/// be loaded again, and for names that are not UTF-8.
[[nodiscard]] Safetensors encoded(const SavedProgram& program);

/// The bytes of that file, and the file itself; errors begin with `function`.
[[nodiscard]] std::string encode_program(std::string_view function, const SavedProgram& program);
void save_program(std::string_view function, const std::string& path, const SavedProgram& program);

}  // namespace xtgrad::v1::detail
