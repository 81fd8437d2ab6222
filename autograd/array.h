#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "xtgrad/autograd/core/buffer.h"
#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/shape.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

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

namespace detail {

/// What kernels work on: contiguous row-major elements without any graph. A template for the reason that
/// BufferHandle is one.
template <class Memory>
struct BasicArray : Spec {
  BufferHandle<Memory> buffer;  ///< for the library alone

  BasicArray() = default;
  BasicArray(const Shape& sizes, Dtype type, BufferHandle<Memory> elements)
      : Spec{sizes, type, {}}, buffer(std::move(elements)) {}

  /// An array with uninitialised elements.
  XTGRAD_LOCAL static BasicArray uninitialized(const Shape& shape, Dtype dtype);

  /// The same elements under another shape of equal size.
  [[nodiscard]] BasicArray with_shape(const Shape& other) const { return {other, dtype, buffer}; }

  [[nodiscard]] std::int64_t numel() const { return shape.numel(); }

  /// The elements, T being the C++ type of the dtype: on a 64-byte boundary, and padded to whole 64 bytes, so
  /// that a kernel may read and write past the last one up to there.
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

}  // namespace detail

/// The elements of a tensor, as `Primitive::eval` sees them: `shape`, `dtype`, `numel()`, `data<T>()`, and of
/// an output `mutable_data<T>()`. Outside of the library an array can be read and filled, not made.
using Array = detail::BasicArray<detail::PoolMemory>;

}}  // namespace xtgrad::v1
