#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

#include "xtgrad/autograd/array.h"
#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

using v1::Array;
using v1::Spec;

/// Where buffers come from.
struct PoolMemory {
  static Buffer* allocate(std::size_t bytes) {
    const std::size_t padded = (bytes + Buffer::alignment - 1) / Buffer::alignment * Buffer::alignment;
    // A 0-element tensor still gets one lane, so that no kernel needs a special case for reading one.
    const std::size_t room = padded == 0 ? Buffer::alignment : padded;
    auto* buffer = new (pool_allocate(Buffer::alignment + room)) Buffer;
    buffer->bytes = bytes;
    // Kernels compute on the padding too. Left-over bytes there are often subnormal numbers, which cost a
    // hundred cycles an instruction; zeros cost nothing.
    if (room != bytes)
      std::memset(static_cast<std::byte*>(buffer->data()) + room - Buffer::alignment, 0, Buffer::alignment);
    return buffer;
  }
  static void free(Buffer* buffer) noexcept { pool_free(buffer); }
};

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
