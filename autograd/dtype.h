#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <string_view>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/scoped_setting.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// Element type of a tensor: a line each in dtypes.def. There is no implicit promotion between tensors:
/// convert with `Tensor::to`.
///
///   float32, float64  can be differentiated; every operation takes them
///   int64             indices, labels, counts; sums, products and other exact arithmetic, too
///   uint8, int32      storage: made, converted, compared, chosen (`where`, `gather`), moved, printed, saved;
///                     arithmetic throws a DtypeError that says what to convert to
///   bool              masks; as uint8 without arithmetic
enum class Dtype : std::uint8_t {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) name,
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
};

// boolean, uint8, int32, int64, float32, float64: so that users write {.dtype = int64}.
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) inline constexpr Dtype name = Dtype::name;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE

namespace detail {

enum class DtypeKind : std::uint8_t { none, boolean, integer, floating };

/// `none` for a byte that was cast to Dtype, such as one from a damaged file.
[[nodiscard]] constexpr DtypeKind kind_of(Dtype dtype) {
  switch (dtype) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  case Dtype::name:                                         \
    return DtypeKind::kind;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  return DtypeKind::none;
}

}  // namespace detail

/// "bool", "uint8", "int32", "int64", "float32" or "float64".
[[nodiscard]] std::string_view to_string(Dtype dtype);
std::ostream& operator<<(std::ostream& out, Dtype dtype);

/// The dtype of that name; throws DtypeError that lists the names otherwise.
[[nodiscard]] Dtype parse_dtype(std::string_view name);

/// Bytes of one element.
[[nodiscard]] constexpr std::size_t item_size(Dtype dtype) {
  switch (dtype) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  case Dtype::name:                                         \
    return sizeof(Storage);
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  return 0;
}

/// True for float32 and float64.
[[nodiscard]] constexpr bool is_floating(Dtype dtype) {
  return detail::kind_of(dtype) == detail::DtypeKind::floating;
}

/// True for uint8, int32 and int64.
[[nodiscard]] constexpr bool is_integer(Dtype dtype) {
  return detail::kind_of(dtype) == detail::DtypeKind::integer;
}

/// The dtype that tensors made from C++ numbers get on this thread; float32 at start.
[[nodiscard]] Dtype default_dtype();

/// Sets this thread's default dtype while in scope: `DefaultDtype in_double(float64);`. Throws DtypeError
/// unless it is floating.
class DefaultDtype {
 public:
  [[nodiscard("a scope ends with its statement unless it has a name")]] explicit DefaultDtype(Dtype dtype);
  ~DefaultDtype();
  DefaultDtype(const DefaultDtype&) = delete;
  DefaultDtype& operator=(const DefaultDtype&) = delete;

 private:
  detail::ScopedSetting<Dtype> scope_;
};

}}  // namespace xtgrad::v1
