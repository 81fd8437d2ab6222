#include "xtgrad/training/class_batch.h"

#include <fmt/format.h>

#include <cstddef>
#include <span>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::training::detail {
namespace {

void require_defined(std::string_view metric, std::string_view what, const Tensor& tensor) {
  if (!tensor.defined()) throw ValueError(fmt::format("{}: {}: the handle is empty", metric, what));
}

void require_integers(std::string_view metric, std::string_view what, const Tensor& tensor) {
  if (tensor.dtype() == int64 || tensor.dtype() == int32) return;
  throw DtypeError(fmt::format("{}: {} must be int64 or int32: got {} {}", metric, what,
                               to_string(tensor.dtype()), to_string(tensor.shape())));
}

[[noreturn]] void throw_sizes(std::string_view metric, const Tensor& outputs, const Tensor& labels) {
  throw ShapeError(fmt::format(
      "{}: outputs must be scores [n, classes] or classes [n], labels [n]: outputs are {}, labels are {}",
      metric, to_string(outputs.shape()), to_string(labels.shape())));
}

/// Throws unless all are from 0 to classes - 1, any number of classes if that is 0, or ignored.
void require_range(std::string_view metric, std::string_view what, const Tensor& values,
                   const ClassRange& range) {
  const std::span<const std::int64_t> all = values.data<std::int64_t>();
  for (std::size_t row = 0; row < all.size(); ++row) {
    const std::int64_t value = all[row];
    if (value >= 0 && (range.classes == 0 || value < range.classes)) continue;
    if (range.ignored == value) continue;
    const std::string wanted =
        range.classes == 0 ? "at least 0" : fmt::format("from 0 to {}", range.classes - 1);
    throw ValueError(fmt::format("{}: {} must be {}: got {} in row {}", metric, what, wanted, value, row));
  }
}

}  // namespace

Tensor labels_of_scores(std::string_view metric, const Tensor& scores, const Tensor& labels,
                        const ClassRange& range) {
  require_defined(metric, "outputs", scores);
  require_defined(metric, "labels", labels);
  require_integers(metric, "labels", labels);
  if (!is_floating(scores.dtype())) {
    throw DtypeError(fmt::format("{}: scores must be float32 or float64: got {} {}", metric,
                                 to_string(scores.dtype()), to_string(scores.shape())));
  }
  if (scores.rank() != 2 || labels.rank() != 1 || scores.size(0) != labels.size(0)) {
    throw_sizes(metric, scores, labels);
  }
  if (range.classes != 0 && scores.size(1) != range.classes) {
    throw ShapeError(fmt::format("{}: scores must be of {} classes: got {}", metric, range.classes,
                                 to_string(scores.shape())));
  }
  Tensor result = labels.to(int64);
  if (result.numel() > 0 && scores.size(1) == 0) throw_sizes(metric, scores, labels);
  require_range(metric, "labels", result, {.classes = scores.size(1), .ignored = range.ignored});
  return result;
}

ClassBatch class_batch(std::string_view metric, const Tensor& outputs, const Tensor& labels,
                       const ClassRange& range) {
  const NoGrad no_grad;
  require_defined(metric, "outputs", outputs);
  if (is_floating(outputs.dtype())) {
    Tensor wanted = labels_of_scores(metric, outputs, labels, range);
    return {.predicted = outputs.size(0) > 0 ? argmax(outputs, 1) : wanted, .labels = wanted};
  }
  require_defined(metric, "labels", labels);
  require_integers(metric, "outputs", outputs);
  require_integers(metric, "labels", labels);
  if (outputs.rank() != 1 || outputs.shape() != labels.shape()) throw_sizes(metric, outputs, labels);
  ClassBatch batch{.predicted = outputs.to(int64), .labels = labels.to(int64)};
  require_range(metric, "labels", batch.labels, range);
  require_range(metric, "outputs", batch.predicted, {.classes = range.classes});
  return batch;
}

}  // namespace xtgrad::v1::training::detail
