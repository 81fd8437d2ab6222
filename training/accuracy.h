#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "xtgrad/autograd/export.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/settings.h"
#include "xtgrad/training/metric.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct AccuracyOptions {
  std::optional<std::int64_t> ignore_index = std::nullopt;  ///< samples of this label count for nothing
  /// Outputs are one score a row, of class 1 of two, which they are above it: 0 for logits, 0.5 for
  /// probabilities. Absent: a score for each class.
  std::optional<double> threshold = std::nullopt;
};

/// The fraction of samples that get the right class: that of the largest score, the first one among equals;
/// a NaN is larger than any number. Outputs are scores, floating [n, classes], or classes, integers [n];
/// labels are integers [n], or shares of the classes, floating [n, classes], such as one-hot ones or those of
/// `datasets::mixup`, which count by the largest. With a threshold scores are [n] or [n, 1], and labels, too:
/// integers 0 and 1, or probabilities of class 1, which above 0.5 count as it. `update` throws ShapeError or
/// DtypeError where they are not, and ValueError for a label that is no class, naming its row. Options are
/// part of the state: one of others is refused, or they are adopted (nn::LoadOptions).
///
///   training::Accuracy accuracy;
///   accuracy.update(tensor({{0.1, 0.9}, {0.8, 0.2}}), tensor({1, 1}, {.dtype = int64}));
///   accuracy.value();  // 0.5
///
///   training::Accuracy of_logits({.threshold = 0});  // beside nn::bce_with_logits
class Accuracy : public Metric {
 public:
  /// Throws ValueError for a threshold that is no finite number.
  explicit Accuracy(const AccuracyOptions& options = {});

  [[nodiscard]] std::string name() const override { return "accuracy"; }
  void reset() override;
  void update(const Tensor& outputs, const Tensor& labels) override;
  [[nodiscard]] double value() const override;
  [[nodiscard]] std::int64_t correct() const { return correct_; }
  [[nodiscard]] std::int64_t samples() const { return samples_; }
  void members(nn::Members& m) override;
  void check_loaded() const override;

 private:
  nn::detail::Settings<AccuracyOptions> settings_;
  std::int64_t correct_ = 0;
  std::int64_t samples_ = 0;
};

struct TopKAccuracyOptions {
  std::int64_t k = nn::required;                            ///< at least 1
  std::optional<std::int64_t> ignore_index = std::nullopt;  ///< samples of this label count for nothing
};

/// The fraction of samples whose label is among the k classes of the largest scores; among equal scores those
/// of smaller classes come first, and a NaN comes before any number, so that k = 1 is `Accuracy`. Scores are
/// floating [n, classes], labels as those of `Accuracy`. Throws ValueError for k < 1; `update` throws as that
/// of `Accuracy`.
class TopKAccuracy : public Metric {
 public:
  explicit TopKAccuracy(const TopKAccuracyOptions& options);

  /// "top_5_accuracy".
  [[nodiscard]] std::string name() const override;
  void reset() override;
  void update(const Tensor& outputs, const Tensor& labels) override;
  [[nodiscard]] double value() const override;
  void members(nn::Members& m) override;
  void check_loaded() const override;

 private:
  nn::detail::Settings<TopKAccuracyOptions> settings_;
  std::int64_t correct_ = 0;
  std::int64_t samples_ = 0;
};

}}}  // namespace xtgrad::v1::training
