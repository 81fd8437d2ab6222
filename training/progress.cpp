#include "xtgrad/training/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "xtgrad/training/progress_text.h"
#include "xtgrad/training/trainer.h"

namespace xtgrad::inline v1::training {
namespace {

constexpr std::chrono::milliseconds redraw_after{100};

/// The last column stays free: writing to it wraps the line on some terminals.
int columns_of(std::FILE* terminal) {
  winsize size{};
  const bool known = ::ioctl(::fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return (known ? size.ws_col : 80) - 1;
}

/// Metrics of the validation, whose loss leaves its room to them.
std::vector<NamedValue> validation_metrics(const EpochRecord& epoch) {
  std::vector<NamedValue> metrics;
  for (const NamedValue& value : epoch.values) {
    if (value.name.starts_with("validation_") && value.name != "validation_loss") metrics.push_back(value);
  }
  return metrics;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Progress::Progress(std::FILE* out)
    : out_(out), is_terminal_(::isatty(::fileno(out)) != 0), start_(Clock::now()), drawn_(start_) {}

Progress::~Progress() { end_line(); }

void Progress::end_line() {
  if (drawn_columns_ == 0) return;
  std::fputc('\n', out_);
  std::fflush(out_);
  drawn_columns_ = 0;
}

void Progress::begin(Trainer& trainer) {
  start_ = drawn_ = Clock::now();
  last_ = {};
  validated_ =
      trainer.records().empty() ? std::vector<NamedValue>() : validation_metrics(trainer.records().back());
  epochs_before_ = static_cast<double>(trainer.epoch()) +
                   static_cast<double>(trainer.batch()) / static_cast<double>(trainer.loader().batches());
}

double Progress::seconds_left(const Trainer& trainer, double epochs_done) const {
  const double now_done = epochs_done - epochs_before_;
  const double left = static_cast<double>(trainer.epochs()) - epochs_done;
  return now_done > 0 ? seconds_between(start_, Clock::now()) * left / now_done : 0;
}

void Progress::after_step(Trainer& trainer, const StepRecord& step) {
  if (!is_terminal_) return;
  const Clock::time_point now = Clock::now();
  if (now - drawn_ < redraw_after) return;
  const auto in_epoch = static_cast<double>(trainer.samples());
  const double epochs_done =
      static_cast<double>(step.epoch - 1) + static_cast<double>(step.samples) / in_epoch;
  draw(detail::bar_line(
      {.epoch = step.epoch,
       .epochs = trainer.epochs(),
       .done = epochs_done / static_cast<double>(trainer.epochs()),
       .values = step.values,
       .validated = validated_,
       .samples_per_second = (epochs_done - epochs_before_) * in_epoch / seconds_between(start_, now),
       .seconds_left = seconds_left(trainer, epochs_done)},
      columns_of(out_)));
  drawn_ = now;
}

void Progress::after_epoch(Trainer& trainer, const EpochRecord& epoch) {
  if (is_terminal_) {
    last_ = epoch;
    validated_ = validation_metrics(epoch);
    return;
  }
  const double left = seconds_left(trainer, static_cast<double>(epoch.epoch));
  fmt::print(out_, "{}\n", detail::epoch_line(epoch, trainer.epochs(), left));
  std::fflush(out_);
}

void Progress::at_end(Trainer& trainer, const std::string& /*reason*/) {
  // The last state stays on the screen.
  if (is_terminal_ && last_.epoch > 0) {
    std::vector<NamedValue> values;
    for (const NamedValue& value : last_.values) {
      if (!value.name.starts_with("validation_")) values.push_back(value);
    }
    draw(detail::bar_line({.epoch = last_.epoch,
                           .epochs = trainer.epochs(),
                           .done = static_cast<double>(last_.epoch) / static_cast<double>(trainer.epochs()),
                           .values = values,
                           .validated = validated_,
                           .samples_per_second = last_.samples_per_second},
                          columns_of(out_)));
  }
  end_line();
}

void Progress::draw(const std::string& line) {
  // Blanks wipe out the rest of a longer line before, which spares us the question of what the terminal
  // understands.
  fmt::print(out_, "\r{:<{}}", line, drawn_columns_);
  std::fflush(out_);
  drawn_columns_ = line.size();
}

}  // namespace xtgrad::v1::training
