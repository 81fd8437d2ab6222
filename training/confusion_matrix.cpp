#include "xtgrad/training/confusion_matrix.h"

#include <fmt/format.h>

#include <cstddef>
#include <limits>
#include <span>

#include "xtgrad/autograd/creation.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/training/class_batch.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr const char* own_name = "ConfusionMatrix";

double ratio(std::int64_t part, std::int64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

void check_threshold(const ConfusionMatrixOptions& options) {
  detail::check_threshold(own_name, options.threshold);
  if (!options.threshold || options.classes == 2) return;
  throw ValueError(fmt::format("{}: with a threshold classes must be 2: got {} and a threshold of {}",
                               own_name, options.classes, *options.threshold));
}

}  // namespace

ConfusionMatrix::ConfusionMatrix(const ConfusionMatrixOptions& options) : settings_(options) {
  nn::detail::check_option(own_name, "classes", options.classes, 1);
  check_threshold(options);
  reset();
}

void ConfusionMatrix::reset() { counts_ = full({classes(), classes()}, 0, {.dtype = int64}); }

void ConfusionMatrix::update(const Tensor& outputs, const Tensor& labels) {
  const auto batch = detail::class_batch(
      own_name, outputs, labels,
      {.classes = classes(), .ignored = settings_->ignore_index, .threshold = settings_->threshold});
  const std::span<const std::int64_t> before = counts_.data<std::int64_t>();
  std::vector<std::int64_t> counts(before.begin(), before.end());
  const std::span<const std::int64_t> predicted = batch.predicted.data<std::int64_t>();
  const std::span<const std::int64_t> truth = batch.labels.data<std::int64_t>();
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (settings_->ignore_index == truth[i]) continue;
    ++counts[static_cast<std::size_t>(truth[i] * classes() + predicted[i])];
  }
  counts_ = from_span(counts, {classes(), classes()});
}

void ConfusionMatrix::check_class(std::int64_t c) const {
  if (c >= 0 && c < classes()) return;
  throw ValueError(fmt::format("{}: a class must be from 0 to {}: got {}", own_name, classes() - 1, c));
}

std::int64_t ConfusionMatrix::count(std::int64_t truth, std::int64_t predicted) const {
  check_class(truth);
  check_class(predicted);
  return counts_.data<std::int64_t>()[static_cast<std::size_t>(truth * classes() + predicted)];
}

Tensor ConfusionMatrix::counts() const { return counts_; }

std::int64_t ConfusionMatrix::samples() const {
  std::int64_t sum = 0;
  for (const std::int64_t one : counts_.data<std::int64_t>()) sum += one;
  return sum;
}

std::int64_t ConfusionMatrix::in_row(std::int64_t truth) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes(); ++c) sum += count(truth, c);
  return sum;
}

std::int64_t ConfusionMatrix::in_column(std::int64_t predicted) const {
  std::int64_t sum = 0;
  for (std::int64_t c = 0; c < classes(); ++c) sum += count(c, predicted);
  return sum;
}

double ConfusionMatrix::accuracy() const {
  const std::int64_t all = samples();
  std::int64_t right = 0;
  for (std::int64_t c = 0; c < classes(); ++c) right += count(c, c);
  return all == 0 ? std::numeric_limits<double>::quiet_NaN() : ratio(right, all);
}

double ConfusionMatrix::precision(std::int64_t of_class) const {
  return ratio(count(of_class, of_class), in_column(of_class));
}

double ConfusionMatrix::recall(std::int64_t of_class) const {
  return ratio(count(of_class, of_class), in_row(of_class));
}

double ConfusionMatrix::f1(std::int64_t of_class) const {
  return ratio(2 * count(of_class, of_class), in_row(of_class) + in_column(of_class));
}

double ConfusionMatrix::average(Average kind, double (ConfusionMatrix::*of_class)(std::int64_t) const) const {
  // What is false for one class is so for another, so the sums over all classes are those of the accuracy.
  if (kind == Average::micro) return accuracy();
  double sum = 0;
  std::int64_t occurring = 0;
  for (std::int64_t c = 0; c < classes(); ++c) {
    if (in_row(c) + in_column(c) == 0) continue;
    ++occurring;
    sum += (this->*of_class)(c);
  }
  return occurring == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(occurring);
}

double ConfusionMatrix::precision(Average average) const {
  return this->average(average, &ConfusionMatrix::precision);
}
double ConfusionMatrix::recall(Average average) const {
  return this->average(average, &ConfusionMatrix::recall);
}
double ConfusionMatrix::f1(Average average) const { return this->average(average, &ConfusionMatrix::f1); }

void ConfusionMatrix::members(nn::Members& m) {
  m("counts", counts_);
  const auto each = [](ConfusionMatrixOptions& options, nn::detail::SettingList& list) {
    list("ignore_index", options.ignore_index);
    list("threshold", options.threshold);
  };
  nn::detail::list_settings(settings_, own_name, m, each, check_threshold);
}

void ConfusionMatrix::check_loaded() const {
  constexpr std::int64_t most = std::int64_t{1} << 62;  // of all together, as of other counts
  std::int64_t left = most;
  for (const std::int64_t count : counts_.data<std::int64_t>()) {
    if (count < 0) {
      throw ValueError(fmt::format("ConfusionMatrix: the loaded counts must not be negative: got {}", count));
    }
    if (count > left) {
      throw ValueError(fmt::format("{}: the sum of the loaded counts must be at most 2^62: got a count of {}",
                                   own_name, count));
    }
    left -= count;
  }
}

ConfusionMetric::ConfusionMetric(const ClassScoreOptions& options, const char* owner)
    : matrix_(
          {.classes = options.classes, .ignore_index = options.ignore_index, .threshold = options.threshold}),
      average_(options.average),
      of_class_(options.of_class) {
  if (!of_class_ || (*of_class_ >= 0 && *of_class_ < options.classes)) return;
  throw ValueError(
      fmt::format("{}: of_class must be from 0 to {}: got {}", owner, options.classes - 1, *of_class_));
}

double ConfusionMetric::value_of(double (ConfusionMatrix::*of_one)(std::int64_t) const,
                                 double (ConfusionMatrix::*of_all)(Average) const) const {
  if (!of_class_) return (matrix_.*of_all)(average_);
  if (matrix_.samples() == 0) return std::numeric_limits<double>::quiet_NaN();
  return (matrix_.*of_one)(*of_class_);
}

std::string ConfusionMetric::name_of(const char* word) const {
  if (of_class_) return fmt::format("{}_of_{}", word, *of_class_);
  return average_ == Average::micro ? fmt::format("micro_{}", word) : word;
}

}  // namespace xtgrad::v1::training
