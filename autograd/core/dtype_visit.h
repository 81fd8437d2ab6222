#pragma once

#include <cstdint>
#include <span>

#include "xtgrad/autograd/core/element.h"

namespace xtgrad::inline v1::detail {

// From a dtype at run time to a type at compile time. A function lists the element types that it serves; for
// any other dtype the visit throws, and no list grows by itself when dtypes.def does.

/// A list of element types.
template <ElementType... T>
struct ElementTypes {
  static constexpr Dtype dtypes[] = {dtype_of<T>...};
  [[nodiscard]] static constexpr bool contains(Dtype dtype) { return ((dtype == dtype_of<T>) || ...); }
};

/// What lanes, matrix products and derivative rules serve.
using FloatingTypes = ElementTypes<float, double>;
/// What sums, products and orders are computed in.
using NumericTypes = ElementTypes<std::int64_t, float, double>;
/// What int64 holds without loss.
using IntegerTypes = ElementTypes<std::uint8_t, std::int32_t, std::int64_t>;
/// What may say which element is meant.
using IndexTypes = ElementTypes<std::int32_t, std::int64_t>;

/// Throws InternalError: operations check their operands' dtypes and name themselves before they come here.
[[noreturn]] void throw_not_served(Dtype dtype, std::span<const Dtype> served);

// NOLINTBEGIN(bugprone-macro-parentheses): types of the table cannot be put in parentheses

/// Calls `f` with a value of the C++ type of `dtype`; throws InternalError unless the list has it.
template <class Types, class F>
decltype(auto) visit_listed(Dtype dtype, F&& f) {
  switch (dtype) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind)          \
  case Dtype::name:                                                  \
    if constexpr (Types::contains(Dtype::name)) return f(Storage{}); \
    break;
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  throw_not_served(dtype, Types::dtypes);
}

/// Calls `f` with a value of the C++ type of `dtype`, whichever it is, so `f` must compile for every line of
/// dtypes.def: `visit(x.dtype, [&](auto zero) { using T = decltype(zero); ... })`. For what moves, compares
/// or converts elements.
template <class F>
decltype(auto) visit(Dtype dtype, F&& f) {
  switch (dtype) {
#define XTGRAD_DTYPE(name, text, Storage, Arithmetic, kind) \
  case Dtype::name:                                         \
    return f(Storage{});
#include "xtgrad/autograd/dtypes.def"
#undef XTGRAD_DTYPE
  }
  throw_not_served(dtype, {});
}

// NOLINTEND(bugprone-macro-parentheses)

template <class F>
decltype(auto) visit_floating(Dtype dtype, F&& f) {
  return visit_listed<FloatingTypes>(dtype, f);
}

template <class F>
decltype(auto) visit_numeric(Dtype dtype, F&& f) {
  return visit_listed<NumericTypes>(dtype, f);
}

}  // namespace xtgrad::v1::detail
