#pragma once

#include <cstdint>
#include <span>

#include "xtgrad/autograd/callable.h"
#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/random.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

/// A sample to read: its elements where they lie, row-major. Valid for one call of a transform.
class SampleView {
 public:
  /// The library makes these; `data` points to as many elements of `dtype` as `shape` has.
  SampleView(const void* data, const Shape& shape, Dtype dtype) : data_(data), shape_(shape), dtype_(dtype) {}

  [[nodiscard]] const Shape& shape() const& { return shape_; }
  [[nodiscard]] Shape shape() const&& { return shape_; }
  [[nodiscard]] Dtype dtype() const { return dtype_; }
  /// The elements; T is an element type of tensors, such as float, and must be that of the dtype: throws
  /// DtypeError. A template, because the element type is the question; instantiated for all in the library.
  template <class T>
  [[nodiscard]] std::span<const T> data() const;

 private:
  const void* data_;
  Shape shape_;
  Dtype dtype_;
};

/// The place in a batch where a transform writes a sample; its elements are not initialised.
class SampleTarget {
 public:
  SampleTarget(void* data, const Shape& shape, Dtype dtype) : data_(data), shape_(shape), dtype_(dtype) {}

  [[nodiscard]] const Shape& shape() const& { return shape_; }
  [[nodiscard]] Shape shape() const&& { return shape_; }
  [[nodiscard]] Dtype dtype() const { return dtype_; }
  /// As SampleView's, to be written.
  template <class T>
  [[nodiscard]] std::span<T> data() const;

 private:
  void* data_;
  Shape shape_;
  Dtype dtype_;
};

/// Makes a sample of a batch from one of the data set, in the same dtype and perhaps another shape. It works
/// on the elements in place of tensors, so a sample costs no node. Random choices must come from `random`,
/// and a loader with workers calls the function on several threads at once.
///
///   datasets::SampleTransform dim = {[](const auto& from, const auto& to, Random& random) {
///     const auto factor = static_cast<float>(random.next_uniform());
///     std::ranges::transform(from.template data<float>(), to.template data<float>().begin(),
///                            [=](float x) { return factor * x; });
///   }};
class SampleTransform {
 public:
  using Function = Callable<void(const SampleView& from, const SampleTarget& to, Random& random)>;
  using ShapeFunction = Callable<Shape(const Shape& sample)>;

  /// Copies samples as they are.
  SampleTransform() = default;
  /// `output_shape` tells the result's shape from the sample's, or throws where the sample does not fit; left
  /// out, a sample keeps its shape. Throws ValueError for an empty `function`.
  SampleTransform(Function function, ShapeFunction output_shape = {});  // NOLINT: a function is a transform

  /// False for a default-constructed one.
  explicit operator bool() const { return static_cast<bool>(function_); }

  [[nodiscard]] Shape output_shape(const Shape& sample) const;

  /// Throws ShapeError or DtypeError unless `to` is of the output's shape and of the sample's dtype.
  void operator()(const SampleView& from, const SampleTarget& to, Random& random) const;

 private:
  Function function_;
  ShapeFunction output_shape_;
};

/// A new tensor of transformed samples: [n, ...] to [n, output_shape...], without a graph. Takes one draw of
/// `random`, which seeds each sample by its index. Throws ShapeError for a 0-d tensor.
[[nodiscard]] Tensor transform_samples(const Tensor& inputs, const SampleTransform& transform,
                                       Random& random);

}}}  // namespace xtgrad::v1::datasets
