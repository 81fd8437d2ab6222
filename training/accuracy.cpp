#include "xtgrad/training/accuracy.h"

#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <span>
#include <string_view>

#include "xtgrad/autograd/core/dtype_visit.h"
#include "xtgrad/autograd/errors.h"
#include "xtgrad/nn/setting_list.h"
#include "xtgrad/training/class_batch.h"

namespace xtgrad::inline v1::training {
namespace {

double fraction(std::int64_t part, std::int64_t all) {
  if (all == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(part) / static_cast<double>(all);
}

/// How many classes come before the label's.
template <class T>
std::int64_t rank_of(std::span<const T> scores, std::size_t label) {
  const T own = scores[label];
  std::int64_t before = 0;
  for (std::size_t c = 0; c < scores.size(); ++c) {
    const bool same = scores[c] == own || (std::isnan(scores[c]) && std::isnan(own));
    const bool larger = scores[c] > own || (std::isnan(scores[c]) && !std::isnan(own));
    before += larger || (same && c < label) ? 1 : 0;
  }
  return before;
}

template <class T>
std::int64_t count_among_first(std::span<const T> scores, std::span<const std::int64_t> labels,
                               const TopKAccuracyOptions& options) {
  std::int64_t count = 0;
  const std::size_t classes = labels.empty() ? 0 : scores.size() / labels.size();
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (options.ignore_index == labels[row]) continue;
    const std::int64_t rank =
        rank_of(scores.subspan(row * classes, classes), static_cast<std::size_t>(labels[row]));
    count += rank < options.k ? 1 : 0;
  }
  return count;
}

std::int64_t count_kept(std::span<const std::int64_t> labels, std::optional<std::int64_t> ignored) {
  std::int64_t kept = 0;
  for (const std::int64_t label : labels) kept += ignored == label ? 0 : 1;
  return kept;
}

void check_k(const TopKAccuracyOptions& options) {
  nn::detail::check_option("TopKAccuracy", "k", options.k, 1);
}

void check_threshold(const AccuracyOptions& options) {
  detail::check_threshold("Accuracy", options.threshold);
}

void check_counts(std::string_view metric, std::int64_t correct, std::int64_t samples) {
  if (correct <= samples) return;
  throw ValueError(
      fmt::format("{}: the loaded correct must be at most samples, {}: got {}", metric, samples, correct));
}

}  // namespace

Accuracy::Accuracy(const AccuracyOptions& options) : settings_(options) { check_threshold(options); }

void Accuracy::reset() { correct_ = samples_ = 0; }

void Accuracy::update(const Tensor& outputs, const Tensor& labels) {
  const auto batch = detail::class_batch(
      "Accuracy", outputs, labels, {.ignored = settings_->ignore_index, .threshold = settings_->threshold});
  const std::span<const std::int64_t> predicted = batch.predicted.data<std::int64_t>();
  const std::span<const std::int64_t> wanted = batch.labels.data<std::int64_t>();
  samples_ += count_kept(wanted, settings_->ignore_index);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    correct_ += predicted[i] == wanted[i] && settings_->ignore_index != wanted[i] ? 1 : 0;
  }
}

double Accuracy::value() const { return fraction(correct_, samples_); }

void Accuracy::members(nn::Members& m) {
  m("correct", correct_);
  m("samples", samples_);
  const auto each = [](AccuracyOptions& options, nn::detail::SettingList& list) {
    list("ignore_index", options.ignore_index);
    list("threshold", options.threshold);
  };
  nn::detail::list_settings(settings_, "Accuracy", m, each, check_threshold);
}

void Accuracy::check_loaded() const { check_counts("Accuracy", correct_, samples_); }

TopKAccuracy::TopKAccuracy(const TopKAccuracyOptions& options) : settings_(options) { check_k(options); }

std::string TopKAccuracy::name() const { return fmt::format("top_{}_accuracy", settings_->k); }

void TopKAccuracy::reset() { correct_ = samples_ = 0; }

void TopKAccuracy::update(const Tensor& outputs, const Tensor& labels) {
  const Tensor wanted =
      detail::labels_of_scores("TopKAccuracy", outputs, labels, {.ignored = settings_->ignore_index});
  const std::span<const std::int64_t> all = wanted.data<std::int64_t>();
  samples_ += count_kept(all, settings_->ignore_index);
  correct_ += xtgrad::detail::visit_floating(outputs.dtype(), [&](auto zero) {
    return count_among_first(outputs.data<decltype(zero)>(), all, *settings_);
  });
}

double TopKAccuracy::value() const { return fraction(correct_, samples_); }

void TopKAccuracy::members(nn::Members& m) {
  m("correct", correct_);
  m("samples", samples_);
  const auto each = [](TopKAccuracyOptions& options, nn::detail::SettingList& list) {
    list("k", options.k);
    list("ignore_index", options.ignore_index);
  };
  nn::detail::list_settings(settings_, "TopKAccuracy", m, each, check_k);
}

void TopKAccuracy::check_loaded() const { check_counts("TopKAccuracy", correct_, samples_); }

}  // namespace xtgrad::v1::training
