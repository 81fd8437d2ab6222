#include "labels.h"

#include <fmt/format.h>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"

namespace plot {
namespace {

using xtgrad::Tensor;

void check_vectors(std::string_view function, const Predictions& predictions) {
  for (const Tensor& labels : {predictions.truth, predictions.predicted}) {
    if (labels.dtype() != xtgrad::int64) {
      throw xtgrad::DtypeError(
          fmt::format("{}: labels must be int64: got {}", function, to_string(labels.dtype())));
    }
    if (labels.rank() != 1) {
      throw xtgrad::ShapeError(
          fmt::format("{}: labels must be a vector: got {}", function, to_string(labels.shape())));
    }
  }
  if (predictions.truth.shape() != predictions.predicted.shape()) {
    throw xtgrad::ShapeError(fmt::format("{}: truth and predicted differ in length: {} and {}", function,
                                         predictions.truth.numel(), predictions.predicted.numel()));
  }
}

void check_range(std::string_view function, const Predictions& predictions, std::int64_t classes) {
  for (const Tensor& labels : {predictions.truth, predictions.predicted}) {
    for (const std::int64_t label : labels.data<std::int64_t>()) {
      if (label >= 0 && label < classes) continue;
      throw xtgrad::ValueError(
          fmt::format("{}: a label is outside of {} classes: {}", function, classes, label));
    }
  }
}

}  // namespace

std::string class_name(std::span<const std::string> names, std::int64_t label) {
  return names.empty() ? fmt::format("{}", label) : names[static_cast<std::size_t>(label)];
}

std::vector<std::string> class_names(std::string_view function, std::span<const std::string> names,
                                     std::int64_t classes) {
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != classes) {
    throw xtgrad::ShapeError(fmt::format("{}: names and classes differ in number: {} names, {} classes",
                                         function, names.size(), classes));
  }
  std::vector<std::string> all;
  for (std::int64_t label = 0; label < classes; ++label) all.push_back(class_name(names, label));
  return all;
}

void check_labels(std::string_view function, const Predictions& predictions,
                  std::span<const std::string> names) {
  check_vectors(function, predictions);
  if (!names.empty()) check_range(function, predictions, static_cast<std::int64_t>(names.size()));
}

Tensor count_confusions(const Predictions& predictions, std::int64_t classes) {
  check_vectors("count_confusions", predictions);
  if (classes < 1) {
    throw xtgrad::ValueError(fmt::format("count_confusions: classes must be 1 or more: got {}", classes));
  }
  check_range("count_confusions", predictions, classes);
  const std::span<const std::int64_t> truth = predictions.truth.data<std::int64_t>();
  const std::span<const std::int64_t> predicted = predictions.predicted.data<std::int64_t>();
  std::vector<std::int64_t> counts(static_cast<std::size_t>(classes * classes), 0);
  for (std::size_t i = 0; i < truth.size(); ++i)
    ++counts[static_cast<std::size_t>(truth[i] * classes + predicted[i])];
  return xtgrad::from_span(std::span<const std::int64_t>(counts), {classes, classes});
}

}  // namespace plot
