#include "progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

namespace train {
namespace {

constexpr std::chrono::milliseconds redraw_after{100};
constexpr int longest_bar = 30;
constexpr int shortest_bar = 5;  // below this it says nothing, and the numbers need the room

int columns_of(std::FILE* terminal) {
  winsize size{};
  const bool known = ::ioctl(::fileno(terminal), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

std::string duration(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::max(seconds, 0.0)));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

namespace {

/// The time that is left, for the end of a line; nothing if it is so short that it says nothing.
std::string left_text(double seconds, std::string_view separator) {
  constexpr double least = 2;
  return seconds < least ? std::string() : fmt::format("{}{} left", separator, duration(seconds));
}

}  // namespace

std::string bar_line(const BarState& state, int width) {
  const std::string head = fmt::format("epoch {}/{} ", state.epoch, state.epochs);
  const std::string tail =
      fmt::format("loss {:.4f}  accuracy {:.4f}  {:.0f} samples/s{}", state.loss, state.accuracy,
                  state.samples_per_second, left_text(state.seconds_left, "  "));
  const int room = width - static_cast<int>(head.size() + tail.size() + std::string_view("[] ").size());
  std::string bar;
  if (room >= shortest_bar) {
    const int cells = std::min(room, longest_bar);
    const int full = std::clamp(static_cast<int>(std::lround(state.done * cells)), 0, cells);
    bar = fmt::format("[{:#<{}}{:.<{}}] ", "", full, "", cells - full);
  }
  std::string line = head + bar + tail;
  line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(width, 0))));
  return line;
}

std::string epoch_line(const EpochRecord& record, std::int64_t epochs, double seconds_left) {
  return fmt::format(
      "epoch {}/{}: loss {:.4f}, accuracy {:.4f}, validation loss {:.4f}, validation accuracy {:.4f}, {:.0f} "
      "samples/s{}",
      record.epoch, epochs, record.loss, record.accuracy, record.validation_loss, record.validation_accuracy,
      record.samples_per_second, left_text(seconds_left, ", "));
}

Progress::Progress(std::FILE* out, const Setup& setup)
    : out_(out),
      setup_(setup),
      style_(setup.quiet                    ? Style::quiet
             : ::isatty(::fileno(out)) != 0 ? Style::bar
                                            : Style::lines),
      start_(Clock::now()),
      drawn_(start_) {}

Progress::~Progress() {
  if (drawn_columns_ > 0) std::fputc('\n', out_);
}

double Progress::seconds_left(double epochs_done) const {
  const double now_done = epochs_done - setup_.epochs_done;
  const double left = static_cast<double>(setup_.epochs) - epochs_done;
  return now_done > 0 ? seconds_between(start_, Clock::now()) * left / now_done : 0;
}

void Progress::step(std::int64_t epoch, std::int64_t samples, double loss, double accuracy) {
  if (style_ != Style::bar) return;
  const Clock::time_point now = Clock::now();
  if (now - drawn_ < redraw_after) return;
  const double epochs_done =
      static_cast<double>(epoch - 1) + static_cast<double>(samples) / static_cast<double>(setup_.samples);
  const double done = epochs_done / static_cast<double>(setup_.epochs);
  const double now_done = (epochs_done - setup_.epochs_done) * static_cast<double>(setup_.samples);
  draw({.epoch = epoch,
        .epochs = setup_.epochs,
        .done = done,
        .loss = loss,
        .accuracy = accuracy,
        .samples_per_second = now_done / seconds_between(start_, now),
        .seconds_left = seconds_left(epochs_done)});
}

void Progress::end_epoch(const EpochRecord& record) {
  if (style_ == Style::lines) {
    const double left = seconds_left(static_cast<double>(record.epoch));
    fmt::print(out_, "{}\n", epoch_line(record, setup_.epochs, left));
    std::fflush(out_);
  }
  // The last state is always drawn: it stays on the screen.
  if (style_ == Style::bar && record.epoch == setup_.epochs) {
    draw({.epoch = record.epoch,
          .epochs = setup_.epochs,
          .done = 1,
          .loss = record.loss,
          .accuracy = record.accuracy,
          .samples_per_second = record.samples_per_second});
  }
}

void Progress::draw(const BarState& state) {
  // The last column stays free: writing to it wraps the line on some terminals. Blanks wipe out the rest of a
  // longer line before, which spares us the question of what the terminal understands.
  const std::string line = bar_line(state, columns_of(out_) - 1);
  fmt::print(out_, "\r{:<{}}", line, drawn_columns_);
  std::fflush(out_);
  drawn_columns_ = line.size();
  drawn_ = Clock::now();
}

}  // namespace train
