#include "xtgrad/autograd/io/elements.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>

#include "xtgrad/autograd/core/array.h"
#include "xtgrad/autograd/core/node.h"
#include "xtgrad/autograd/errors.h"

namespace xtgrad::inline v1::detail {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");
static_assert(sizeof(bool) == 1, "a bool is one byte in every format");

/// The floating formats of 16 bits, as they lie in a file.
struct Half {
  std::uint16_t bits;
};
struct Bfloat {
  std::uint16_t bits;
};

/// Calls `f` with a value of the type that lies in the file.
template <class F>
decltype(auto) visit_element(Element element, F&& f) {
  switch (element) {
    case Element::boolean:
      return f(bool{});
    case Element::int8:
      return f(std::int8_t{});
    case Element::int16:
      return f(std::int16_t{});
    case Element::int32:
      return f(std::int32_t{});
    case Element::int64:
      return f(std::int64_t{});
    case Element::uint8:
      return f(std::uint8_t{});
    case Element::uint16:
      return f(std::uint16_t{});
    case Element::uint32:
      return f(std::uint32_t{});
    case Element::float16:
      return f(Half{});
    case Element::bfloat16:
      return f(Bfloat{});
    case Element::float64:
      return f(double{});
    case Element::float32:
      return f(float{});
  }
  throw InternalError("Element: not one of the kinds");
}

/// The type of the tensor's elements: that of the file where a dtype is stored so.
template <class Stored>
using Value = std::conditional_t<ElementType<Stored>, Stored,
                                 std::conditional_t<std::is_integral_v<Stored>, std::int64_t, float>>;

/// IEEE binary16: 1 bit of sign, 5 of exponent, 10 of fraction; every value is a float32.
float value_of(Half half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half.bits & 0x8000U) << 16;
  const std::uint32_t exponent = (half.bits >> 10) & 0x1fU;
  const std::uint32_t fraction = half.bits & 0x3ffU;
  if (exponent == 0) {  // zero or subnormal: fraction times 2^-24, exact
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
  }
  const std::uint32_t wide_exponent = exponent == 31 ? 255 : exponent + (127 - 15);  // infinity and NaN
  return std::bit_cast<float>(sign | wide_exponent << 23 | fraction << 13);
}

/// The upper half of a float32.
float value_of(Bfloat bfloat) { return std::bit_cast<float>(static_cast<std::uint32_t>(bfloat.bits) << 16); }

template <class T>
T value_of(T stored) {
  return stored;
}

template <class Stored>
Value<Stored> element_at(const char* bytes, bool big_endian) {
  if constexpr (std::is_same_v<Stored, bool>) {
    return *bytes != 0;  // a bool of another byte than 0 and 1 would be undefined
  } else {
    std::array<char, sizeof(Stored)> raw{};
    std::memcpy(raw.data(), bytes, raw.size());
    if (big_endian) std::reverse(raw.begin(), raw.end());
    return static_cast<Value<Stored>>(value_of(std::bit_cast<Stored>(raw)));
  }
}

/// Calls `f(i, j)` for the place i of each element in row-major order, and its place j in column-major order.
template <class F>
void for_each_transposed(const Shape& shape, F f) {
  std::array<std::size_t, Shape::max_rank> strides{};  // column-major
  std::size_t count = 1;
  for (std::size_t dim = 0; dim < shape.rank(); ++dim) {
    strides[dim] = count;
    count *= static_cast<std::size_t>(shape[dim]);
  }
  std::array<std::int64_t, Shape::max_rank> index{};
  std::size_t j = 0;
  for (std::size_t i = 0; i < count; ++i) {
    f(i, j);
    for (std::size_t dim = shape.rank(); dim-- > 0;) {
      j += strides[dim];
      if (++index[dim] < shape[dim]) break;
      j -= strides[dim] * static_cast<std::size_t>(shape[dim]);
      index[dim] = 0;
    }
  }
}

/// True if every lead byte has its continuation bytes.
bool is_utf8(std::string_view text) {
  int expected = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xc0) == 0x80;
    if (continues != (expected > 0) || byte >= 0xf8) return false;
    expected = continues ? expected - 1 : byte < 0xc0 ? 0 : byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  }
  return expected == 0;
}

}  // namespace

std::size_t item_size(Element element) {
  return visit_element(element, [](auto stored) { return sizeof(stored); });
}

Dtype dtype_of_element(Element element) {
  return visit_element(element, [](auto stored) { return dtype_of<Value<decltype(stored)>>; });
}

Element element_of(Dtype dtype) {
  switch (dtype) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  case Dtype::name:                                         \
    return Element::name;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  throw InternalError(fmt::format("element_of: no dtype has the number {}", static_cast<int>(dtype)));
}

std::optional<std::uint64_t> checked_bytes(std::span<const std::uint64_t> sizes, std::size_t item_size) {
  if (sizes.size() > Shape::max_rank) return std::nullopt;
  // For the widest element of ours, since what is in the file may be widened.
  std::uint64_t product = std::max(item_size, sizeof(double));
  bool empty = false;
  for (const std::uint64_t size : sizes) {
    empty = empty || size == 0;
    if (size != 0 && __builtin_mul_overflow(product, size, &product)) return std::nullopt;
  }
  if (product > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return empty ? 0 : product / std::max(item_size, sizeof(double)) * item_size;
}

Tensor tensor_of_elements(std::string_view bytes, Element element, const Shape& shape,
                          const ElementLayout& layout) {
  Array array = Array::uninitialized(shape, dtype_of_element(element));
  visit_element(element, [&](auto zero) {
    using Stored = decltype(zero);
    using T = Value<Stored>;
    T* out = array.mutable_data<T>();
    const std::size_t count = bytes.size() / sizeof(Stored);
    const auto read = [&](std::size_t i, std::size_t j) {
      out[i] = element_at<Stored>(bytes.data() + j * sizeof(Stored), layout.big_endian);
    };
    if (layout.column_major && shape.rank() > 1) {
      for_each_transposed(shape, read);
    } else if (std::is_same_v<Stored, T> && !std::is_same_v<T, bool> && !layout.big_endian) {
      if (count > 0) std::memcpy(out, bytes.data(), bytes.size());
    } else {
      for (std::size_t i = 0; i < count; ++i) read(i, i);
    }
  });
  return make_constant(std::move(array));
}

std::string_view bytes_of_elements(const Tensor& tensor) {
  return visit(tensor.dtype(), [&](auto zero) {
    const auto elements = tensor.data<decltype(zero)>();
    return std::string_view(reinterpret_cast<const char*>(elements.data()), elements.size_bytes());
  });
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 64;
  std::size_t length = std::min(text.size(), longest);
  // Not in the middle of a UTF-8 sequence.
  while (length > 0 && length < text.size() && (text[length] & 0xc0) == 0x80) --length;
  const std::string_view start = text.substr(0, length);
  const bool printable = is_utf8(start);
  std::string shown = "\"";
  for (const char c : start) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '"' || c == '\\' || (byte >= 0x80 && !printable)) {
      shown += fmt::format("\\x{:02x}", byte);
    } else {
      shown += c;
    }
  }
  return shown += text.size() > length ? fmt::format("...\" ({} bytes)", text.size()) : "\"";
}

}  // namespace xtgrad::v1::detail
