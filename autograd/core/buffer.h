#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#include "xtgrad/autograd/core/ref_count.h"
#include "xtgrad/autograd/memory/pool.h"

namespace xtgrad::inline v1::detail {

/// A reference-counted block of elements. The data starts 64 bytes after the header, on a 64-byte boundary,
/// and is padded so that kernels may read and write whole SIMD lanes past the last element.
struct Buffer {
  static constexpr std::size_t alignment = 64;

  RefCount refs{1};
  std::size_t bytes = 0;  // of the elements alone, without padding
  // 0 until somebody asks: a buffer that comes to lie where an earlier one was must not be taken for it.
  mutable std::atomic<std::uint64_t> number{0};

  [[nodiscard]] void* data() { return reinterpret_cast<std::byte*>(this) + alignment; }
};
static_assert(sizeof(Buffer) <= Buffer::alignment);

/// Owning handle on a Buffer; may be empty.
class BufferRef {
 public:
  BufferRef() = default;
  BufferRef(const BufferRef& other) : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->refs.increment();
  }
  BufferRef(BufferRef&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferRef& operator=(BufferRef other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferRef() { release(buffer_); }

  /// Room for `bytes` bytes, uninitialised; throws std::bad_alloc.
  static BufferRef allocate(std::size_t bytes) {
    const std::size_t padded = (bytes + Buffer::alignment - 1) / Buffer::alignment * Buffer::alignment;
    // A 0-element tensor still gets one lane, so that no kernel needs a special case for reading one.
    const std::size_t room = padded == 0 ? Buffer::alignment : padded;
    auto* buffer = new (pool_allocate(Buffer::alignment + room)) Buffer;
    buffer->bytes = bytes;
    // Kernels compute on the padding too. Left-over bytes there are often subnormal numbers, which cost a
    // hundred cycles an instruction; zeros cost nothing.
    if (room != bytes)
      std::memset(static_cast<std::byte*>(buffer->data()) + room - Buffer::alignment, 0, Buffer::alignment);
    BufferRef ref;
    ref.buffer_ = buffer;
    return ref;
  }

  [[nodiscard]] void* data() const { return buffer_->data(); }
  [[nodiscard]] std::size_t bytes() const { return buffer_ == nullptr ? 0 : buffer_->bytes; }
  [[nodiscard]] bool unique() const { return buffer_ != nullptr && buffer_->refs.load() == 1; }
  [[nodiscard]] const Buffer* get() const { return buffer_; }
  /// A number that no other buffer has or has had: a value's name for whoever does not hold on to it.
  [[nodiscard]] std::uint64_t number() const;
  /// Gives a buffer whose elements have been overwritten another number, and returns it.
  std::uint64_t renew_number() const;
  explicit operator bool() const { return buffer_ != nullptr; }

  void drop() { release(std::exchange(buffer_, nullptr)); }
  /// As `drop`; of several threads that race to do so, exactly one releases the buffer.
  void drop_racing() {
    release(std::atomic_ref<Buffer*>(buffer_).exchange(nullptr, std::memory_order_acq_rel));
  }

 private:
  static void release(Buffer* buffer) {
    if (buffer != nullptr && buffer->refs.decrement_owned() == 0) pool_free(buffer);
  }

  Buffer* buffer_ = nullptr;
};

}  // namespace xtgrad::v1::detail
