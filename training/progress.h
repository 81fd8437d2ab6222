#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "xtgrad/autograd/export.h"
#include "xtgrad/training/callback.h"

namespace xtgrad { inline namespace XTGRAD_PUBLIC v1 { namespace training {

/// Shows how a training comes along, with the time that is left: a bar where `out` is a terminal, redrawn ten
/// times a second at most, and a plain line an epoch elsewhere. The bar's line has the metrics of the last
/// validation, and leaves out what a narrow terminal has no room for.
///
///   epoch 12/40 [#######.....] loss 0.0831  accuracy 0.9812  validation accuracy 0.9790  41300 samples/s  2
///   s left epoch 12/40: loss 0.0831, accuracy 0.9812, validation loss 0.0902, 41300 samples/s, 2 s left
class Progress final : public Callback {
 public:
  /// `out` must outlive it.
  explicit Progress(std::FILE* out = stdout);
  /// Ends the bar's line, so that whatever is printed next has its own.
  ~Progress() override;
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(Trainer& trainer) override;
  void after_step(Trainer& trainer, const StepRecord& step) override;
  void after_epoch(Trainer& trainer, const EpochRecord& epoch) override;
  void at_end(Trainer& trainer, const std::string& reason) override;

 private:
  using Clock = std::chrono::steady_clock;

  [[nodiscard]] double seconds_left(const Trainer& trainer, double epochs_done) const;
  void draw(const std::string& line);
  void end_line();

  std::FILE* out_;
  bool is_terminal_;
  Clock::time_point start_;
  Clock::time_point drawn_;
  double epochs_before_ = 0;  // by an earlier run
  std::size_t drawn_columns_ = 0;
  EpochRecord last_;                   // of this run; epoch 0 if none has ended
  std::vector<NamedValue> validated_;  // metrics of the last validation, perhaps of an earlier run
};

}}}  // namespace xtgrad::v1::training
