#pragma once

#include <cstddef>
#include <cstdint>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/core/pool_memory.h"

namespace xtgrad::inline v1::detail {

using v1::Array;
using v1::Spec;

[[noreturn]] void throw_too_large(const Shape& shape, Dtype dtype);

/// Bytes of the elements; throws ShapeError where int64 cannot count them. A wrapped product would make a
/// buffer too small, and a Shape checks neither bytes nor sizes that were set one by one.
inline std::size_t bytes_of(const Shape& shape, Dtype dtype) {
  auto bytes = static_cast<std::int64_t>(item_size(dtype));
  bool overflows = false;
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
    overflows = __builtin_mul_overflow(bytes, size, &bytes) || overflows;
  }
  if (empty) return 0;
  if (overflows) throw_too_large(shape, dtype);
  return static_cast<std::size_t>(bytes);
}

template <class Memory>
BasicArray<Memory> BasicArray<Memory>::uninitialized(const Shape& shape, Dtype dtype) {
  return {shape, dtype, BufferHandle<Memory>::allocate(bytes_of(shape, dtype))};
}

}  // namespace xtgrad::v1::detail
