#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/shape.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad::inline v1::detail {

/// What the file formats share: kinds of elements, the way from their bytes to a tensor and back, and words
/// for messages.

/// Kinds of elements that files hold. Those that have no dtype of their name become float32 or int64, which
/// hold every value of theirs.
enum class Element : std::uint8_t {
  boolean,
  int8,
  int16,
  int32,
  int64,
  uint8,
  uint16,
  uint32,
  float16,
  bfloat16,
  float32,
  float64
};

[[nodiscard]] std::size_t item_size(Element element);
/// The dtype that holds it.
[[nodiscard]] Dtype dtype_of_element(Element element);

/// The element that a dtype is written as.
[[nodiscard]] Element element_of(Dtype dtype);

/// Bytes that so many elements take; empty where 63 bits cannot count them, zeros among the sizes left out,
/// or where a tensor cannot have so many dimensions.
[[nodiscard]] std::optional<std::uint64_t> checked_bytes(std::span<const std::uint64_t> sizes,
                                                         std::size_t item_size);

struct ElementLayout {
  bool big_endian = false;
  bool column_major = false;  // the first dimension varies fastest
};

/// A tensor of elements as they lie in a file; there are as many as the shape says.
[[nodiscard]] Tensor tensor_of_elements(std::string_view bytes, Element element, const Shape& shape,
                                        const ElementLayout& layout = {});

/// A tensor's elements, row-major and little-endian; valid as long as the tensor.
[[nodiscard]] std::string_view bytes_of_elements(const Tensor& tensor);

/// Text from a file, fit for a message: in quotes, cut if it is long, with control characters as \xNN, and
/// all that is not ASCII, too, unless the text is UTF-8.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace xtgrad::v1::detail
