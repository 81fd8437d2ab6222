#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

// Values that tensors are in, as what modules and checkpointed functions take and return: a Tensor, a number,
// an enum, a std::string, and any std::optional, std::pair, std::tuple, std::array or std::vector of these. A
// struct joins them by a function `tensors_of` beside it, or a friend inside, that returns references to
// those of its members that hold tensors:
//
//   struct State {
//     Tensor h, c;
//     friend auto tensors_of(State& s) { return std::tie(s.h, s.c); }
//   };
//
// They are seen in this order, without handles that are empty.
//
// Templates, because only the type says where the tensors are.

namespace detail {

template <class T>
concept NamesItsTensors = requires(T& value) {
  tensors_of(value);
};

/// Whether tensors can be found in a T, and how to call f(Tensor&) for each tensor in a value of it.
template <class T>
struct TensorsIn {
  static constexpr bool supported =
      std::is_arithmetic_v<T> || std::is_enum_v<T> || std::is_same_v<T, std::string>;
  template <class F>
  static void each(T&, F&) {}
};

template <>
struct TensorsIn<void> {
  static constexpr bool supported = false;
};

template <>
struct TensorsIn<Tensor> {
  static constexpr bool supported = true;
  template <class F>
  static void each(Tensor& value, F& f) {
    if (value.defined()) f(value);
  }
};

template <class T>
struct TensorsIn<std::optional<T>> {
  static constexpr bool supported = TensorsIn<T>::supported;
  template <class F>
  static void each(std::optional<T>& value, F& f) {
    if (value.has_value()) TensorsIn<T>::each(*value, f);
  }
};

template <class... T>
struct TensorsIn<std::tuple<T...>> {
  static constexpr bool supported = (TensorsIn<std::remove_cvref_t<T>>::supported && ...);
  template <class F>
  static void each(std::tuple<T...>& value, F& f) {
    std::apply([&](auto&... part) { (TensorsIn<std::remove_cvref_t<T>>::each(part, f), ...); }, value);
  }
};

template <class A, class B>
struct TensorsIn<std::pair<A, B>> {
  static constexpr bool supported = TensorsIn<A>::supported && TensorsIn<B>::supported;
  template <class F>
  static void each(std::pair<A, B>& value, F& f) {
    TensorsIn<A>::each(value.first, f);
    TensorsIn<B>::each(value.second, f);
  }
};

/// A sequence of T: an array or a vector.
template <class T, class Sequence>
struct TensorsInSequence {
  static constexpr bool supported = TensorsIn<T>::supported;
  template <class F>
  static void each(Sequence& value, F& f) {
    // The elements of a vector<bool> are not even references.
    if constexpr (!std::is_arithmetic_v<T>) {
      for (T& part : value) TensorsIn<T>::each(part, f);
    }
  }
};

template <class T, std::size_t n>
struct TensorsIn<std::array<T, n>> : TensorsInSequence<T, std::array<T, n>> {};
template <class T, class Allocator>
struct TensorsIn<std::vector<T, Allocator>> : TensorsInSequence<T, std::vector<T, Allocator>> {};

template <NamesItsTensors T>
struct TensorsIn<T> {
  using Parts = decltype(tensors_of(std::declval<T&>()));
  static constexpr bool supported = TensorsIn<Parts>::supported;
  template <class F>
  static void each(T& value, F& f) {
    Parts parts = tensors_of(value);
    TensorsIn<Parts>::each(parts, f);
  }
};

/// Calls f(Tensor&) for each tensor in a value that can be changed.
template <class T, class F>
void for_each_tensor(T& value, F f) {
  if constexpr (TensorsIn<T>::supported) TensorsIn<T>::each(value, f);
}

/// The tensors in some values, in order.
template <class... T>
std::vector<Tensor> tensors_in(const T&... values) {
  std::vector<Tensor> result;
  // One walk serves reading and writing, as with `members`; this only reads.
  (for_each_tensor(const_cast<T&>(values), [&](const Tensor& tensor) { result.push_back(tensor); }), ...);
  return result;
}

}  // namespace detail
}}  // namespace xtgrad::v1
