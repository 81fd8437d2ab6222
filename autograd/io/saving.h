#pragma once

#include <cstdint>
#include <new>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/io/named_tensor.h"

namespace xtgrad::inline v1::detail {

/// Of the tensors' elements.
[[nodiscard]] std::uint64_t bytes_of(const std::vector<NamedTensor>& tensors);

[[noreturn]] void throw_out_of_memory(std::string_view function, std::uint64_t bytes);

/// Calls `save`, which writes about so many bytes; memory that runs out in it is an OutOfMemory of
/// `function`, whoever asked for it.
template <class Save>
auto saving(std::string_view function, std::uint64_t bytes, Save save) {
  try {
    return save();
  } catch (OutOfMemory& error) {
    error.set_operation(function);
    throw;
  } catch (const std::bad_alloc&) {
    throw_out_of_memory(function, bytes);
  }
}

}  // namespace xtgrad::v1::detail
