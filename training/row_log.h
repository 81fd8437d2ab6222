#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/callback.h"
#include "xtgrad/training/named_value.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

struct LogOptions {
  std::int64_t every_steps = 0;  ///< a row after so many steps; 0: after every epoch
  bool times = true;             ///< with samples a second and seconds, which no two runs have alike
};

/// A file of one line a row, each of which is on its way to the disk when `write` returns. Rows of epochs
/// have step, epoch, lr, the values of the epoch's record, samples_per_second and seconds; rows of steps have
/// step, epoch, lr and the loss of that step.
///
/// A training that begins anew begins its file anew. One that goes on from a checkpoint keeps the rows up to
/// that step and drops later ones, so its file is that of a training that was never stopped.
class RowLog : public Callback {
 public:
  /// Keeps the file's whole rows of up to this step, and goes on after them; without such a call the first
  /// `write` begins the file anew. Throws IoError.
  void begin_at(std::int64_t step);
  /// Adds a row. Throws IoError, and ValueError for values that the file cannot take.
  void write(std::int64_t step, std::span<const NamedValue> values);

  void begin(Trainer& trainer) override;
  void after_step(Trainer& trainer, const StepRecord& step) override;
  void after_epoch(Trainer& trainer, const EpochRecord& epoch) override;

 protected:
  /// Throws ValueError for options out of range. `name` is for messages and outlives the log.
  RowLog(std::string_view name, std::string path, const LogOptions& options);

  /// A row as lines with their ends, the first one with whatever comes before it.
  [[nodiscard]] virtual std::string lines_of(std::int64_t step, std::span<const NamedValue> values) = 0;
  /// The step of a line of the file; none for one that is no row, which stays.
  [[nodiscard]] virtual std::optional<std::int64_t> step_of(std::string_view line) = 0;
  /// Forgets what it knows of the file.
  virtual void forget() {}

  [[nodiscard]] std::string_view name() const { return name_; }
  [[nodiscard]] const std::string& path() const& { return path_; }
  [[nodiscard]] std::string path() const&& { return path_; }

 private:
  std::string_view name_;
  std::string path_;
  LogOptions options_;
  bool begun_ = false;
};

/// Comma-separated values, with the names in the first line (RFC 4180, but for line ends, which are those of
/// Unix). All rows have the same names: `write` throws ValueError otherwise, naming both.
class CsvLog final : public RowLog {
 public:
  explicit CsvLog(std::string path, const LogOptions& options = {});

 protected:
  [[nodiscard]] std::string lines_of(std::int64_t step, std::span<const NamedValue> values) override;
  [[nodiscard]] std::optional<std::int64_t> step_of(std::string_view line) override;
  void forget() override { header_.clear(); }

 private:
  std::string header_;
};

/// One JSON object a line, such as {"step": 12, "epoch": 1, "loss": 0.25}; JSON has no NaN and no infinities,
/// which are null.
class JsonLinesLog final : public RowLog {
 public:
  explicit JsonLinesLog(std::string path, const LogOptions& options = {});

 protected:
  [[nodiscard]] std::string lines_of(std::int64_t step, std::span<const NamedValue> values) override;
  [[nodiscard]] std::optional<std::int64_t> step_of(std::string_view line) override;
};

}}}  // namespace xtgrad::v1::training
