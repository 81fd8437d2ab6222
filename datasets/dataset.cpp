#include "xtgrad/datasets/dataset.h"

#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/datasets/decode.h"
#include "xtgrad/datasets/rows.h"

namespace xtgrad::inline v1::datasets {

namespace detail {

/// The inputs of a data set of bytes, once somebody has asked for all of them.
struct Numbers {
  std::once_flag once;
  Tensor tensor;
};

}  // namespace detail

namespace {

/// Elements of one sample of [n, ...].
std::int64_t sample_numel(const Tensor& inputs) {
  std::int64_t product = 1;
  for (std::size_t dim = 1; dim < inputs.rank(); ++dim) product *= inputs.shape()[dim];
  return product;
}

void check_samples(std::string_view name, const Tensor& tensor) {
  if (!tensor.defined()) throw ValueError(fmt::format("Dataset: no {} are given", name));
  if (tensor.rank() == 0) {
    throw ShapeError(fmt::format("Dataset: {} need a first dimension that counts the samples: got []", name));
  }
  if (tensor.requires_grad()) {
    // Batches are copies without a graph: the gradient would be lost in silence.
    throw ValueError(fmt::format("Dataset: {} must not require gradients: pass {}.detach()", name, name));
  }
}

void check_labels(const Tensor& labels, std::int64_t classes) {
  if (labels.dtype() != int64) {
    throw DtypeError(fmt::format("Dataset: class labels must be int64: got {}", to_string(labels.dtype())));
  }
  if (labels.rank() != 1) {
    throw ShapeError(fmt::format("Dataset: class labels must be one number a sample, [n]: got {}",
                                 to_string(labels.shape())));
  }
  const std::span<const std::int64_t> label = labels.data<std::int64_t>();
  for (std::size_t row = 0; row < label.size(); ++row) {
    if (label[row] < 0 || label[row] >= classes) {
      throw ValueError(fmt::format("Dataset: label out of range: row {} has label {}, classes is {}", row,
                                   label[row], classes));
    }
  }
}

void check_names(std::string_view what, const std::vector<std::string>& names, std::string_view of,
                 std::int64_t count) {
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != count) {
    throw ValueError(
        fmt::format("Dataset: {} must be one for each {}: got {} for {}", what, of, names.size(), count));
  }
}

void check_pixels(const Pixels& pixels, Dtype stored) {
  if (stored != uint8) {
    throw DtypeError(fmt::format("Dataset: pixels need inputs of uint8: got {}", to_string(stored)));
  }
  if (!is_floating(pixels.dtype)) {
    throw DtypeError(
        fmt::format("Dataset: pixels.dtype must be float32 or float64: got {}", to_string(pixels.dtype)));
  }
}

}  // namespace

Dataset::Dataset(DatasetParts parts) : parts_(std::move(parts)) {
  check_samples("inputs", parts_.inputs);
  check_samples("labels", parts_.labels);
  if (parts_.pixels) {
    check_pixels(*parts_.pixels, parts_.inputs.dtype());
    numbers_ = std::make_shared<detail::Numbers>();
  }
  if (parts_.inputs.shape()[0] != parts_.labels.shape()[0]) {
    throw ShapeError(fmt::format("Dataset: numbers of samples differ: inputs are {}, labels are {}",
                                 to_string(parts_.inputs.shape()), to_string(parts_.labels.shape())));
  }
  if (parts_.classes < 0) {
    throw ValueError(fmt::format("Dataset: classes must not be negative: got {}", parts_.classes));
  }
  if (parts_.classes > 0) check_labels(parts_.labels, parts_.classes);
  check_names("class_names", parts_.class_names, "class", parts_.classes);
  check_names("feature_names", parts_.feature_names, "element of a sample", sample_numel(parts_.inputs));
}

const Tensor& Dataset::inputs() const& {
  if (!numbers_) return parts_.inputs;
  std::call_once(numbers_->once, [&] { numbers_->tensor = detail::numbers_of("inputs", *this); });
  return numbers_->tensor;
}

Shape Dataset::sample_shape() const {
  const Shape& shape = parts_.inputs.shape();
  return Shape(std::span<const std::int64_t>(shape.begin() + 1, shape.end()));
}

std::vector<std::int64_t> Dataset::class_counts() const {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes()), 0);
  if (classes() == 0) return counts;
  for (const std::int64_t label : labels().data<std::int64_t>()) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

Dataset Dataset::subset(std::span<const std::int64_t> indices) const {
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] < 0 || indices[i] >= size()) {
      throw ValueError(
          fmt::format("subset: index out of range: indices[{}] is {}, size is {}", i, indices[i], size()));
    }
  }
  DatasetParts parts = parts_;
  parts.inputs = detail::copy_rows("subset", parts_.inputs, indices);
  parts.labels = detail::copy_rows("subset", parts_.labels, indices);
  return Dataset(std::move(parts));
}

Dataset Dataset::subset(std::initializer_list<std::int64_t> indices) const {
  return subset(std::span<const std::int64_t>(indices.begin(), indices.size()));
}

Dataset Dataset::with_inputs(const Tensor& inputs) const {
  DatasetParts parts = parts_;
  parts.inputs = inputs;
  parts.pixels = std::nullopt;
  if (inputs.defined() && inputs.rank() > 0 && sample_numel(inputs) != sample_numel(parts_.inputs)) {
    parts.feature_names.clear();
  }
  return Dataset(std::move(parts));
}

}  // namespace xtgrad::v1::datasets
