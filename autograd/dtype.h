#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Element type of a tensor. float32 and float64 can be differentiated; int64 and bool are for indices,
/// labels and masks. There is no implicit promotion between tensors: convert with `Tensor::to`.
enum class Dtype : std::uint8_t { boolean, int64, float32, float64 };

inline constexpr Dtype boolean = Dtype::boolean;
inline constexpr Dtype int64 = Dtype::int64;
inline constexpr Dtype float32 = Dtype::float32;
inline constexpr Dtype float64 = Dtype::float64;

/// "bool", "int64", "float32" or "float64".
[[nodiscard]] std::string_view to_string(Dtype dtype);
std::ostream& operator<<(std::ostream& out, Dtype dtype);

/// The dtype of that name; throws DtypeError that lists the names otherwise.
[[nodiscard]] Dtype parse_dtype(std::string_view name);

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t item_size(Dtype dtype) {
  switch (dtype) {
    case Dtype::boolean:
      return 1;
    case Dtype::float32:
      return 4;
    case Dtype::int64:
    case Dtype::float64:
      return 8;
  }
  return 0;
}

/// True for float32 and float64.
[[nodiscard]] constexpr bool is_floating(Dtype dtype) { return dtype >= Dtype::float32; }

/// The dtype that tensors made from C++ numbers get on this thread; float32 at start.
[[nodiscard]] Dtype default_dtype();

/// Sets this thread's default dtype while in scope: `DefaultDtype in_double(float64);`. Throws DtypeError
/// unless it is floating.
class DefaultDtype {
 public:
  explicit DefaultDtype(Dtype dtype);
  ~DefaultDtype();
  DefaultDtype(const DefaultDtype&) = delete;
  DefaultDtype& operator=(const DefaultDtype&) = delete;

 private:
  Dtype before_;
};

}}  // namespace xtgrad::v1
