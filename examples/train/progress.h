#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace train {

/// What an epoch came to.
struct EpochRecord {
  std::int64_t epoch = 0;      ///< from 1
  double loss = 0;             ///< mean over the training samples, each before the step that it was used in
  double accuracy = 0;         ///< of the same
  double validation_loss = 0;  ///< after the epoch
  double validation_accuracy = 0;
  double samples_per_second = 0;  ///< training alone
  double seconds = 0;             ///< training and validation
};

/// What the bar shows.
struct BarState {
  std::int64_t epoch = 0;
  std::int64_t epochs = 0;
  double done = 0;  ///< of the whole training, 0 to 1
  double loss = 0;
  double accuracy = 0;
  double samples_per_second = 0;
  double seconds_left = 0;
};

/// The bar as one line of at most `width` columns:
/// `epoch 12/40 [#######.................] loss 0.0831  accuracy 0.9812  41300 samples/s  2 s left`,
/// without the time that is left if that is below 2 s.
[[nodiscard]] std::string bar_line(const BarState& state, int width);

/// The plain line of an epoch; with the time that is left as in `bar_line`.
[[nodiscard]] std::string epoch_line(const EpochRecord& record, std::int64_t epochs, double seconds_left);

/// "3 s", "2 min 5 s" or "1 h 2 min".
[[nodiscard]] std::string duration(double seconds);

/// Shows how a training comes along: a bar where `out` is a terminal, a line an epoch elsewhere, nothing if
/// quiet.
class Progress {
 public:
  struct Setup {
    std::int64_t epochs = 0;
    std::int64_t samples = 0;  ///< in an epoch
    double epochs_done = 0;    ///< before now, by a run that is resumed
    bool quiet = false;
  };
  Progress(std::FILE* out, const Setup& setup);
  /// Ends the bar's line, so that whatever is printed next has its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// After a step: samples seen in this epoch, and their mean loss and accuracy.
  void step(std::int64_t epoch, std::int64_t samples, double loss, double accuracy);
  void end_epoch(const EpochRecord& record);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Style { quiet, lines, bar };

  [[nodiscard]] double seconds_left(double epochs_done) const;
  void draw(const BarState& state);

  std::FILE* out_;
  Setup setup_;
  Style style_;
  Clock::time_point start_;
  Clock::time_point drawn_;
  std::size_t drawn_columns_ = 0;
};

}  // namespace train
