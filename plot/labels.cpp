#include "xtgrad/plot/labels.h"

#include <fmt/format.h>

#include "xtgrad/autograd/errors.h"
#include "xtgrad/plot/style.h"

namespace xtgrad::inline v1::plot::detail {
void check_label_vector(std::string_view function, const Tensor& labels) {
  if (labels.dtype() != int64) {
    throw DtypeError(fmt::format("{}: labels must be int64: got {}", function, to_string(labels.dtype())));
  }
  if (labels.rank() != 1) {
    throw ShapeError(fmt::format("{}: labels must be a vector: got {}", function, to_string(labels.shape())));
  }
}

void check_label_range(std::string_view function, const Tensor& labels, std::int64_t classes) {
  for (const std::int64_t label : labels.data<std::int64_t>()) {
    if (label >= 0 && label < classes) continue;
    throw ValueError(fmt::format("{}: a label is outside of {} classes: {}", function, classes, label));
  }
}

std::string class_name(std::span<const std::string> names, std::int64_t label) {
  return names.empty() ? fmt::format("{}", label) : names[static_cast<std::size_t>(label)];
}

std::vector<std::string> class_names(std::string_view function, std::span<const std::string> names,
                                     std::int64_t classes) {
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != classes) {
    throw ShapeError(fmt::format("{}: names and classes differ in number: {} names, {} classes", function,
                                 names.size(), classes));
  }
  std::vector<std::string> all;
  for (std::int64_t label = 0; label < classes; ++label) all.push_back(class_name(names, label));
  return all;
}

std::string plural(std::int64_t count, std::string_view what) {
  return fmt::format("{} {}{}", with_commas(count), what, count == 1 ? "" : "s");
}

void check_labels(std::string_view function, const Predictions& predictions, std::int64_t classes) {
  for (const Tensor& labels : {predictions.truth, predictions.predicted})
    check_label_vector(function, labels);
  if (predictions.truth.shape() != predictions.predicted.shape()) {
    throw ShapeError(fmt::format("{}: truth and predicted differ in length: {} and {}", function,
                                 predictions.truth.numel(), predictions.predicted.numel()));
  }
  if (classes == any_class) return;
  for (const Tensor& labels : {predictions.truth, predictions.predicted})
    check_label_range(function, labels, classes);
}

}  // namespace xtgrad::v1::plot::detail
