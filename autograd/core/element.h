#pragma once

#include <cstdint>

#include "xtgrad/autograd/dtype.h"
#include "xtgrad/autograd/export.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

/// A line of dtypes.def, by its storage type; incomplete for every type that no dtype is stored as.
template <class T>
struct ElementTraits;

#define XTGRAD_DTYPE(name, text, Storage, ArithmeticType, dtype_kind) \
  template <>                                                         \
  struct ElementTraits<Storage> {                                     \
    using Arithmetic = ArithmeticType;                                \
    static constexpr Dtype dtype = Dtype::name;                       \
    static constexpr DtypeKind kind = DtypeKind::dtype_kind;          \
  };
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE

/// The types that elements of tensors are stored as.
template <class T>
concept ElementType = requires {
  ElementTraits<T>::dtype;
};

template <ElementType T>
inline constexpr Dtype dtype_of = ElementTraits<T>::dtype;

/// What formulas on single elements compute in.
template <ElementType T>
using Arithmetic = typename ElementTraits<T>::Arithmetic;

}}}  // namespace xtgrad::v1::detail
