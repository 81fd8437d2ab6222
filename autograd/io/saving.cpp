#include "xtgrad/autograd/io/saving.h"

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/memory.h"

namespace xtgrad::inline v1::detail {

std::uint64_t bytes_of(const std::vector<NamedTensor>& tensors) {
  std::uint64_t bytes = 0;
  for (const auto& [name, value] : tensors) {
    if (value.defined()) bytes += static_cast<std::uint64_t>(value.numel()) * item_size(value.dtype());
  }
  return bytes;
}

void throw_out_of_memory(std::string_view function, std::uint64_t bytes) {
  OutOfMemory error(static_cast<std::int64_t>(bytes), memory_in_use());
  error.set_operation(function);
  throw error;
}

}  // namespace xtgrad::v1::detail
