#pragma once

#include <compare>
#include <cstddef>
#include <iterator>
#include <span>
#include <utility>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

/// The elements of a tensor that has no other name, and which this keeps alive:
/// `for (float v : model(x).data<float>())`, or `auto values = (x * 2).data<float>();`. A variable of it
/// converts to std::span; a temporary does not, for the span would outlive the elements.
template <class T>
class Elements {
 public:
  using value_type = T;

  // Not a pointer: std::span would be made of a temporary that has contiguous elements.
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = const T&;
    using pointer = const T*;
    using iterator_category = std::random_access_iterator_tag;

    Iterator() = default;
    explicit Iterator(const T* at) : at_(at) {}
    const T& operator*() const { return *at_; }
    const T* operator->() const { return at_; }
    const T& operator[](std::ptrdiff_t n) const { return at_[n]; }
    Iterator& operator++() { return *this += 1; }
    Iterator& operator--() { return *this += -1; }
    Iterator operator++(int) { return Iterator(at_++); }
    Iterator operator--(int) { return Iterator(at_--); }
    Iterator& operator+=(std::ptrdiff_t n) {
      at_ += n;
      return *this;
    }
    Iterator& operator-=(std::ptrdiff_t n) { return *this += -n; }
    friend Iterator operator+(Iterator it, std::ptrdiff_t n) { return it += n; }
    friend Iterator operator+(std::ptrdiff_t n, Iterator it) { return it += n; }
    friend Iterator operator-(Iterator it, std::ptrdiff_t n) { return it -= n; }
    friend std::ptrdiff_t operator-(const Iterator& a, const Iterator& b) { return a.at_ - b.at_; }
    friend auto operator<=>(const Iterator&, const Iterator&) = default;

   private:
    const T* at_ = nullptr;
  };

  explicit Elements(Tensor tensor) : tensor_(std::move(tensor)), span_(tensor_.data<T>()) {}

  [[nodiscard]] std::size_t size() const { return span_.size(); }
  [[nodiscard]] std::size_t size_bytes() const { return span_.size_bytes(); }
  [[nodiscard]] bool empty() const { return span_.empty(); }
  [[nodiscard]] T operator[](std::size_t i) const { return span_[i]; }
  [[nodiscard]] T front() const { return span_.front(); }
  [[nodiscard]] T back() const { return span_.back(); }
  [[nodiscard]] Iterator begin() const& { return Iterator(span_.data()); }
  [[nodiscard]] Iterator end() const& { return Iterator(span_.data() + span_.size()); }
  [[nodiscard]] const T* data() const& { return span_.data(); }
  operator std::span<const T>() const& { return span_; }  // NOLINT(google-explicit-constructor): it is one

  // Of a temporary these would be left with freed memory.
  Iterator begin() const&& = delete;
  Iterator end() const&& = delete;
  const T* data() const&& = delete;
  operator std::span<const T>() const&& {  // NOLINT(google-explicit-constructor)
    static_assert(sizeof(T) == 0,
                  "the span would outlive the tensor whose elements it shows: give the tensor a name first, "
                  "`const Tensor y = ...; y.data<T>()`, or keep the elements, `auto values = "
                  "(...).data<T>();`");
    return {};
  }

 private:
  Tensor tensor_;
  std::span<const T> span_;
};

template <class T>
Elements<T> Tensor::data() const&& {
  return Elements<T>(*this);
}

}}  // namespace xtgrad::v1
