#include "xtgrad/training/class_batch.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/autograd/grad.h"
#include "xtgrad/autograd/ops.h"

namespace xtgrad::inline v1::training::detail {
namespace {

void require_defined(std::string_view metric, std::string_view what, const Tensor& tensor) {
  if (!tensor.defined()) throw ValueError(fmt::format("{}: {}: the handle is empty", metric, what));
}

bool is_integer(const Tensor& tensor) { return tensor.dtype() == int64 || tensor.dtype() == int32; }

void require_integers(std::string_view metric, std::string_view what, const Tensor& tensor) {
  if (is_integer(tensor)) return;
  throw DtypeError(fmt::format("{}: {} must be int64 or int32: got {} {}", metric, what,
                               to_string(tensor.dtype()), to_string(tensor.shape())));
}

bool is_one_score_a_row(const Tensor& scores) {
  return is_floating(scores.dtype()) && (scores.rank() == 1 || (scores.rank() == 2 && scores.size(1) == 1));
}
constexpr const char* one_score_hint = "; one score a row takes a metric with a threshold";

[[noreturn]] void throw_sizes(std::string_view metric, const Tensor& outputs, const Tensor& labels) {
  throw ShapeError(fmt::format(
      "{}: outputs must be scores [n, classes] or classes [n], labels [n] or shares [n, classes]: outputs "
      "are {}, labels are {}{}",
      metric, to_string(outputs.shape()), to_string(labels.shape()),
      is_one_score_a_row(outputs) ? one_score_hint : ""));
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
    throw ValueError(fmt::format("{}: {} must be {}: got {} in row {}{}", metric, what, wanted, value, row,
                                 range.classes == 1 ? one_score_hint : ""));
  }
}

bool are_shares(const Tensor& labels) { return is_floating(labels.dtype()) && labels.rank() == 2; }

/// Whether there are n of them, and shares are of as many classes, of any number if that is 0.
bool fit(const Tensor& labels, std::int64_t n, std::int64_t classes) {
  if (labels.rank() == 0 || labels.size(0) != n) return false;
  if (!are_shares(labels)) return labels.rank() == 1;
  return n == 0 || (labels.size(1) > 0 && (classes == 0 || labels.size(1) == classes));
}

/// The class of the largest share of each row, of [n, classes].
Tensor classes_of_shares(std::string_view metric, const Tensor& shares) {
  if (shares.numel() == 0) return full({shares.size(0)}, 0, {.dtype = int64});
  const Tensor largest = amax(shares, {.axes = {1}}).to(float64);
  const std::span<const double> all = largest.data<double>();
  for (std::size_t row = 0; row < all.size(); ++row) {
    if (all[row] > 0) continue;
    throw ValueError(fmt::format("{}: the largest of a label's shares must be above 0: got {} in row {}",
                                 metric, all[row], row));
  }
  return argmax(shares, 1);
}

/// `class_of(x, row)` of each number, int64 [n].
template <class F>
Tensor classes_of(const Tensor& values, const F& class_of) {
  std::vector<std::int64_t> classes;
  const Tensor numbers = values.to(float64);
  for (const double x : numbers.data<double>()) classes.push_back(class_of(x, classes.size()));
  return from_span(classes, {static_cast<std::int64_t>(classes.size())});
}

Tensor as_row(const Tensor& tensor) {
  return tensor.rank() == 2 && tensor.size(1) == 1 ? reshape(tensor, {tensor.size(0)}) : tensor;
}

Tensor labels_of_two(std::string_view metric, const Tensor& labels, std::optional<std::int64_t> ignored) {
  if (!is_floating(labels.dtype())) {
    require_integers(metric, "labels", labels);
    return labels.to(int64);
  }
  return classes_of(labels, [&](double label, std::size_t row) {
    if (ignored && label == static_cast<double>(*ignored)) return *ignored;
    if (label >= 0 && label <= 1) return std::int64_t{label > 0.5 ? 1 : 0};
    throw ValueError(fmt::format("{}: labels must be from 0 to 1: got {} in row {}", metric, label, row));
  });
}

ClassBatch batch_of_two(std::string_view metric, const Tensor& outputs, const Tensor& labels,
                        const ClassRange& range) {
  const Tensor scores = as_row(outputs), wanted = as_row(labels);
  if (scores.rank() != 1 || scores.shape() != wanted.shape()) {
    throw ShapeError(
        fmt::format("{}: with a threshold outputs must be one score a row, [n] or [n, 1], labels as many: "
                    "outputs are {}, labels are {}",
                    metric, to_string(outputs.shape()), to_string(labels.shape())));
  }
  const ClassRange two{.classes = 2, .ignored = range.ignored};
  ClassBatch batch{.predicted = {}, .labels = labels_of_two(metric, wanted, range.ignored)};
  require_range(metric, "labels", batch.labels, two);
  if (!is_floating(scores.dtype())) {
    require_integers(metric, "outputs", scores);
    batch.predicted = scores.to(int64);
    require_range(metric, "outputs", batch.predicted, {.classes = 2});
    return batch;
  }
  // As the largest of threshold and score: the first among equals, and a NaN before any number.
  batch.predicted = classes_of(
      scores, [&](double score, std::size_t) { return std::int64_t{score <= *range.threshold ? 0 : 1}; });
  return batch;
}

}  // namespace

Tensor labels_of_scores(std::string_view metric, const Tensor& scores, const Tensor& labels,
                        const ClassRange& range) {
  const NoGrad no_grad;
  require_defined(metric, "outputs", scores);
  require_defined(metric, "labels", labels);
  if (!are_shares(labels)) require_integers(metric, "labels", labels);
  if (!is_floating(scores.dtype())) {
    throw DtypeError(fmt::format("{}: scores must be float32 or float64: got {} {}", metric,
                                 to_string(scores.dtype()), to_string(scores.shape())));
  }
  if (scores.rank() != 2 || !fit(labels, scores.size(0), scores.size(1))) {
    throw_sizes(metric, scores, labels);
  }
  if (range.classes != 0 && scores.size(1) != range.classes) {
    throw ShapeError(fmt::format("{}: scores must be of {} classes: got {}{}", metric, range.classes,
                                 to_string(scores.shape()),
                                 is_one_score_a_row(scores) ? one_score_hint : ""));
  }
  if (labels.size(0) > 0 && scores.size(1) == 0) throw_sizes(metric, scores, labels);
  if (are_shares(labels)) return classes_of_shares(metric, labels);
  Tensor result = labels.to(int64);
  require_range(metric, "labels", result, {.classes = scores.size(1), .ignored = range.ignored});
  return result;
}

ClassBatch class_batch(std::string_view metric, const Tensor& outputs, const Tensor& labels,
                       const ClassRange& range) {
  const NoGrad no_grad;
  require_defined(metric, "outputs", outputs);
  require_defined(metric, "labels", labels);
  if (range.threshold) return batch_of_two(metric, outputs, labels, range);
  if (is_floating(outputs.dtype())) {
    Tensor wanted = labels_of_scores(metric, outputs, labels, range);
    return {.predicted = outputs.size(0) > 0 ? argmax(outputs, 1) : wanted, .labels = wanted};
  }
  require_integers(metric, "outputs", outputs);
  if (!are_shares(labels)) require_integers(metric, "labels", labels);
  if (outputs.rank() != 1 || !fit(labels, outputs.size(0), range.classes)) {
    throw_sizes(metric, outputs, labels);
  }
  ClassBatch batch{.predicted = outputs.to(int64),
                   .labels = are_shares(labels) ? classes_of_shares(metric, labels) : labels.to(int64)};
  require_range(metric, "labels", batch.labels, range);
  require_range(metric, "outputs", batch.predicted, {.classes = range.classes});
  return batch;
}

void check_threshold(std::string_view metric, std::optional<double> threshold) {
  if (!threshold || std::isfinite(*threshold)) return;
  throw ValueError(fmt::format("{}: threshold must be a finite number: got {}", metric, *threshold));
}

}  // namespace xtgrad::v1::training::detail
