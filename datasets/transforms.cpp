#include "xtgrad/datasets/transforms.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/ops.h"
#include "xtgrad/datasets/checks.h"
#include "xtgrad/datasets/decode.h"

namespace xtgrad::inline v1::datasets {

namespace {

void require_floating(std::string_view function, std::string_view name, const Tensor& x) {
  if (!is_floating(x.dtype())) {
    throw DtypeError(
        fmt::format("{}: {} must be float32 or float64: got {}", function, name, to_string(x.dtype())));
  }
}

Shape sample_shape_of(const Tensor& inputs) {
  return Shape(std::span<const std::int64_t>(inputs.shape().begin() + 1, inputs.shape().end()));
}

/// Mean and standard deviation of each group g of elements x[i, g, k].
struct Moments {
  std::vector<double> mean;
  std::vector<double> deviation;
};

template <class T>
Moments moments(std::span<const T> x, std::size_t samples, std::size_t groups, std::size_t inner) {
  Moments result{.mean = std::vector<double>(groups, 0), .deviation = std::vector<double>(groups, 0)};
  const auto for_each_element = [&](auto body) {
    const T* element = x.data();
    for (std::size_t i = 0; i < samples; ++i) {
      for (std::size_t g = 0; g < groups; ++g) {
        for (std::size_t k = 0; k < inner; ++k) body(g, static_cast<double>(*element++));
      }
    }
  };
  if (inner == 0) return result;
  // Counted from the group's first element: the mean of equal elements is then that element to the last
  // digit, and their deviation exactly 0 rather than a rounding error that scaling would blow up to 1.
  const auto first = [&](std::size_t g) { return static_cast<double>(x[g * inner]); };
  const double count = static_cast<double>(samples) * static_cast<double>(inner);
  for_each_element([&](std::size_t g, double value) { result.mean[g] += value - first(g); });
  for (std::size_t g = 0; g < groups; ++g) result.mean[g] = first(g) + result.mean[g] / count;
  for_each_element([&](std::size_t g, double value) {
    result.deviation[g] += (value - result.mean[g]) * (value - result.mean[g]);
  });
  for (double& deviation : result.deviation) deviation = std::sqrt(deviation / count);
  return result;
}

template <class T>
void check_finite(std::span<const T> x, std::size_t sample_numel) {
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i])) {
      throw ValueError(
          fmt::format("Normalizer: inputs must be finite: row {} has {} at element {} of the sample",
                      i / sample_numel, x[i], i % sample_numel));
    }
  }
}

}  // namespace

Normalizer Normalizer::fit(const Tensor& inputs, const FitOptions& options) {
  require_floating("Normalizer", "inputs", inputs);
  const std::size_t least_rank = options.per_channel ? 2 : 1;
  if (inputs.rank() < least_rank || inputs.shape()[0] == 0) {
    throw ShapeError(fmt::format("Normalizer: needs samples {}: inputs are {}",
                                 options.per_channel ? "[n, channels, ...]" : "[n, ...]",
                                 to_string(inputs.shape())));
  }
  const Shape sample = sample_shape_of(inputs);
  Shape stat_shape = sample;
  if (options.per_channel) {
    for (std::size_t dim = 1; dim < stat_shape.rank(); ++dim) stat_shape[dim] = 1;
  }
  const auto groups = static_cast<std::size_t>(stat_shape.numel());
  const auto sample_numel = static_cast<std::size_t>(sample.numel());
  const std::size_t inner = groups == 0 ? 0 : sample_numel / groups;
  const auto samples = static_cast<std::size_t>(inputs.shape()[0]);

  const auto fit_typed = [&]<class T>(std::span<const T> x) {
    check_finite(x, sample_numel);
    return moments(x, samples, groups, inner);
  };
  Moments fitted = xtgrad::detail::visit_floating(
      inputs.dtype(), [&](auto zero) { return fit_typed(inputs.data<decltype(zero)>()); });
  for (double& deviation : fitted.deviation) {
    if (deviation == 0) deviation = 1;
  }
  Normalizer result(from_span(fitted.mean, stat_shape), from_span(fitted.deviation, stat_shape));
  if (!options.per_channel) result.sample_shape_ = sample;
  return result;
}

Normalizer Normalizer::fit(const Dataset& data, const FitOptions& options) {
  return fit(detail::numbers_of("Normalizer", data), options);
}

Normalizer::Normalizer(const Tensor& mean, const Tensor& scale) {
  require_floating("Normalizer", "mean", mean);
  require_floating("Normalizer", "scale", scale);
  if (mean.shape() != scale.shape()) {
    throw ShapeError(fmt::format("Normalizer: shapes differ: mean is {}, scale is {}",
                                 to_string(mean.shape()), to_string(scale.shape())));
  }
  mean_ = mean.to(float64).detach();
  scale_ = scale.to(float64).detach();
  const std::span<const double> means = mean_.data<double>();
  const std::span<const double> scales = scale_.data<double>();
  for (std::size_t i = 0; i < means.size(); ++i) {
    if (!std::isfinite(means[i]) || !std::isfinite(scales[i]) || scales[i] <= 0) {
      throw ValueError(
          fmt::format("Normalizer: mean must be finite, scale finite and positive: element {} is {}, {}", i,
                      means[i], scales[i]));
    }
  }
}

Tensor Normalizer::operator()(const Tensor& inputs) const {
  require_floating("Normalizer", "inputs", inputs);
  if (inputs.rank() == 0) throw ShapeError("Normalizer: needs samples [n, ...]: inputs are []");
  const Shape sample = sample_shape_of(inputs);
  if (sample_shape_ && sample != *sample_shape_) {
    throw ShapeError(fmt::format("Normalizer: samples differ in shape: fitted to {}, got {}",
                                 to_string(*sample_shape_), to_string(sample)));
  }
  // Numbers of a larger shape would stretch the samples.
  if (broadcast_shapes("Normalizer", sample, mean_.shape()) != sample) {
    throw ShapeError(
        fmt::format("Normalizer: mean and scale do not fit the samples: they are {}, a sample is {}",
                    to_string(mean_.shape()), to_string(sample)));
  }
  return (inputs - mean_.to(inputs.dtype())) / scale_.to(inputs.dtype());
}

Dataset Normalizer::operator()(const Dataset& data) const {
  return data.with_inputs((*this)(detail::numbers_of("Normalizer", data)));
}

Tensor unit_range(const Tensor& x, const RangeOptions& range) {
  require_floating("unit_range", "x", x);
  detail::require_finite("unit_range", "low", range.low);
  detail::require_finite("unit_range", "high", range.high);
  if (!(range.low < range.high)) {
    throw ValueError(
        fmt::format("unit_range: low must be less than high: low is {}, high is {}", range.low, range.high));
  }
  detail::require_finite("unit_range", "high - low", range.high - range.low);
  return (x - range.low) / (range.high - range.low);
}

Dataset unit_range(const Dataset& data, const RangeOptions& range) {
  return data.with_inputs(unit_range(detail::numbers_of("unit_range", data), range));
}

Tensor one_hot(const Dataset& data, const TensorOptions& options) {
  if (data.classes() == 0) {
    throw ValueError(fmt::format("one_hot: needs class labels: classes is 0 and labels are {} {}",
                                 to_string(data.labels().dtype()), to_string(data.labels().shape())));
  }
  TensorOptions chosen = options;
  if (!chosen.dtype && is_floating(data.inputs_dtype())) chosen.dtype = data.inputs_dtype();
  return xtgrad::one_hot(data.labels(), data.classes(), chosen);
}

BatchTransform one_hot_labels(std::int64_t classes) {
  detail::require_at_least("one_hot_labels", "classes", classes, 1);
  return [classes](Batch& batch, Random&) {
    TensorOptions options;
    if (is_floating(batch.inputs.dtype())) options.dtype = batch.inputs.dtype();
    batch.labels = xtgrad::one_hot(batch.labels, classes, options);
  };
}

}  // namespace xtgrad::v1::datasets
