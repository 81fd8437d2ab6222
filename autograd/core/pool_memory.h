#pragma once

#include <cstddef>
#include <cstring>
#include <new>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

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

}  // namespace xtgrad::v1::detail
