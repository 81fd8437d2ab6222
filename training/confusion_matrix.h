#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/autograd/tensor.h"
#include "xtgrad/nn/members.h"
#include "xtgrad/nn/options.h"
#include "xtgrad/nn/settings.h"
#include "xtgrad/training/metric.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// How one number is made of those of the classes.
enum class Average : std::uint8_t {
  macro,  ///< their mean, over the classes that occur among labels or predictions
  micro   ///< of the counts of all classes together
};

struct ConfusionMatrixOptions {
  std::int64_t classes = nn::required;                      ///< at least 1
  std::optional<std::int64_t> ignore_index = std::nullopt;  ///< samples of this label count for nothing
  /// Outputs are one score a row, of class 1 of two, which they are above it: 0 for logits, 0.5 for
  /// probabilities; classes must be 2. Absent: a score for each class.
  std::optional<double> threshold = std::nullopt;
};

/// How many samples of each class were taken for which, counted batch by batch, and what follows from it.
///
///   precision of c  of the samples that were called c, the fraction that is c
///   recall of c     of the samples that are c, the fraction that was called so
///   f1 of c         their harmonic mean, 2 TP / (2 TP + FP + FN)
///
/// Where nothing can be divided by, the number is 0: the precision of a class that nothing was called, the
/// recall of one that has no samples. A class that is neither among the labels nor the predictions is left
/// out of macro averages; where no class is left, they are NaN. With one label a sample, all three micro
/// averages are the accuracy.
///
/// Its state, "counts", is of one `ignore_index` and `threshold`: under others it is refused, or those are
/// adopted (nn::LoadOptions).
///
///   training::ConfusionMatrix matrix({.classes = 3});
///   for (auto& [x, y] : loader) matrix.update(model(x), y);
///   matrix.recall(2);
///   matrix.f1();
class ConfusionMatrix : public nn::Stateful {
 public:
  /// Throws ValueError for fewer than one class, and for a threshold that is no finite number, or where there
  /// are not two classes.
  explicit ConfusionMatrix(const ConfusionMatrixOptions& options);

  /// Outputs and labels are as those of `Accuracy`, of this many classes. Throws ShapeError or DtypeError
  /// where they are not, and ValueError for a class out of range, naming its row; nothing is counted then.
  void update(const Tensor& outputs, const Tensor& labels);
  void reset();

  [[nodiscard]] std::int64_t classes() const { return settings_->classes; }
  /// Samples of class `truth` that were called `predicted`. Throws ValueError for a class out of range, as
  /// the functions below.
  [[nodiscard]] std::int64_t count(std::int64_t truth, std::int64_t predicted) const;
  /// int64 [classes, classes]: a row for each class that samples are of, a column for each that they are
  /// called.
  [[nodiscard]] Tensor counts() const;
  [[nodiscard]] std::int64_t samples() const;

  /// The fraction on the diagonal; NaN without samples.
  [[nodiscard]] double accuracy() const;
  [[nodiscard]] double precision(std::int64_t of_class) const;
  [[nodiscard]] double recall(std::int64_t of_class) const;
  [[nodiscard]] double f1(std::int64_t of_class) const;
  [[nodiscard]] double precision(Average average = Average::macro) const;
  [[nodiscard]] double recall(Average average = Average::macro) const;
  [[nodiscard]] double f1(Average average = Average::macro) const;

  void members(nn::Members& m) override;
  void check_loaded() const override;

 private:
  void check_class(std::int64_t c) const;
  [[nodiscard]] std::int64_t in_row(std::int64_t truth) const;
  [[nodiscard]] std::int64_t in_column(std::int64_t predicted) const;
  [[nodiscard]] double average(Average kind, double (ConfusionMatrix::*of_class)(std::int64_t) const) const;

  nn::detail::Settings<ConfusionMatrixOptions> settings_;
  Tensor counts_;  // int64 [classes, classes]
};

struct ClassScoreOptions {
  std::int64_t classes = nn::required;  ///< at least 1
  Average average = Average::macro;
  std::optional<std::int64_t> ignore_index = std::nullopt;
  std::optional<double> threshold = std::nullopt;  ///< see ConfusionMatrixOptions
  /// The number of this class alone, such as 1, the positive one of two, in place of an average.
  std::optional<std::int64_t> of_class = std::nullopt;
};

/// A number of a confusion matrix as a metric.
///
///   training::F1 f1({.classes = 10});
///   training::Recall found({.classes = 2, .threshold = 0, .of_class = 1});  // beside nn::bce_with_logits
class ConfusionMetric : public Metric {
 public:
  void reset() override { matrix_.reset(); }
  void update(const Tensor& outputs, const Tensor& labels) override { matrix_.update(outputs, labels); }
  [[nodiscard]] const ConfusionMatrix& matrix() const& { return matrix_; }
  [[nodiscard]] ConfusionMatrix matrix() const&& { return matrix_; }
  void members(nn::Members& m) override { matrix_.members(m); }
  void check_loaded() const override { matrix_.check_loaded(); }

 protected:
  /// Throws ValueError, in the owner's name, for an `of_class` out of range, and what the matrix throws.
  explicit ConfusionMetric(const ClassScoreOptions& options, const char* owner = "ConfusionMetric");
  [[nodiscard]] Average average() const { return average_; }
  /// The number of the class that was asked for, or the average; of no samples NaN.
  [[nodiscard]] double value_of(double (ConfusionMatrix::*of_one)(std::int64_t) const,
                                double (ConfusionMatrix::*of_all)(Average) const) const;
  /// `word` for a macro average, "micro_" and `word` for a micro one, `word` and "_of_1" for class 1.
  [[nodiscard]] std::string name_of(const char* word) const;

 private:
  ConfusionMatrix matrix_;
  Average average_;
  std::optional<std::int64_t> of_class_;
};

/// "precision", "micro_precision" or "precision_of_1"; see ConfusionMatrix.
class Precision final : public ConfusionMetric {
 public:
  explicit Precision(const ClassScoreOptions& options) : ConfusionMetric(options, "Precision") {}
  [[nodiscard]] std::string name() const override { return name_of("precision"); }
  [[nodiscard]] double value() const override {
    return value_of(&ConfusionMatrix::precision, &ConfusionMatrix::precision);
  }
};

/// "recall", "micro_recall" or "recall_of_1"; see ConfusionMatrix.
class Recall final : public ConfusionMetric {
 public:
  explicit Recall(const ClassScoreOptions& options) : ConfusionMetric(options, "Recall") {}
  [[nodiscard]] std::string name() const override { return name_of("recall"); }
  [[nodiscard]] double value() const override {
    return value_of(&ConfusionMatrix::recall, &ConfusionMatrix::recall);
  }
};

/// "f1", "micro_f1" or "f1_of_1"; see ConfusionMatrix.
class F1 final : public ConfusionMetric {
 public:
  explicit F1(const ClassScoreOptions& options) : ConfusionMetric(options, "F1") {}
  [[nodiscard]] std::string name() const override { return name_of("f1"); }
  [[nodiscard]] double value() const override { return value_of(&ConfusionMatrix::f1, &ConfusionMatrix::f1); }
};

}}}  // namespace xtgrad::v1::training
