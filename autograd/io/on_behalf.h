#pragma once

#include <string>
#include <string_view>

#include "xtgrad/autograd/io/file.h"
#include "xtgrad/autograd/io/memory_budget.h"
#include "xtgrad/autograd/io/safetensors.h"

namespace xtgrad::inline v1::detail {

// The public functions of these names, for functions that are built on them: messages begin with `function`,
// which is the one that the user called.

[[nodiscard]] std::string read_file(std::string_view function, const std::string& path,
                                    const ReadLimits& limits);
void write_file_atomically(std::string_view function, const std::string& path, std::string_view bytes);

[[nodiscard]] Safetensors load_safetensors(std::string_view function, const std::string& path,
                                           const ReadLimits& limits);
/// Messages begin with nothing: for a reader that names itself, and counts what it brings into memory.
[[nodiscard]] Safetensors decode_safetensors(std::string_view bytes, MemoryBudget& budget);
[[nodiscard]] std::string encode_safetensors(std::string_view function, const Safetensors& contents);
void save_safetensors(std::string_view function, const std::string& path, const Safetensors& contents);

}  // namespace xtgrad::v1::detail
