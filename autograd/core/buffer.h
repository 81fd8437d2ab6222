#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "xtgrad/autograd/core/ref_count.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

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

/// Owning handle on a Buffer; may be empty. A template, so that a public header can name it without the pool
/// that `Memory` stands for: what makes and releases buffers is compiled inside of the library alone.
template <class Memory>
class BufferHandle {
 public:
  BufferHandle() = default;
  BufferHandle(const BufferHandle& other) : buffer_(other.buffer_) {
    if (buffer_ != nullptr) buffer_->refs.increment();
  }
  BufferHandle(BufferHandle&& other) noexcept : buffer_(std::exchange(other.buffer_, nullptr)) {}
  BufferHandle& operator=(BufferHandle other) noexcept {
    std::swap(buffer_, other.buffer_);
    return *this;
  }
  ~BufferHandle() { release(buffer_); }

  /// Room for `bytes` bytes, uninitialised; throws std::bad_alloc.
  static BufferHandle allocate(std::size_t bytes) {
    BufferHandle handle;
    handle.buffer_ = Memory::allocate(bytes);
    return handle;
  }

  /// A handle that is not counted: the buffer must outlive its use, and `forget` its end.
  static BufferHandle borrow(const Buffer* buffer) {
    BufferHandle handle;
    handle.buffer_ = const_cast<Buffer*>(buffer);
    return handle;
  }
  /// Empties the handle without letting go of the buffer.
  void forget() { buffer_ = nullptr; }

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
    if (buffer != nullptr && buffer->refs.decrement_owned() == 0) Memory::free(buffer);
  }

  Buffer* buffer_ = nullptr;
};

/// The calling thread's pool; core/array.h.
struct PoolMemory;
using BufferRef = BufferHandle<PoolMemory>;
template <>
XTGRAD_LOCAL std::uint64_t BufferRef::number() const;
template <>
XTGRAD_LOCAL std::uint64_t BufferRef::renew_number() const;

}}}  // namespace xtgrad::v1::detail
