#pragma once

#include <array>
#include <cstdint>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/shape.h"

namespace xtgrad::inline v1::detail {

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

/// What is known of an array before anything is computed.
///
/// Without padding, so that it is copied in whole words: where single bytes are stored, a wide load that
/// follows waits for them, which cost a small operation a tenth of its time.
struct Spec {
  Shape shape;
  Dtype dtype = Dtype::float32;
  std::array<std::uint8_t, 7> unused = {};
};
static_assert(sizeof(Spec) == 80);

/// What kernels work on: a contiguous row-major array without any graph.
struct Array : Spec {
  BufferRef buffer;

  Array() = default;
  Array(const Shape& sizes, Dtype type, BufferRef elements)
      : Spec{sizes, type, {}}, buffer(std::move(elements)) {}

  /// An array with uninitialised elements.
  static Array uninitialized(const Shape& shape, Dtype dtype) {
    return {shape, dtype, BufferRef::allocate(bytes_of(shape, dtype))};
  }

  /// The same elements under another shape of equal size.
  [[nodiscard]] Array with_shape(const Shape& other) const { return {other, dtype, buffer}; }

  [[nodiscard]] std::int64_t numel() const { return shape.numel(); }

  template <class T>
  [[nodiscard]] const T* data() const {
    return static_cast<const T*>(buffer.data());
  }
  /// Only for the kernel that fills a fresh array: contents never change once a tensor holds them.
  template <class T>
  [[nodiscard]] T* mutable_data() {
    return static_cast<T*>(buffer.data());
  }
};

}  // namespace xtgrad::v1::detail
