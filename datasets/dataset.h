#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace datasets {

namespace detail {

struct Numbers;

}  // namespace detail

/// What the bytes of images stand for, as inputs of a model.
struct Pixels {
  bool unit_range = true;  ///< numbers in [0, 1], byte / 255; else 0 .. 255
  Dtype dtype = float32;   ///< of the numbers, floating
};

/// What a Dataset is made of; row i of `inputs` and row i of `labels` belong together.
struct DatasetParts {
  Tensor inputs = {};        ///< [n, ...], any dtype
  Tensor labels = {};        ///< [n] int64 classes; without classes [n, ...] of any dtype
  std::int64_t classes = 0;  ///< labels are 0 .. classes-1; 0 where the targets are no classes
  std::vector<std::string> class_names = {};    ///< one a class, or none
  std::vector<std::string> feature_names = {};  ///< one an element of a sample, or none
  /// For inputs of uint8 that are to be numbers in batches; they stay bytes in memory until then.
  std::optional<Pixels> pixels = std::nullopt;
};

/// Samples in memory, with a label or a target each. A value: copies share the same immutable tensors, so
/// they cost nothing, and no copy can change another.
///
///   datasets::Dataset points({.inputs = tensor({{0, 0}, {0, 1}, {1, 1}}),
///                             .labels = tensor({0, 1, 0}, {.dtype = int64}),
///                             .classes = 2});
///   points.subset({2, 0}).inputs();  // {{1, 1}, {0, 0}}
class Dataset {
 public:
  /// Throws ShapeError where the numbers of samples differ or there is no first dimension, DtypeError for
  /// class labels that are not int64, ValueError for a label out of range (naming its row), for a wrong
  /// number of names, and for tensors that require gradients (`detach` them). With `pixels`, DtypeError
  /// unless the inputs are uint8 and the numbers floating.
  explicit Dataset(DatasetParts parts);

  /// Number of samples.
  [[nodiscard]] std::int64_t size() const { return parts_.inputs.shape()[0]; }
  /// [n, ...], the numbers that batches have. Where the inputs are kept as bytes, the first call converts
  /// them all and keeps the result beside them, for all copies of this data set: a loader, which converts
  /// batches, a small `subset` or `stored_inputs` take less. Any number of threads may call it.
  [[nodiscard]] const Tensor& inputs() const&;
  [[nodiscard]] Tensor inputs() const&& { return inputs(); }
  /// [n, ...] as they lie in memory: uint8 where `pixels` says what they stand for, else the same as
  /// `inputs()`.
  [[nodiscard]] const Tensor& stored_inputs() const& { return parts_.inputs; }
  [[nodiscard]] Tensor stored_inputs() const&& { return parts_.inputs; }
  /// What the stored bytes stand for; none where the inputs are stored as they are.
  [[nodiscard]] const std::optional<Pixels>& pixels() const& { return parts_.pixels; }
  [[nodiscard]] std::optional<Pixels> pixels() const&& { return parts_.pixels; }
  /// Of `inputs()`, and of a batch's.
  [[nodiscard]] Dtype inputs_dtype() const {
    return parts_.pixels ? parts_.pixels->dtype : parts_.inputs.dtype();
  }
  [[nodiscard]] const Tensor& labels() const& { return parts_.labels; }  ///< [n], or [n, ...] without classes
  [[nodiscard]] Tensor labels() const&& { return parts_.labels; }
  /// Number of classes; 0 where the targets are no classes.
  [[nodiscard]] std::int64_t classes() const { return parts_.classes; }
  [[nodiscard]] const std::vector<std::string>& class_names() const& { return parts_.class_names; }
  [[nodiscard]] std::vector<std::string> class_names() const&& { return parts_.class_names; }
  [[nodiscard]] const std::vector<std::string>& feature_names() const& { return parts_.feature_names; }
  [[nodiscard]] std::vector<std::string> feature_names() const&& { return parts_.feature_names; }
  /// Shape of one sample: the inputs' without the first dimension.
  [[nodiscard]] Shape sample_shape() const;
  /// How many samples each class has; empty without classes.
  [[nodiscard]] std::vector<std::int64_t> class_counts() const;

  /// The samples at `indices`, in that order; an index may occur more than once. Throws ValueError for an
  /// index out of range.
  [[nodiscard]] Dataset subset(std::span<const std::int64_t> indices) const;
  [[nodiscard]] Dataset subset(std::initializer_list<std::int64_t> indices) const;

  /// The same labels and names with other inputs, for instance normalised ones, stored as they are. The
  /// feature names stay only if a sample keeps its number of elements.
  [[nodiscard]] Dataset with_inputs(const Tensor& inputs) const;

 private:
  DatasetParts parts_;
  std::shared_ptr<detail::Numbers>
      numbers_;  // what bytes stand for; null where the inputs are stored as they are
};

}}}  // namespace xtgrad::v1::datasets
