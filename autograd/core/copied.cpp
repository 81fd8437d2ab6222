#include "xtgrad/autograd/core/copied.h"

#include <cstddef>
#include <cstring>

namespace xtgrad::inline v1::detail {

Array copied(const BufferRef& elements, const Spec& spec) {
  Array copy = Array::uninitialized(spec.shape, spec.dtype);
  if (const std::size_t bytes = bytes_of(spec.shape, spec.dtype); bytes > 0)
    std::memcpy(copy.buffer.data(), elements.data(), bytes);
  return copy;
}

Array copied(const Array& array) { return copied(array.buffer, array); }

}  // namespace xtgrad::v1::detail
