#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensors_in.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace detail {

/// Whether two values that tensors are in agree in all else: numbers, enums, strings, sizes, which handles
/// are empty.
template <class T>
struct PlainValues {
  static bool same(const T& a, const T& b) {
    if constexpr (NamesItsTensors<T>) {
      const auto x = tensors_of(const_cast<T&>(a)), y = tensors_of(const_cast<T&>(b));
      return PlainValues<std::remove_cvref_t<decltype(x)>>::same(x, y);
    } else if constexpr (std::is_floating_point_v<T>) {
      // 0 and -0 are two values, and NaN is its own equal.
      return a == b ? std::signbit(a) == std::signbit(b) : a != a && b != b;
    } else {
      return a == b;
    }
  }
};

template <>
struct PlainValues<Tensor> {
  static bool same(const Tensor& a, const Tensor& b) { return a.defined() == b.defined(); }
};

template <class T>
struct PlainValues<std::optional<T>> {
  static bool same(const std::optional<T>& a, const std::optional<T>& b) {
    return a.has_value() == b.has_value() && (!a.has_value() || PlainValues<T>::same(*a, *b));
  }
};

template <class... T>
struct PlainValues<std::tuple<T...>> {
  template <class... U>
  static bool same(const std::tuple<T...>& a, const std::tuple<U...>& b) {
    return [&]<std::size_t... k>(std::index_sequence<k...>) {
      return (PlainValues<std::remove_cvref_t<T>>::same(std::get<k>(a), std::get<k>(b)) && ...);
    }
    (std::index_sequence_for<T...>{});
  }
};

template <class A, class B>
struct PlainValues<std::pair<A, B>> {
  static bool same(const std::pair<A, B>& a, const std::pair<A, B>& b) {
    return PlainValues<A>::same(a.first, b.first) && PlainValues<B>::same(a.second, b.second);
  }
};

template <class T, class Sequence>
struct PlainValuesInSequence {
  static bool same(const Sequence& a, const Sequence& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (!PlainValues<T>::same(a[i], b[i])) return false;
    }
    return true;
  }
};

template <class T, std::size_t n>
struct PlainValues<std::array<T, n>> : PlainValuesInSequence<T, std::array<T, n>> {};
template <class T, class Allocator>
struct PlainValues<std::vector<T, Allocator>> : PlainValuesInSequence<T, std::vector<T, Allocator>> {};

template <class... T, class... U>
bool same_plain_values(const std::tuple<T...>& a, const std::tuple<U...>& b) {
  return PlainValues<std::tuple<T...>>::same(a, b);
}

}}}  // namespace xtgrad::v1::detail
