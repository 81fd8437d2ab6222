#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 {

namespace detail {
/// A list of what has a tensor, such as a model's parameters.
template <class List>
concept PointsToTensors = requires(const List& list) {
  (*list.begin())->tensor();
};
}  // namespace detail

/// Tensors as an argument: one, several in braces, a vector, a span, or what a model's `parameters()`
/// returns. It refers to what it was made of, so it is not for keeping.
class TensorList {
 public:
  TensorList(const Tensor& one) : tensors_(&one, 1) {}  // NOLINT(google-explicit-constructor): as below
  TensorList(std::initializer_list<Tensor> list) : tensors_(list.begin(), list.size()) {}
  template <class List>
  requires std::is_convertible_v<const List&, std::span<const Tensor>> TensorList(const List& list)
      : tensors_(list) {}  // NOLINT(google-explicit-constructor): a list is a list
  template <detail::PointsToTensors List>
  TensorList(const List& list) {  // NOLINT(google-explicit-constructor): a list is a list
    for (const auto& each : list) own_.push_back(each->tensor());
    tensors_ = own_;
  }
  TensorList(const TensorList&) = delete;
  TensorList& operator=(const TensorList&) = delete;
  ~TensorList() = default;

  [[nodiscard]] std::span<const Tensor> tensors() const { return tensors_; }
  [[nodiscard]] std::size_t size() const { return tensors_.size(); }
  [[nodiscard]] const Tensor& operator[](std::size_t i) const { return tensors_[i]; }

 private:
  std::vector<Tensor> own_;
  std::span<const Tensor> tensors_;
};

}}  // namespace xtgrad::v1
